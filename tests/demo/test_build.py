"""The demo company: the same from the same seed, and nothing in it contradicts itself."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.bootstrap import ROUTES
from b2bcrm.demo.build import build, start_day
from b2bcrm.demo.logins import shown_logins
from b2bcrm.desk.demo import DEMO_PASSWORD as PASSWORD
from b2bcrm.documents.contents import digest_of, to_json
from b2bcrm.fulfillment.models import LineProjection, PlanRun, Promise, Shipment, ShipmentLine
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.clock import HOME_ZONE, pinned
from b2bcrm.kernel.database import Marker, make_engine
from b2bcrm.kernel.numbering import NumberCounter, next_number
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.kernel.work import Office, Work
from b2bcrm.orders.actions.life import snapshot
from b2bcrm.orders.lifecycle import OrderState, Status
from b2bcrm.orders.models import Order, OrderLine, OrderRevision, Origin
from b2bcrm.quotes.lifecycle import InquiryState, QuoteState
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.quotes.queries.content import content_of
from b2bcrm.quotes.queries.facts import facts_of
from b2bcrm.service import clocks
from b2bcrm.service.lifecycle import CaseState
from b2bcrm.service.models import Case
from b2bcrm.service.queries import service_calendar
from b2bcrm.threads.models import ThreadMessage
from b2bcrm.users.models import User
from b2bcrm.users.passwords import Passwords
from tests.conftest import NOW
from tests.demo.conftest import SEED, built
from tests.demo.tables import everything

TABLES = (
    *("account", "order", "order_line", "quote", "quote_line", "inquiry", "inquiry_line"),
    *("case", "case_pause", "touch", "promise", "timeline_entry", "thread_message"),
    *("internal_note", "sales_target", "line_projection", "order_projection", "hold"),
    *("exchange_rate", "user", "order_revision", "number_counter", "feed"),
)


def orders(work: Work) -> Sequence[Order]:
    """All orders with their lines."""
    return work.session.scalars(sa.select(Order).options(selectinload(Order.lines))).all()


def quotes(work: Work) -> Sequence[Quote]:
    """All revisions with their lines."""
    return work.session.scalars(sa.select(Quote).options(selectinload(Quote.lines))).all()


def test_the_same_seed_makes_the_same_company(company: Office, tmp_path: Path) -> None:
    again = built(tmp_path)
    with company.open(read_only=True) as one, again.open(read_only=True) as two:
        first = everything(one, TABLES, leave_out=("user.password_hash",))
        second = everything(two, TABLES, leave_out=("user.password_hash",))
    again.engine.dispose()
    for name in TABLES:
        assert first[name] == second[name], name
        assert first[name], name


def test_every_order_that_began_here_came_from_an_accepted_quote(looking: Work) -> None:
    by_id = {quote.id: quote for quote in quotes(looking)}
    ours = [order for order in orders(looking) if order.origin is Origin.QUOTE]
    assert ours
    for order in ours:
        quote = by_id[order.quote_id or 0]
        assert quote.state is QuoteState.ACCEPTED
        assert quote.current
        assert quote.accepted_at == order.confirmed_at
        assert quote.accepted_at is not None
        assert quote.accepted_at.astimezone(HOME_ZONE).date() == order.ordered_on
        assert (quote.account_id, quote.currency, quote.rate, quote.customer_po) == (
            order.account_id,
            order.currency,
            order.rate,
            order.customer_po,
        )
        if order.state is not OrderState.CANCELLED:
            assert quote.total == order.total
        offered = [
            (ln.line_no, ln.item_id, ln.qty, ln.list_price, ln.discount_pct, ln.net, ln.promised_on)
            for ln in quote.lines
        ]
        assert offered == [
            (
                *(ln.line_no, ln.item_id, ln.ordered_qty, ln.unit_price, ln.discount_pct, ln.net),
                ln.first_promised_on,
            )
            for ln in order.lines
        ]


def test_an_order_without_our_number_was_first_seen_in_the_erp(looking: Work) -> None:
    typed = [order for order in orders(looking) if order.origin is Origin.ERP]
    assert typed
    assert all(order.quote_id is None and "-E" in order.no for order in typed)


def test_revisions_follow_each_other(looking: Work) -> None:
    by_no: dict[str, list[Quote]] = {}
    for quote in sorted(quotes(looking), key=lambda q: q.rev):
        by_no.setdefault(quote.no, []).append(quote)
    assert any(len(revisions) > 1 for revisions in by_no.values())
    for revisions in by_no.values():
        assert [quote.rev for quote in revisions] == list(range(len(revisions)))
        assert [quote.current for quote in revisions] == [False] * (len(revisions) - 1) + [True]
        for older, newer in itertools.pairwise(revisions):
            assert older.state is QuoteState.SUPERSEDED
            assert older.sent_at is not None
            assert older.sent_at < newer.created_at
            assert older.closed_at == newer.created_at


def test_the_dates_of_a_quote_are_in_order(looking: Work) -> None:
    inquiries = {row.id: row for row in looking.session.scalars(sa.select(Inquiry))}
    for quote in quotes(looking):
        inquiry = inquiries.get(quote.inquiry_id or 0)
        instants = [
            inquiry.received_at if inquiry else None,
            quote.created_at,
            quote.sent_at,
            quote.opened_at,
            quote.closed_at,
        ]
        known = [instant for instant in instants if instant is not None]
        assert known == sorted(known), quote.label
        assert known[-1] <= NOW
        if quote.state is QuoteState.SENT:
            assert quote.valid_until >= NOW.date()
        if quote.state is QuoteState.EXPIRED:
            assert quote.valid_until < NOW.date()
        assert quote.total == sum(line.net for line in quote.lines)


def test_what_was_sent_is_sealed_as_the_product_seals_it(looking: Work) -> None:
    sent = [quote for quote in quotes(looking) if quote.sent_at is not None]
    assert len(sent) > 20
    for quote in sent:
        then = dataclasses.replace(looking, now=quote.sent_at)
        assert quote.sealed_content == to_json(content_of(then, facts_of(then, quote)))
        assert digest_of(quote.sealed_content) == quote.seal


def test_drafts_and_inquiries_wait(looking: Work) -> None:
    states = {quote.state for quote in quotes(looking)}
    assert states == set(QuoteState)
    query = sa.select(Inquiry).where(Inquiry.state == InquiryState.OPEN)
    waiting = looking.session.scalars(query).all()
    assert len(waiting) == 3
    assert all(inquiry.replied_at is None for inquiry in waiting)
    open_quotes = [q for q in quotes(looking) if q.state in {QuoteState.SENT, QuoteState.DRAFT}]
    for quote in open_quotes:
        if quote.current:
            assert quote.decision_on is not None
            assert all(line.promised_on and line.promise_reason for line in quote.lines)


def test_demand_reaches_months_ahead_and_nothing_of_it_is_in_trouble(looking: Work) -> None:
    far = NOW.date() + dt.timedelta(days=110)
    projected = {
        row.order_line_id: row for row in looking.session.scalars(sa.select(LineProjection))
    }
    lines = [
        line
        for order in orders(looking)
        if order.state is OrderState.CONFIRMED
        for line in order.lines
        if line.promised_on and line.promised_on > far
    ]
    assert lines
    for line in lines:
        found = projected[line.id]
        assert (found.status, found.cause_kind, found.chain) == (Status.OK, "", [])
        assert found.projected_on is not None
        assert found.projected_on <= line.promised_on
    living = [q for q in quotes(looking) if q.current and q.state is QuoteState.SENT]
    wishes = [(q, line) for q in living for line in q.lines if line.wanted_on > far]
    assert wishes
    for quote, line in wishes:
        assert quote.decision_on is not None
        assert quote.decision_on < line.wanted_on <= line.promised_on
        assert 0 < quote.win_pct < 100


def test_a_fresh_plan_keeps_what_is_promised_and_misses_nothing(looking: Work) -> None:
    plan = looking.session.scalars(sa.select(PlanRun).order_by(PlanRun.id.desc())).first()
    assert plan is not None
    assert plan.made_on == looking.today
    assert plan.figures["lines"] > 0
    assert (plan.figures["late"], plan.problems, plan.faults) == (0, [], [])


def test_a_quote_for_several_machines_is_called_off_one_by_one(looking: Work) -> None:
    quoted = [q for q in quotes(looking) if q.current and q.state is QuoteState.SENT]
    longest = max(quoted, key=lambda q: len({line.wanted_on for line in q.lines}))
    assert len({line.wanted_on for line in longest.lines}) >= 4
    assert all(line.qty <= 300 for q in quoted for line in q.lines)


def test_quantities_never_run_ahead(looking: Work) -> None:
    for order in orders(looking):
        for line in order.lines:
            assert line.delivered_qty <= line.shipped_qty <= line.ordered_qty
            assert line.invoiced_qty <= line.shipped_qty
    rows = looking.session.execute(
        sa.select(Shipment, Order)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
    ).all()
    assert rows
    for shipment, order in rows:
        assert order.ordered_on <= shipment.shipped_on
        assert shipment.delivered_on is None or shipment.shipped_on <= shipment.delivered_on
        assert shipment.account_id == order.account_id


def test_a_line_stands_at_its_last_promise(looking: Work) -> None:
    history: dict[int, list[Promise]] = {}
    for row in looking.session.scalars(sa.select(Promise).order_by(Promise.id)):
        history.setdefault(row.order_line_id, []).append(row)
    moved = 0
    for order in orders(looking):
        for line in order.lines:
            told = history[line.id]
            assert told[0].promised_on == line.first_promised_on
            assert told[0].at == order.confirmed_at
            assert told[-1].promised_on == line.promised_on
            for before, after in itertools.pairwise(told):
                assert after.previous_on == before.promised_on
                assert before.at < after.at <= NOW
                moved += 1
    assert moved


def test_cases_are_about_delivered_lines_and_their_clocks_are_right(looking: Work) -> None:
    session = looking.session
    cases = session.scalars(sa.select(Case).options(selectinload(Case.pauses))).all()
    assert {CaseState.OPEN, CaseState.WAITING, CaseState.CLOSED} <= {case.state for case in cases}
    for case in cases:
        line = session.get_one(OrderLine, case.order_line_id)
        order = session.get_one(Order, case.order_id)
        assert line.order_id == order.id
        assert order.account_id == case.account_id
        assert line.delivered_qty > 0
        assert case.affected_qty is None or case.affected_qty <= line.delivered_qty
        arrived = session.scalar(
            sa.select(sa.func.min(Shipment.delivered_on))
            .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
            .where(ShipmentLine.order_line_id == line.id)
        )
        assert arrived is not None
        assert arrived < case.opened_at.astimezone(HOME_ZONE).date()
        calendar = service_calendar(session, order.site_id)
        due = clocks.instant_after(calendar, case.opened_at, clocks.ANSWER_WITHIN)
        assert case.answer_due_at == due
        steps = (case.opened_at, case.answered_at, case.solved_at, case.closed_at)
        known = [instant for instant in steps if instant is not None]
        assert known == sorted(known)
        assert known[-1] <= NOW
        said = session.scalars(
            sa.select(ThreadMessage)
            .where(ThreadMessage.subject == "case", ThreadMessage.subject_id == case.id)
            .order_by(ThreadMessage.at)
        ).all()
        assert said[0].from_customer
        assert all(message.text for message in said)


def test_nothing_is_in_the_future_and_nothing_waits_to_be_sent(looking: Work) -> None:
    session = looking.session
    assert (session.scalar(sa.select(sa.func.max(TimelineEntry.at))) or NOW) <= NOW
    assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 0


def test_every_fact_names_a_real_order(looking: Work) -> None:
    entries = looking.session.execute(
        sa.select(TimelineEntry.name, TimelineEntry.account_id, Order.account_id).join(
            Order, Order.id == TimelineEntry.order_id
        )
    ).all()
    assert {"order.submitted", "order.confirmed", "quote.accepted"} <= {row[0] for row in entries}
    assert all(row[1] == row[2] for row in entries)


def test_what_was_confirmed_is_kept_as_the_product_keeps_it(looking: Work) -> None:
    by_id = {order.id: order for order in orders(looking)}
    revisions = looking.session.scalars(sa.select(OrderRevision)).all()
    assert revisions
    for revision in revisions:
        order = by_id[revision.order_id]
        if order.state is OrderState.CANCELLED:
            continue
        now = snapshot(order)
        assert {k: v for k, v in now.items() if k not in {"lines", "total"}} == {
            k: v for k, v in revision.snapshot.items() if k not in {"lines", "total"}
        }
        assert [line["line_no"] for line in now["lines"]] == [
            line["line_no"] for line in revision.snapshot["lines"]
        ]


def test_everybody_who_is_shown_can_sign_in(looking: Work) -> None:
    by_email = {user.email: user for user in looking.session.scalars(sa.select(User))}
    for email, who in shown_logins():
        assert Passwords().fits(by_email[email].password_hash, PASSWORD), who
    buyers = [user for user in by_email.values() if user.role in {Role.BUYER, Role.BUYER_ADMIN}]
    assert {user.locale for user in buyers} == {"en", "zh_Hant", "zh_Hans"}


def test_numbers_go_on_after_those_of_the_past(company: Office) -> None:
    with company.open(read_only=True) as work:
        for series in ("SO", "Q", "CS", "IN"):
            no = next_number(work.session, series, NOW.year)
            for model in (Order, Quote, Case, Inquiry):
                assert work.session.scalar(sa.select(model.id).where(model.no == no)) is None
        assert work.session.scalar(sa.select(sa.func.count()).select_from(NumberCounter))


def test_the_database_is_marked(looking: Work) -> None:
    marks = dict(looking.session.execute(sa.select(Marker.key, Marker.value)).all())
    assert marks == {"kind": "demo", "size": "small", "seed": str(SEED)}


@pytest.mark.parametrize(
    ("local", "expected"),
    [("08:29", dt.date(2026, 11, 16)), ("08:30", dt.date(2026, 11, 17))],
)
def test_a_demo_built_before_the_working_day_begins_the_day_before(
    local: str, expected: dt.date
) -> None:
    moment = dt.datetime.fromisoformat(f"2026-11-17T{local}:00+08:00")
    assert start_day(moment) == expected


@pytest.mark.db
def test_the_company_can_be_built_on_either_database(database_url: str, tmp_path: Path) -> None:
    engine = make_engine(database_url)
    office = Office(engine=engine, clock=pinned(NOW), routes=ROUTES)
    build(office, tmp_path / "twin.sqlite3", size="small", seed=1, files_dir=tmp_path / "files")
    with office.open() as work:
        for model in (Order, Quote, User, TimelineEntry):
            assert work.session.scalar(sa.select(sa.func.count()).select_from(model))
        work.session.add(
            User(
                email="new@formosa.example",
                name="New",
                role=Role.SALES,
                password_hash="x",
                created_at=work.tick,
            )
        )
    engine.dispose()
