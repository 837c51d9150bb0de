"""Each of the thirty checks notices a connection that breaks just its promise."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Act, Drifted, Entity, Idempotency
from connectors.erp.contract.checks import CHECKS
from connectors.erp.contract.findings import Outcome
from connectors.erp.contract.ground import Ground
from connectors.erp.contract.suite import _outcome, run
from connectors.erp.gateway import connect
from tests.connectors.erp.contract import spoiling as s
from tests.twins import CONNECTION

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

LATER = dt.date(2026, 12, 24)
MORE = {Act.AVAILABILITY, Act.VALIDATE, Act.LOOKUP}
OFFERED = {
    "describe": lambda _g, good: s.put(
        good(),
        capabilities=good().capabilities
        | {
            entity: s.put(capability, acts=capability.acts | MORE)
            for entity, capability in good().capabilities.items()
        },
    )
}
SPOILED = [
    ("answers", "not well", s.health(ok=False, message=Message("The ERP cannot be reached."))),
    ("wrong-password", "an outage", {"list": s.without_password}),
    ("wrong-company", "any company", {"check": s.any_company}),
    ("clocks", "two hours off", s.health(clock_skew_s=7200.0)),
    ("wsdl-digest", "changed contract", s.health(wsdl_digest="f" * 64)),
    ("wsdl-digest", "no digest", s.info(wsdl_digest="")),
    ("time-limits", "a lost order as refused", {"create": s.refused_when_silent}),
    ("time-limits", "a sent order as not sent", {"create": s.unavailable_when_silent}),
    ("complete", "rows missing", s.page(lambda p, _: s.put(p, records=p.records[1:]))),
    ("complete", "not complete", s.page(lambda p, _: s.put(p, complete=False))),
    ("complete", "held back", s.page(lambda p, _: s.put(p, drift=(Drifted("1", "uom", "?"),)))),
    ("paging", "later pages lost", {"list": s.first_only}),
    ("paging", "a key twice", {"list": s.doubling}),
    ("single", "another text", s.on_records(lambda _e, r: s.put(r, version=f"{r.version}x"))),
    (
        "keys",
        "versions differ",
        {"list_keys": lambda _g, good, *a, **k: s.put(good(*a, **k), keys={})},
    ),
    ("delta", "not limited", {"list": s.since_ignored}),
    ("delta", "changes lost", {"list": s.since_too_late}),
    ("delta", "future watermark", s.page(s.future_mark)),
    ("lookup", "made-up value found", {"lookup": s.anything_found}),
    ("lookup", "nothing found", {"lookup": s.nothing_found}),
    ("identifiers", "padded", s.on_records(lambda _e, r: s.put(r, erp_id=f"{r.erp_id} "))),
    ("identifiers", "zeros stripped", {"get": s.zeros_stripped}),
    ("numbers", "floating", s.on_line(qty=0.1)),
    ("numbers", "was floating", s.on_line(qty=Decimal("0.1000000000000000055"))),
    ("dates", "1899", s.on_line(planned_on=dt.date(1899, 12, 30))),
    ("dates", "the word null", s.on_line(customer_po_line="null")),
    ("texts", "broken characters", s.on_line(customer_part_no="æ\ufffdè")),
    ("texts", "doubled escapes", s.on_line(customer_part_no="a &amp; b")),
    ("parents", "unknown item", s.on_line(item="NO-SUCH")),
    ("totals", "more shipped", s.on_line(shipped_qty=Decimal(0))),
    ("totals", "more open", s.on_records(s.more_open)),
    ("operations", "made up", {"operations": s.made_up_progress}),
    ("operations", "steps lost", {"operations": s.late_progress}),
    ("stock", "differs", OFFERED | {"stock": s.stale_stock}),
    ("availability", "past", OFFERED | s.promise(dt.date(2026, 11, 1))),
    ("availability", "more is sooner", OFFERED | s.promise(LATER, LATER - dt.timedelta(days=9))),
    ("load", "different answers", {"list": s.Alternating()}),
    ("validate", "enters", OFFERED | {"validate": s.entered_by_validate}),
    ("validate", "objects to nothing", OFFERED | {"validate": s.nothing_to_object}),
    ("enter", "rounded price", {"create": s.rounding}),
    ("enter", "no line map", {"create": s.no_line_map}),
    ("repeat", "entered again", {"create": s.twice}),
    ("keep-texts", "question marks", {"create": s.ascii_only}),
    ("refuse", "names nothing", {"create": s.refused_in_general}),
    ("refuse", "leaves lines", {"create": s.half_entered}),
    ("change", "line lost", {"update": s.change_drops_a_line}),
    ("change", "ignored", {"update": s.change_ignored}),
    ("conflict", "overwrites", {"update": s.overwriting}),
    ("conflict", "told as refusal", {"update": s.conflict_as_refusal}),
    ("cancel", "ignored", {"cancel": s.cancel_ignored}),
    ("cancel", "unknown order", {"cancel": s.cancels_anything}),
]
BY_NAME = {check.name: check for check in CHECKS}


@pytest.fixture
def opener(twin):
    """``opener(acts)`` gives what opens gateways that are spoiled so."""

    def spoiled(acts):
        def opened(**changes):
            connection = dataclasses.replace(CONNECTION, **changes)
            good = connect(connection, session=twin.session, now=lambda: twin.at)
            return s.Spoiled(good, acts, connection)

        return opened

    yield spoiled
    twin.session.close()


@pytest.fixture
def ground(opener, twin):
    def on(acts):
        return Ground(CONNECTION, opener(acts), lambda: twin.at)

    return on


def test_there_are_thirty_checks_with_names_and_sentences_of_their_own():
    assert len(CHECKS) == len(BY_NAME) == len({check.sentence.id for check in CHECKS}) == 30


def test_every_check_has_a_connection_that_breaks_its_promise():
    assert {name for name, _, _ in SPOILED} == set(BY_NAME)


@pytest.mark.parametrize(
    ("name", "acts"), [pytest.param(n, acts, id=f"{n}: {what}") for n, what, acts in SPOILED]
)
def test_a_broken_promise_is_noticed(ground, name, acts):
    outcome, evidence = _outcome(BY_NAME[name], ground(acts))
    assert outcome is Outcome.FAILED
    assert "The connector broke" not in str(evidence)


@pytest.mark.parametrize(
    ("name", "acts"),
    [
        ("stock", OFFERED | {"stock": s.true_stock}),
        ("availability", OFFERED | s.promise(LATER)),
        ("validate", OFFERED | {"validate": s.objecting}),
    ],
)
def test_what_the_twin_does_not_offer_passes_where_it_is_offered_and_right(ground, name, acts):
    outcome, evidence = _outcome(BY_NAME[name], ground(acts))
    assert outcome is Outcome.PASSED, str(evidence)


def test_a_check_of_what_is_not_offered_is_skipped_with_the_profiles_reason(ground):
    off = {Act.VALIDATE: "Formosa has no dry run"}

    def describe(_gateway, good):
        orders = good().capabilities[Entity.SALES_ORDER]
        orders = s.put(orders, acts=orders.acts - {Act.VALIDATE}, off=off)
        return s.put(good(), capabilities=good().capabilities | {Entity.SALES_ORDER: orders})

    outcome, evidence = _outcome(BY_NAME["validate"], ground({"describe": describe}))
    assert (outcome, str(evidence)) == (
        Outcome.SKIPPED,
        "The profile says: Formosa has no dry run",
    )


def test_a_connection_without_a_guard_against_repeats_is_not_said_to_have_one(ground):
    def describe(_gateway, good):
        orders = s.put(good().capabilities[Entity.SALES_ORDER], idempotency=Idempotency.NONE)
        return s.put(good(), capabilities=good().capabilities | {Entity.SALES_ORDER: orders})

    outcome, _ = _outcome(BY_NAME["repeat"], ground({"describe": describe}))
    assert outcome is Outcome.SKIPPED


def test_nothing_is_entered_without_leave_to_write(opener, twin):
    before = len(twin.world.list(Entity.SALES_ORDER, page_size=10**6).records)
    report = run(CONNECTION, opener({}), now=lambda: twin.at, write=False)
    assert len(twin.world.list(Entity.SALES_ORDER, page_size=10**6).records) == before
    assert {f.outcome for f in report.findings if f.check.writes} == {Outcome.NOT_RUN}
    assert report.clean
    assert not report.fit_to_write


def test_a_connection_that_does_not_answer_ends_the_run_with_one_failure(opener, twin):
    acts = s.health(ok=False, message=Message("The ERP cannot be reached."))
    report = run(CONNECTION, opener(acts), now=lambda: twin.at, write=True)
    assert [f.outcome for f in report.findings] == [Outcome.FAILED] + [Outcome.NOT_RUN] * 29


def test_an_order_that_cannot_be_cancelled_is_named(opener, twin):
    report = run(
        CONNECTION, opener({"cancel": s.never_cancelling}), now=lambda: twin.at, write=True
    )
    left = [str(odd) for odd in report.oddities if "still in the ERP" in str(odd)]
    orders = twin.world.list(Entity.SALES_ORDER, page_size=10**6).records
    standing = {o.erp_id for o in orders if o.reference.startswith(report.prefix)}
    assert {text.split()[1] for text in left} == standing != set()


def test_a_connector_that_breaks_fails_the_check_and_the_others_go_on(ground):
    def broken(_gateway, _good, _ids):
        raise TypeError("not a port error")

    outcome, evidence = _outcome(BY_NAME["operations"], ground({"operations": broken}))
    assert outcome is Outcome.FAILED
    assert "TypeError" in str(evidence)


def test_unknown_elements_and_padded_texts_are_told_as_oddities(opener, twin):
    def odd(found, _how):
        records = [s.put(r, name=f"{r.name} ") if hasattr(r, "name") else r for r in found.records]
        return s.put(found, records=records, unknown={"Order/NewField": 2})

    report = run(CONNECTION, opener(s.page(odd)), now=lambda: twin.at, write=False)
    told = " ".join(map(str, report.oddities))
    assert "Order/NewField" in told
    assert "customer.name" in told
