"""Which pieces of a line could come before the rest, and which of them a customer is offered."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.fulfillment.planning.chain import outlook
from b2bcrm.fulfillment.planning.facts import FirmPieces, Supplies
from b2bcrm.fulfillment.planning.notices import Ahead, offered, pieces_ahead, stored
from tests.fulfillment.test_chain import TODAY, buy, line, make, on

D = Decimal
TOMORROW = on(11, 18)


def ahead(wanted, makes=(), buys=()):
    supplies = Supplies({wanted.ref: makes}, {wanted.ref: buys})
    return pieces_ahead(wanted, outlook(wanted, supplies, TODAY), supplies, TODAY)


def of_line(**facts):
    """60 pieces of SW-25 that are fetched at our door."""
    return line(incoterm="EXW", transit_days=0, **facts)


def test_finished_pieces_of_a_running_work_order_leave_tomorrow():
    running = make(status="running", completed=D(25))
    assert ahead(of_line(), [running]) == [Ahead(D(25), TOMORROW)]


def test_what_is_bought_comes_on_its_day_beside_what_is_made():
    half = make(qty=D(40), completed=D(10), status="running", end_on=on(12, 10))
    bought = buy(item="SW-25", qty=D(20), received=D(5), due_on=on(11, 20))
    assert ahead(of_line(), [half], [bought]) == [
        Ahead(D(15), TOMORROW),
        Ahead(D(30), on(11, 23)),  # the Monday after the Friday
    ]


def test_what_comes_at_once_comes_not_ahead():
    assert ahead(of_line(), [make()]) == []
    assert ahead(of_line(), [make(completed=D(60), status="done")]) == []


def test_pieces_that_have_left_are_not_offered_again():
    running = make(status="running", completed=D(25))
    assert ahead(of_line(shipped=D(25)), [running]) == []
    assert ahead(of_line(shipped=D(10)), [running]) == [Ahead(D(15), TOMORROW)]
    rest = make(qty=D(50), status="running", completed=D(25))  # the ten that left came from stock
    assert ahead(of_line(shipped=D(10)), [rest]) == [Ahead(D(25), TOMORROW)]


def test_a_lot_larger_than_the_line_is_not_offered_beyond_it():
    assert ahead(of_line(), [make(qty=D(200), status="running", completed=D(90))]) == []


def test_components_are_no_pieces_of_the_line():
    assert ahead(of_line(), [make()], [buy(item="RB-25", received=D(30))]) == []


def test_firm_pieces_and_reserved_stock_are_the_lines_own():
    firm = FirmPieces("stock", "", D(12))
    assert ahead(of_line(firm=(firm,)), [make(qty=D(48))]) == [Ahead(D(12), TOMORROW)]
    reserved = of_line(ref="", reserved_on=on(12, 10), reserved_stock=D(7))
    assert ahead(reserved) == [Ahead(D(7), TOMORROW)]


def test_the_way_to_the_customer_counts():
    running = make(status="running", completed=D(25))
    (one,) = ahead(line(), [running])
    assert one.on == on(11, 23)  # leaves on Wednesday, three days on the road, no weekend


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((("10", on(11, 20)), ("30", on(12, 1)), ("50", on(12, 20))), Ahead(D(30), on(12, 1))),
        ((("10", on(12, 18)), ("30", on(12, 21))), Ahead(D(10), on(12, 18))),
        ((("10", on(12, 22)),), None),
        ((("10", TODAY - dt.timedelta(days=1)),), None),
        ((), None),
    ],
    ids=["all by the old day", "else the first", "not before the new day", "past", "none"],
)
def test_offered_is_what_can_be_there_by_the_day_promised_before_else_what_is_first(days, expected):
    kept = stored([Ahead(D(qty), day) for qty, day in days])
    found = offered(kept, previous_on=on(12, 15), promised_on=on(12, 22), today=TODAY)
    assert found == expected
