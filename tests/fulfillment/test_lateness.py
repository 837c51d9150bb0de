"""Late days by where they were lost: they add up, and what was planted is found again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.chain import Outlook, outlook
from b2bcrm.fulfillment.planning.explain import explain
from b2bcrm.fulfillment.planning.facts import Moved, Planned, Supplies
from b2bcrm.fulfillment.planning.lateness import Share, Step, last_others, shares, split
from tests.fulfillment.test_chain import CAL, TODAY, buy, late_blanks, line, make, on

days = st.integers(0, 12)


def found(told: list[Share]) -> dict[str, int]:
    return {share.kind: share.days for share in told}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1))
def test_shares_sum_to_the_slip_of_the_last_step(steps):
    told = split([Step(kind, "", slip) for kind, slip in steps])
    assert sum(share.days for share in told) == steps[-1][1]
    assert all(share.days > 0 for share in told)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_without_slack_each_step_gets_what_was_lost_there(lost):
    slips = [sum(lost[: n + 1]) for n in range(len(lost))]
    told = split([Step(str(n), "", slip) for n, slip in enumerate(slips)])
    assert {int(share.kind): share.days for share in told} == {
        n: days for n, days in enumerate(lost) if days
    }


def test_a_slip_that_was_made_up_for_costs_nobody_anything():
    told = split([Step("supplier", "", 7), Step("production", "", 2), Step("transport", "", 5)])
    assert found(told) == {"supplier": 2, "transport": 3}


@given(ordered=days, supplier=days, production=days, shipping=days, planned=days)
def test_what_was_planted_in_a_delivery_is_found_again(
    ordered, supplier, production, shipping, planned
):
    """Blanks, a work order and the shipment follow each other without a day between them."""
    wish = CAL.add_days(TODAY, -90)
    said = CAL.add_days(wish, ordered)
    came = CAL.add_days(said, supplier)
    plan_end = CAL.add_days(wish, 6)
    end = CAL.add_days(plan_end, ordered + supplier + production)
    ready = CAL.add_days(end, 1)
    left = CAL.add_days(ready, shipping)
    leave_by = CAL.add_days(plan_end, 1 - planned)
    blanks = buy(first_on=said, requested_on=wish, due_on=came, received=Decimal(60),
                 received_on=came)  # fmt: skip
    top = make(status="done", first_end_on=plan_end, end_on=end, ended_on=end, start_on=wish)
    served = line(promised_on=leave_by, incoterm="EXW", transit_days=0, shipped=Decimal(60),
                  shipped_on=left)  # fmt: skip
    view = outlook(served, Supplies({served.ref: [top]}, {"WO-2": [blanks]}), TODAY)

    told = found(shares(served, view))
    planted = {"ordered": ordered, "supplier": supplier, "production": production,
               "planned": planned, "shipping": shipping}  # fmt: skip
    assert told == {kind: days for kind, days in planted.items() if days}


@given(
    came=st.integers(-20, 20),
    end=st.integers(-10, 30),
    first=st.integers(-20, 10),
    promised=st.integers(-30, 30),
    plan=st.none() | st.integers(-10, 30),
    running=st.booleans(),
    held=st.booleans(),
)
def test_shares_sum_to_the_lateness_of_any_line(came, end, first, promised, plan, running, held):
    def day(n: int) -> dt.date:
        return CAL.add_days(TODAY, n)

    top = make(
        status="running" if running else "planned",
        started_on=day(end - 3) if running else None,
        start_on=day(end - 3),
        end_on=day(end),
        first_end_on=day(first),
    )
    blanks = buy(due_on=day(came), first_on=day(first - 5), requested_on=day(first - 6))
    wanted = line(promised_on=day(promised), planned_on=None if plan is None else day(plan))
    view = outlook(wanted, Supplies({wanted.ref: [top]}, {"WO-2": [blanks]}), TODAY)
    told = shares(wanted, view, held=held)
    assert sum(share.days for share in told) == max(0, -(view.buffer or 0))
    assert not ({share.kind for share in told} & {"hold"} and not held)


def test_late_blanks_are_the_suppliers_days():
    late = line()
    told = shares(late, outlook(late, late_blanks(), TODAY))
    assert told == [Share("supplier", "PO-33107", 2), Share("transport", "", 1)]


def test_ready_pieces_that_a_hold_keeps_back_are_the_holds_days():
    kept = line(promised_on=on(11, 10), on_hand=Decimal(60))
    view = outlook(kept, Supplies(), TODAY)
    assert view.source == "stock"
    held, free = (found(shares(kept, view, held=flag)) for flag in (True, False))
    assert held.pop("hold") == free.pop("shipping") > 0
    assert held == free


@pytest.mark.parametrize("promised_on", [None, on(12, 31)])
def test_a_line_in_time_or_without_promise_has_no_shares(promised_on):
    fine = line(promised_on=promised_on)
    assert shares(fine, outlook(fine, late_blanks(), TODAY)) == []


def test_a_line_of_which_nothing_is_known_has_no_shares():
    assert shares(line(), Outlook("none", [], None)) == []


@given(scrapped=st.integers(1, 20), extra=st.integers(1, 15))
def test_days_that_wait_for_what_replaces_scrap_are_lost_by_quality(scrapped, extra):
    """The work order ends in time; the live plan has what was scrapped so many days later."""
    end = CAL.add_days(TODAY, 5)
    spoilt = make(status="running", first_end_on=end, end_on=end, scrapped=Decimal(scrapped),
                  started_on=TODAY, completed=Decimal(59 - scrapped))  # fmt: skip
    anew = CAL.add_days(end, extra)
    served = line(promised_on=CAL.add_days(end, 1), incoterm="EXW", transit_days=0,
                  plan=Planned(anew, late=True))  # fmt: skip
    view = outlook(served, Supplies({served.ref: [spoilt]}), TODAY)
    assert view.projected_on == CAL.add_days(anew, 1)
    assert shares(served, view) == [Share("quality", spoilt.no, extra)]
    why = explain(served, view, TODAY)
    assert why.kind == "quality"
    assert f"{scrapped} of {spoilt.no} were scrapped" in str(why.cause)


def test_pieces_that_no_document_brings_are_waited_for_and_are_no_risk_in_time():
    end = CAL.add_days(TODAY, 5)
    some = {"qty": Decimal(50), "completed": Decimal(50)}
    made = make(status="done", first_end_on=end, end_on=end, ended_on=TODAY, **some)
    facts = {"promised_on": CAL.add_days(end, 9), "incoterm": "EXW", "transit_days": 0}
    in_time = line(plan=Planned(CAL.add_days(end, 8)), **facts)
    view = outlook(in_time, Supplies({in_time.ref: [made]}), TODAY)
    assert (view.rest, view.complete, view.buffer >= 8) == (True, False, True)
    late = line(plan=Planned(CAL.add_days(end, 12), late=True), **facts)
    view = outlook(late, Supplies({late.ref: [made]}), TODAY)
    assert found(shares(late, view)) == {"planned": 4}
    assert "Not all of it is planned" in str(explain(late, view, TODAY).cause)
    covered = line(**facts)
    assert outlook(covered, Supplies({covered.ref: [made]}), TODAY).complete


# ------------------------------------------------------------------- lines that have come
def delivery(*, came_on, made_on=None, end_on=None, **facts):
    """A line made in one work order, handed over at our door, and its outlook today."""
    end = end_on or CAL.add_days(TODAY, -20)
    top = make(status="done", first_end_on=end, end_on=end, ended_on=made_on or end,
               start_on=CAL.add_days(end, -3))  # fmt: skip
    values = {"promised_on": CAL.add_days(end, 1), "incoterm": "EXW", "transit_days": 0}
    values |= {"shipped": Decimal(60), "shipped_on": came_on, "came_on": came_on}
    served = line(**(values | facts))
    return served, outlook(served, Supplies({served.ref: [top]}), TODAY)


@given(
    production=days,
    shipping=days,
    transport=days,
    moves=st.lists(st.tuples(st.sampled_from(["customer", "material"]), days), max_size=3),
)
def test_what_was_planted_in_a_line_that_came_is_found_again(
    production, shipping, transport, moves
):
    """Promises moved, the work order slipped, the pieces lay, and the carrier took his time."""
    end = CAL.add_days(TODAY, -60)
    made_on = CAL.add_days(end, production)
    left_on = CAL.add_days(made_on, 1 + shipping)
    came_on = CAL.add_days(left_on, transport)
    promised_on = CAL.add_days(end, 1)
    first = CAL.add_days(promised_on, -sum(n for _, n in moves))
    told, planted = [], {}
    for code, n in moves:
        was_on = told[-1].on if told else first
        told.append(Moved(was_on, CAL.add_days(was_on, n), code))
        planted[code] = planted.get(code, 0) + n
    served, view = delivery(
        came_on=came_on, made_on=made_on, end_on=end, shipped_on=left_on, incoterm="DAP",
        delivered=Decimal(60), receiving_days="1111111", moves=tuple(told),
    )  # fmt: skip
    found_ = shares(served, view)
    after = {"production": production, "shipping": shipping, "transport": transport}
    late = sum(after.values())
    assert sum(one.days for one in found_ if not one.moved) == late == -(view.buffer or 0)
    assert found([one for one in found_ if not one.moved]) == {k: n for k, n in after.items() if n}
    moved = [one for one in found_ if one.moved]
    if late:
        by_code = {}
        for one in moved:
            by_code[one.kind] = by_code.get(one.kind, 0) + one.days
        assert by_code == {code: n for code, n in planted.items() if n}
        assert sum(one.days for one in found_) == CAL.days_between(first, came_on)


@given(moves=st.lists(st.integers(-8, 8), min_size=1, max_size=4), came=st.integers(-30, 30))
def test_days_after_the_first_promise_are_the_moves_and_what_came_later(moves, came):
    first = day_on = CAL.add_days(TODAY, -40)
    told = []
    for n in moves:
        told.append(Moved(day_on, CAL.add_days(day_on, n), "material"))
        day_on = told[-1].on
    came_on = CAL.add_days(first, came)
    served, view = delivery(came_on=came_on, promised_on=day_on, moves=tuple(told))
    found_ = shares(served, view)
    late, moved = (sum(one.days for one in found_ if one.moved is flag) for flag in (False, True))
    assert late == max(0, CAL.days_between(day_on, came_on))
    if sum(moves) >= 0:
        assert late + moved == max(0, came)
    else:  # what was promised earlier than at first is measured by that alone
        assert moved == 0


def test_a_line_in_time_by_its_last_promise_lost_the_days_that_moved_it():
    first = CAL.add_days(TODAY, -12)
    moves = (
        Moved(first, CAL.add_days(first, 5), "customer"),
        Moved(CAL.add_days(first, 5), CAL.add_days(first, 3), "earlier"),
    )
    promised_on = CAL.add_days(first, 3)
    served, view = delivery(came_on=CAL.add_days(first, 2), promised_on=promised_on, moves=moves)
    assert shares(served, view) == [Share("customer", "", 2, moved=True)]
    early, view = delivery(came_on=first, promised_on=promised_on, moves=moves)
    assert shares(early, view) == []


def test_a_hold_that_is_over_keeps_the_days_that_it_took():
    served, view = delivery(came_on=CAL.add_days(TODAY, -9))
    assert found(shares(served, view)) == {"shipping": 10}
    before = [Share("hold", "", 7)]
    assert found(shares(served, view, before=before)) == {"hold": 7, "shipping": 3}
    assert found(shares(served, view, before=[Share("hold", "", 70)])) == {"hold": 10}


def test_a_part_that_was_missing_before_work_began_keeps_its_days():
    end = CAL.add_days(TODAY, -20)
    came_on = CAL.add_days(end, 7)
    served, view = delivery(came_on=came_on, made_on=CAL.add_days(end, 6), end_on=end)
    before = [Share("stock", "SEAL-9", 4)]
    assert shares(served, view, before=before) == [
        Share("stock", "SEAL-9", 4),
        Share("production", "WO-2", 2),
    ]


def test_ready_pieces_of_an_order_that_ships_complete_wait_for_the_others():
    end = CAL.add_days(TODAY, -20)
    came_on = CAL.add_days(end, 7)
    slow = delivery(came_on=came_on, made_on=CAL.add_days(end, 5), end_on=end, line_no=30)
    quick = delivery(came_on=came_on, end_on=end)
    other = last_others({1: quick, 2: slow}, complete=True)
    assert shares(*quick, last_other=other[1]) == [
        Share("production", "WO-2", 5, line=30),
        Share("shipping", "", 1),
    ]
    assert shares(*slow, last_other=other[2]) == [
        Share("production", "WO-2", 5),
        Share("shipping", "", 1),
    ]
    assert last_others({2: slow}, complete=True) == {}
    alone = delivery(came_on=CAL.add_days(end, 3), end_on=end)  # it left without the other
    assert found(shares(*alone, last_other=slow)) == {"shipping": 2}


def test_lines_of_one_mark_wait_for_each_other_and_for_nobody_else():
    end = CAL.add_days(TODAY, -20)
    terms = {"came_on": CAL.add_days(end, 7), "end_on": end}
    slow = delivery(**terms, made_on=CAL.add_days(end, 5), line_no=30, leaves_with="A")
    quick, alone = delivery(**terms, leaves_with="A"), delivery(**terms)
    lines = {1: quick, 2: slow, 3: alone, 4: delivery(**terms, leaves_with="B")}
    found = last_others(lines, complete=False)
    assert (found[1], found[2], set(found)) == (slow, quick, {1, 2})


# ----------------------------------------------------------------------------------- ERP data
@given(supplier=days, booked=days, production=days, began_before=st.booleans())
def test_days_on_which_the_erp_showed_open_what_was_there_are_its_own(
    supplier, booked, production, began_before
):
    """Blanks come, are booked later, and the work order begins after that, or has begun before."""
    need = CAL.add_days(TODAY, -70)
    came = CAL.add_days(need, supplier)
    shown = CAL.add_days(came, booked) if booked else None
    plan_end = CAL.add_days(need, 6)
    end = CAL.add_days(plan_end, supplier + booked + production)
    began = came if began_before else CAL.add_days(shown or came, 1)
    blanks = buy(first_on=need, requested_on=need, due_on=need, received=Decimal(60),
                 received_on=came, shown_open_on=shown)  # fmt: skip
    top = make(status="done", first_end_on=plan_end, end_on=end, ended_on=end, started_on=began)
    left = CAL.add_days(end, 1)
    served = line(promised_on=CAL.add_days(plan_end, 1), incoterm="EXW", transit_days=0,
                  shipped=Decimal(60), shipped_on=left, came_on=left)  # fmt: skip
    view = outlook(served, Supplies({served.ref: [top]}, {"WO-2": [blanks]}), TODAY)
    planted = {"supplier": supplier, "erp": booked, "production": production}
    if began_before:  # it did not wait for that: where the days went, the work order knows
        planted |= {"erp": 0, "production": booked + production}
    assert found(shares(served, view)) == {kind: n for kind, n in planted.items() if n}


def test_finished_pieces_that_the_erp_showed_unfinished_could_not_be_shipped():
    end = CAL.add_days(TODAY, -20)
    top = make(status="done", first_end_on=end, end_on=end, ended_on=end,
               shown_open_on=CAL.add_days(end, 4))  # fmt: skip
    left = CAL.add_days(end, 6)
    served = line(promised_on=CAL.add_days(end, 1), incoterm="EXW", transit_days=0,
                  shipped=Decimal(60), shipped_on=left, came_on=left)  # fmt: skip
    view = outlook(served, Supplies({served.ref: [top]}), TODAY)
    assert shares(served, view) == [Share("erp", "WO-2", 4), Share("shipping", "", 1)]


@given(missing=st.integers(1, 60), extra=st.integers(1, 15))
def test_pieces_of_a_closed_work_order_that_are_booked_nowhere_are_the_erps(missing, extra):
    end = CAL.add_days(TODAY, 5)
    closed = make(status="closed", first_end_on=end, end_on=end, ended_on=TODAY,
                  completed=Decimal(60 - missing))  # fmt: skip
    anew = CAL.add_days(end, extra)
    served = line(promised_on=CAL.add_days(end, 1), incoterm="EXW", transit_days=0,
                  plan=Planned(anew, late=True))  # fmt: skip
    view = outlook(served, Supplies({served.ref: [closed]}), TODAY)
    assert shares(served, view) == [Share("erp", "WO-2", extra)]
    why = explain(served, view, TODAY)
    assert why.kind == "data"
    assert f"WO-2 was closed with {missing} missing" in str(why.cause)
