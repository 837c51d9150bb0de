"""The morning report: what it says, to whom, in which language, and once per day."""

from __future__ import annotations

import datetime as dt
import io
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from b2bcrm import bootstrap
from b2bcrm.fulfillment.actions import morning_due, project, send_morning
from b2bcrm.fulfillment.events import MorningCame
from b2bcrm.fulfillment.handlers import MailMorning
from b2bcrm.fulfillment.models import BoardMorning, PurchaseLine
from b2bcrm.fulfillment.queries import board
from b2bcrm.fulfillment.queries.board import BoardFilter
from b2bcrm.fulfillment.queries.figures import figures
from b2bcrm.fulfillment.queries.mornings import morning, standing
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.errors import NotAllowed, Unavailable
from b2bcrm.kernel.organization import CalendarRow
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message, render
from b2bcrm.sync.models import Feed
from b2bcrm.users.models import User
from tests.clients import client_for, make_app
from tests.conftest import NOW
from tests.factories import buyer, make_account, make_site
from tests.fulfillment.conftest import day
from tests.fulfillment.test_board import troubled

pytestmark = pytest.mark.db

SEVEN = dt.time(7)
URL = "https://crm.example"


class Box:
    """Catches mail; refuses as long as it is told to."""

    def __init__(self):
        self.mails, self.down = [], False

    def send(self, mail):
        if self.down:
            raise Unavailable(Message("The mail server does not answer."))
        self.mails.append(mail)


def reader(work, email, role=Role.PLANNER, locale="en", **facts):
    user = User(
        email=email,
        name=email.partition("@")[0],
        role=role,
        locale=locale,
        password_hash="x",
        created_at=work.tick,
        **facts,
    )
    work.session.add(user)
    work.session.flush()
    return user


def at(office, text, zone="Asia/Taipei"):
    """The office's clock shows a time of November 2026 or of a given day."""
    local = dt.datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZoneInfo(zone))
    object.__setattr__(office, "clock", pinned(local.astimezone(dt.UTC)))


def report(office):
    """As the house does each minute."""
    with office.open(read_only=True) as work:
        seen = morning_due(work, SEVEN)
    if seen is None:
        return False
    with office.open() as work:
        return send_morning(work, seen)


def told(office):
    with office.open(read_only=True) as work:
        rows = work.session.scalars(sa.select(Delivery).where(Delivery.handler == "mail.morning"))
        return [row.payload["subject_id"] for row in rows]


@pytest.fixture
def planners(office):
    with office.open() as work:
        return reader(work, "planner@formosa.example").id


# ---------------------------------------------------------------------------------- once, and when
def test_it_goes_out_from_seven_in_the_houses_zone_on(office, planners):
    at(office, "11-17 06:59")
    assert not report(office)
    at(office, "11-16 23:00", zone="UTC")  # seven in Taipei, the day after
    assert report(office)
    assert told(office) == [planners]


def test_once_per_day_whoever_looks_again(office, planners):
    at(office, "11-17 07:00")
    with office.open(read_only=True) as work:
        seen = morning_due(work, SEVEN)  # two workers saw it due at the same moment
    with office.open() as work:
        assert send_morning(work, seen)
    with office.open() as work:
        assert not send_morning(work, seen)
    at(office, "11-17 15:00")
    assert not report(office)
    assert told(office) == [planners]
    at(office, "11-18 07:00")
    assert report(office)
    assert told(office) == [planners, planners]


def test_a_worker_that_died_before_seven_is_made_good_later_that_day(office, planners):
    at(office, "11-17 11:20")
    assert report(office)
    assert told(office) == [planners]


def test_not_on_days_on_which_no_plant_works(office, planners):
    at(office, "11-21 07:30")  # a Saturday
    assert not report(office)


def test_no_report_on_a_holiday_unless_another_plant_works(office, planners):
    facts = {"zone": "Asia/Taipei", "weekdays": [0, 1, 2, 3, 4], "extra_days": [], "hours": []}
    at(office, "11-17 07:30")
    with office.open() as work:
        make_site(work, calendar_code="TC")
        work.session.add(CalendarRow(code="TC", holidays=["2026-11-17"], **facts))
    assert not report(office)
    with office.open() as work:
        make_site(work, code="SZ", calendar_code="SZ")
        work.session.add(CalendarRow(code="SZ", holidays=[], **facts))
    assert report(office)


def test_who_dies_between_writing_and_mailing_leaves_a_row_that_is_mailed_later(house_of_mail):
    office, box, courier, reader_id = house_of_mail
    box.down = True
    assert courier.deliver_one()
    with office.open() as work:
        row = work.session.scalar(sa.select(Delivery))
        assert row.state is DeliveryState.WAITING
        row.next_at = work.tick
    box.down = False
    assert courier.deliver_one()
    assert [mail.message_id for mail in box.mails] == [f"morning.came-{reader_id}-2026-11-17"]
    assert not courier.deliver_one()


@pytest.fixture
def house_of_mail(office, plant):
    from b2bcrm.kernel.courier import Courier

    box = Box()
    work = plant.work
    user = reader(work, "planner@formosa.example")
    work.session.commit()
    at(office, "11-17 07:00")
    assert report(office)
    handler = MailMorning(box, URL)
    return office, box, Courier(office.open, bootstrap.EVENTS, {handler.name: handler}), user.id


# ------------------------------------------------------------------------------------- to whom
def test_planners_and_sales_managers_get_it_and_nobody_else(office):
    with office.open() as work:
        wanted = [
            reader(work, "p@formosa.example").id,
            reader(work, "m@formosa.example", Role.SALES_MANAGER).id,
        ]
        reader(work, "gone@formosa.example", active=False)
        for role in (Role.SALES, Role.ENGINEER, Role.SERVICE, Role.ERP_ADMIN):
            reader(work, f"{role}@formosa.example", role)
    at(office, "11-17 07:00")
    assert report(office)
    assert sorted(told(office)) == sorted(wanted)


def test_a_report_of_yesterday_is_not_mailed_today(work, plant):
    user = reader(work, "p@formosa.example")
    handler = MailMorning(Box(), URL)
    assert handler.prepare(work, MorningCame(subject_id=user.id, day=day("11-16"))) is None
    assert handler.prepare(work, MorningCame(subject_id=user.id, day=day("11-17"))) is not None
    user.role = Role.SALES
    assert handler.prepare(work, MorningCame(subject_id=user.id, day=day("11-17"))) is None


@pytest.mark.parametrize(
    ("locale", "words"),
    [("en", "Orders late: 1"), ("zh_Hant", "延遲訂單: 1"), ("zh_Hans", "延迟订单: 1")],
)
def test_each_reader_gets_it_in_his_language_with_the_paper(work, plant, locale, words):
    order = troubled(work, plant)
    user = reader(work, "p@formosa.example", locale=locale)
    box = Box()
    handler = MailMorning(box, URL)
    event = MorningCame.from_json(MorningCame(subject_id=user.id, day=work.today).to_json())
    handler.send(handler.prepare(work, event), again=False)
    (mail,) = box.mails
    assert words in mail.text
    assert f"{URL}/fulfillment" in mail.html
    (paper,) = mail.attachments
    assert paper.name == "morning-2026-11-17.pdf"
    assert order.no in text_of(paper.content)


def text_of(pdf):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


# ------------------------------------------------------------------------------- what it says
def keep(work, on):
    seen = standing(work)
    work.session.add(
        BoardMorning(day=on, made_at=work.tick, figures=seen.figures, lines=seen.lines)
    )
    work.session.flush()


def test_it_says_what_the_board_says(work, plant):
    order = troubled(work, plant)
    said = morning(work, "en", URL)
    shown, sums = board.rows(work, BoardFilter())[0][0], figures(work, BoardFilter())
    values = {figure.label.id: figure.now for figure in said.figures}
    assert values["Orders late"] == sums.totals.late == 1
    assert values["Value late or at risk"] == sums.totals.troubled_value
    assert values["Short parts"] == sums.part_count
    (row,) = said.orders
    assert (row.no, row.value, row.days) == (order.no, shown.base_value, -shown.days)
    assert (row.why, row.next_step) == (shown.cause, shown.next_step)
    assert said.parts[0].document_no == "PO-1"
    assert said.before_on is None


def test_yesterday_stands_beside_today_and_turned_lines_are_named(work, plant):
    stays, comes_back, turns = (troubled(work, plant, n=n) for n in (1, 2, 3))
    make_due(work, turns, 3, "11-20")
    keep(work, day("11-16"))
    make_due(work, comes_back, 2, "11-20")
    make_due(work, turns, 3, "12-21")
    said = morning(work, "en", URL)
    assert said.before_on == day("11-16")
    late = next(f for f in said.figures if f.label.id == "Orders late")
    assert (late.before, late.now, late.change, late.verdict) == (2, 2, 0, "")
    found = {group.title.id: [line.order_no for line in group.lines] for group in said.turned}
    assert found == {
        "Newly late": [turns.no],
        "Newly at risk": [],
        "Came back": [comes_back.no],
    }
    assert stays.no not in {no for nos in found.values() for no in nos}


def make_due(work, order, n, on):
    work.session.execute(
        sa.update(PurchaseLine).where(PurchaseLine.po_no == f"PO-{n}").values(confirmed_on=day(on))
    )
    work.session.expire_all()
    project(work, [order.id])


def test_more_is_better_for_what_is_on_time_and_worse_for_what_is_late(work, plant):
    troubled(work, plant)
    keep(work, day("11-16"))
    troubled(work, plant, n=2)
    said = {figure.label.id: figure.verdict for figure in morning(work, "en", URL).figures}
    assert said["Orders late"] == "bad"
    assert said["Open orders"] == ""


def test_old_erp_data_is_said_on_top(work, plant):
    troubled(work, plant)
    work.session.add(
        Feed(
            connection_code="main",
            next_at=NOW,
            entity="stock",
            every_s=60,
            data_as_of=NOW - dt.timedelta(hours=9),
            limit_minutes=60,
        )
    )
    work.session.flush()
    said = morning(work, "en", URL)
    assert [render(feed.name, "en") for feed in said.too_old] == ["Stock"]
    user = reader(work, "p@formosa.example")
    box = Box()
    handler = MailMorning(box, URL)
    event = MorningCame(subject_id=user.id, day=work.today)
    handler.send(handler.prepare(work, event), again=False)
    warning = "The ERP data is older than allowed"
    assert warning in box.mails[0].text
    paper = text_of(box.mails[0].attachments[0].content)
    assert paper.index(warning) < paper.index("Key figures")


def test_a_customer_may_not_have_it(work, plant):
    work.actor = buyer(make_account(work))
    with pytest.raises(NotAllowed):
        morning(work, "en", URL)


def test_the_board_has_it_as_a_button_for_every_member_of_staff(office, plant, tmp_path):
    order = troubled(plant.work, plant)
    plant.work.session.commit()
    client = client_for(make_app(office, tmp_path), office, Role.ENGINEER)
    assert "/fulfillment/morning.pdf" in client.get("/fulfillment").text
    answer = client.get("/fulfillment/morning.pdf")
    assert answer.mimetype == "application/pdf"
    assert order.no in text_of(answer.data)


def test_before_there_is_a_company_there_is_no_report(office, tmp_path):
    client = client_for(make_app(office, tmp_path), office, Role.PLANNER)
    assert client.get("/fulfillment/morning.pdf").status_code == 404
