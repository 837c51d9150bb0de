"""The board's figures are exactly the sums of its rows, whatever happened, and never old."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import sqlalchemy as sa

from b2bcrm import bootstrap
from b2bcrm.catalog.models import Item
from b2bcrm.fulfillment import actions
from b2bcrm.fulfillment.models import FigureSheet
from b2bcrm.fulfillment.planning.figures import Period
from b2bcrm.fulfillment.queries import figures as module
from b2bcrm.fulfillment.queries.board import BoardFilter
from b2bcrm.fulfillment.queries.figures import BEHIND, figures
from b2bcrm.kernel.errors import NotAllowed
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.timeline import version_of
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.sync.engine import Puller
from tests.factories import buyer, make_account
from tests.fulfillment.by_hand import Books
from tests.fulfillment.company import CHIEF, DAY, Company, pass_time
from tests.fulfillment.conftest import look
from tests.pulled import found_company

pytestmark = pytest.mark.db

ALL = BoardFilter()


def shown(office, found=ALL, **asked):
    with office.open(CHIEF, read_only=True) as work:
        return dataclasses.replace(figures(work, found, **asked), erp_as_of=None)


def by_hand(office, found=ALL, **asked):
    with office.open(CHIEF, read_only=True) as work:
        return Books(work).figures(found, **asked)


@pytest.fixture
def only_stored(monkeypatch):
    """From its call on nobody sums while a page is made: what is shown was stored."""

    def refuse(_work):
        raise AssertionError("summed on the spot")

    runs = tuple(dataclasses.replace(run, sum_up=refuse) for run in module.RUNS)
    return lambda: monkeypatch.setattr(module, "RUNS", runs)


def assert_exact(office, centers=("",)):
    """What the page shows is what the rows add up to, for every site and family."""
    with office.open(CHIEF, read_only=True) as work:
        sites = [None, *work.session.scalars(sa.select(Site.id))]
        families = ["", *work.session.scalars(sa.select(Item.family).distinct())]
        books, weeks = Books(work), itertools.cycle((26, 4, 12))
        periods = itertools.cycle(Period)
        for site, family, center in itertools.product(sites, families, centers):
            found = BoardFilter(site_id=site, family=family, weeks=next(weeks))
            asked = {"center": center, "all_parts": found.weeks == 26, "period": next(periods)}
            page = dataclasses.replace(figures(work, found, **asked), erp_as_of=None)
            counted = books.figures(found, **asked)
            if counted.clear is None:  # more than can be told by hand: see test_clearing
                page = dataclasses.replace(page, clear=None)
            assert page == counted, found


@pytest.mark.parametrize("seed", range(3))
def test_stored_figures_are_the_sums_of_the_rows_after_anything_that_happens(
    office, seed, only_stored
):
    company = Company(office, seed)
    only_stored()
    for _ in range(25):
        company.act()
        look(office)
        assert_exact(office)
    company.act("do_make")
    look(office)
    assert_exact(office, centers=("", "G1", "S1", "X9"))


@pytest.mark.slow
def test_figures_stay_exact_while_days_pass_in_the_erp(office, twin, only_stored):
    with office.open() as work:
        found_company(work)
    puller = Puller(office, twin.gateway, "main", bootstrap.APPLIERS)
    puller.ensure_feeds()
    only_stored()
    for _ in range(2):
        puller.pull_due()
        with office.open() as work:
            while actions.project_due(work):
                pass
        look(office)
        assert_exact(office)
        twin.advance(days=2)
        pass_time(office, days=2)


# --------------------------------------------------------------------------- how old they may be
@pytest.fixture
def company(office):
    return Company(office, seed=7)


def sell(company):
    """One more order: every total differs from before."""
    assert company.act("do_sell")


def test_without_any_worker_the_page_sums_for_itself(office, company):
    assert shown(office) == by_hand(office)
    assert shown(office).totals.orders == 5


def test_figures_behind_the_rows_are_shown_for_seconds_and_then_no_more(office, company):
    look(office)
    before = shown(office)
    sell(company)
    pass_time(office, seconds=BEHIND.total_seconds())
    assert shown(office) == before
    pass_time(office, seconds=1)
    assert shown(office) == by_hand(office) != before


def test_the_next_look_brings_them_up_to_the_rows(office, company, only_stored):
    look(office)
    sell(company)
    assert "orders" in look(office)
    only_stored()
    assert shown(office) == by_hand(office)


def test_on_the_next_day_yesterdays_figures_are_not_shown(office, company, only_stored):
    company.act("do_make")
    look(office)
    pass_time(office, days=1)
    assert shown(office) == by_hand(office)
    assert sorted(look(office)) == ["clear", "load", "orders"]
    only_stored()
    assert shown(office) == by_hand(office)


def test_a_quiet_minute_costs_no_sum_and_no_write(office, company):
    look(office)
    pass_time(office, minutes=1)
    assert look(office) == []


def test_a_process_that_dies_before_it_stores_leaves_the_rest_to_the_next_look(office, company):
    with office.open(read_only=True) as work:
        actions.sum_figures(work)  # and dies
    assert sorted(look(office)) == ["clear", "load", "orders"]
    sell(company)  # projected, and the process dies before its look
    assert look(office) == ["orders"]


def test_a_slow_process_does_not_overwrite_newer_figures(office, company, only_stored):
    with office.open(read_only=True) as work:
        slow = actions.sum_figures(work)
    sell(company)
    look(office)
    for summed in slow:
        with office.open() as work:
            actions.keep_figures(work, summed)
    only_stored()
    assert shown(office).totals.orders == 6


def board_version(office):
    with office.open(read_only=True) as work:
        return version_of(work.session, "board")


def test_open_boards_fetch_again_only_when_a_figure_differs(office, company):
    look(office)
    before = board_version(office)
    with office.open() as work:
        actions.mark_stale(work, work.session.scalars(sa.select(Order.id)).all())
        pass_time(office, seconds=30)
        actions.project_due(work)
    assert look(office) == ["orders"]
    assert board_version(office) == before
    # No projection says when a line was first promised, but on time in full rests on it.
    with office.open() as work:
        work.session.execute(sa.update(OrderLine).values(first_promised_on=work.today - DAY))
        work.bump("order:1")
    assert look(office) == ["orders"]
    assert board_version(office) == before + 1


def test_figures_say_how_old_the_oldest_projection_is(office, company):
    sell(company)
    look(office)
    oldest = shown(office).computed_at
    pass_time(office, hours=2)
    company.act("do_sell")
    look(office)
    assert shown(office).computed_at == oldest
    with office.open() as work:
        actions.project_all(work)
        now = work.now
    look(office)
    assert shown(office).computed_at == now > oldest


def test_a_family_that_is_gone_leaves_no_figures_behind(office, company):
    look(office)
    with office.open() as work:
        work.session.execute(sa.update(Item).values(family="ZZ"))
        work.bump("catalog")
    look(office)
    with office.open() as work:
        kept = set(work.session.scalars(sa.select(FigureSheet.code).filter_by(kind="orders")))
    assert kept == {"", "ZZ"}


def test_an_empty_house_has_no_figures_and_says_so(office, only_stored):
    look(office)
    only_stored()
    found = shown(office, center="G1")
    assert (found.totals.orders, found.part_count, found.weeks) == (0, 0, [])
    assert found.otif.past.pct is None
    assert found.computed_at is None


def test_figures_are_not_for_buyers(office, company):
    with office.open(read_only=True) as work:
        work.actor = buyer(make_account(work))
        with pytest.raises(NotAllowed):
            figures(work, ALL)
