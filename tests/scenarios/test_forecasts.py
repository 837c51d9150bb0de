"""Stories of demand that is only expected: orders use it up, and nobody waits for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.forecasting import netted
from b2bcrm.fulfillment.planning.engine.improving import guards, improve, lines_first, money
from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.engine.records import FORECAST, Forecast, Line, Supply
from b2bcrm.fulfillment.planning.engine.solving import solve
from tests.scenarios.plant import buy, facts, tell

MONTHS = [Forecast("pump", 100, 30 * n, 30 * n + 30, back=30, ahead=30) for n in range(3)]


def left(forecasts: list[Forecast], *lines: Line) -> dict[int, int]:
    """Net pieces by the day on which a span starts."""
    return {one.wish - 15: one.qty for one in netted(forecasts, lines)}


def order(qty: int, wish: int, part: str = "pump") -> Line:
    return Line(f"O{wish}", part, qty, wish)


def test_orders_use_up_the_forecast_of_their_own_month() -> None:
    assert left(MONTHS, order(40, 35), order(25, 50)) == {0: 100, 30: 35, 60: 100}


def test_what_goes_beyond_a_month_uses_up_the_one_before() -> None:
    assert left(MONTHS, order(130, 40)) == {0: 70, 60: 100}


def test_what_goes_beyond_that_too_uses_up_the_one_after() -> None:
    assert left(MONTHS, order(230, 40)) == {60: 70}


def test_more_orders_than_forecast_leave_none_and_never_less() -> None:
    assert left(MONTHS, order(900, 40)) == {}


def test_windows_bound_which_months_an_order_uses_up() -> None:
    narrow = [Forecast("pump", 100, 30 * n, 30 * n + 30, back=5) for n in range(3)]
    assert left(narrow, order(130, 34)) == {0: 70, 60: 100}
    assert left(narrow, order(130, 35)) == {0: 100, 60: 100}


def test_an_order_counts_on_the_day_it_leaves() -> None:
    line = Line("O", "pump", 10, wish=32, transit=4)
    assert left(MONTHS, line)[0] == 90


def test_orders_of_another_part_use_up_nothing() -> None:
    assert left(MONTHS, order(50, 40, part="valve")) == {0: 100, 30: 100, 60: 100}


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(-10, 120)), max_size=6),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_each_piece_of_an_order_uses_up_one_of_the_forecast_at_most(orders, back, ahead) -> None:
    spans = [Forecast("pump", 100, 30 * n, 30 * n + 30, back, ahead) for n in range(3)]
    lines = [Line(f"O{n}", "pump", qty, wish) for n, (qty, wish) in enumerate(orders)]
    net = sum(one.qty for one in netted(spans, lines))
    assert 300 - sum(qty for qty, _ in orders) <= net <= 300
    assert all(one.qty <= 100 for one in netted(spans, lines))


def test_what_is_expected_is_planned_after_every_order() -> None:
    told = facts(
        order(60, 80),
        sources=[buy("pump", None)],
        supplies=[Supply("pump", 100)],
        forecasts=[Forecast("pump", 100, 0, 30)],
    )
    story = tell(told)
    assert story.arrives("O80") == 80
    assert story.arrives("forecast pump 1") == -1


def test_a_question_does_not_wait_for_what_is_only_expected() -> None:
    told = facts(
        sources=[buy("pump", 20)],
        supplies=[Supply("pump", 100)],
        forecasts=[Forecast("pump", 100, 0, 10)],
    )
    story = tell(told)
    assert story.arrives("forecast pump 1") == 5
    assert story.book.unit_priority.tolist() == [FORECAST]
    assert story.ask(Line("Q", "pump", 70, wish=3))[0].full_on == 3


def test_a_better_plan_takes_nothing_from_an_order_for_what_is_only_expected() -> None:
    told = facts(
        order(10, 5),
        sources=[buy("pump", 25)],
        supplies=[Supply("pump", 10)],
        forecasts=[Forecast("pump", 8, 0, 4), Forecast("pump", 8, 4, 8)],
    )
    book, names, _ = build(told)
    plan = solve(book)
    for stakes in (lines_first(book), money(book)):
        better, _ = improve(
            book, plan, guards(book, plan, -1), stakes,
            fill=lambda n: n < 512, shorten=lambda n: n < 512,
        )  # fmt: skip
        assert check(book, plan_of(book, better)) == []
        assert better.unit_day[names.lines.index("O5")] == 5


def test_what_cannot_be_ordered_uses_up_no_forecast() -> None:
    told = facts(
        Line("O", "pump", -50, 10),
        Line("far", "pump", 5, 9_999),
        sources=[buy("pump", 1)],
        forecasts=[Forecast("pump", 10, 0, 30), Forecast("pump", 10, 0, 30)],
    )
    story = tell(told)
    assert story.names.lines == ["forecast pump 1", "forecast pump 2"]
    assert story.book.line_qty.tolist() == [10, 10]
