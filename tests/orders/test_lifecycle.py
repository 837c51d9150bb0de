"""The table of an order's life, walked: every state reachable, every final one final."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from b2bcrm.kernel.errors import IllegalAct
from b2bcrm.orders.lifecycle import (
    FINAL,
    ON_HOLD,
    TRANSITIONS,
    Act,
    LineFacts,
    OrderState,
    Stage,
    Status,
    acts,
    after,
    stage,
    status,
)

TODAY = dt.date(2026, 11, 17)
LINE = LineFacts(
    state=OrderState.CONFIRMED,
    ordered_qty=Decimal(60),
    promised_on=dt.date(2026, 12, 15),
    projected_on=dt.date(2026, 12, 10),
    buffer_days=3,
)


def test_every_state_can_be_reached_from_draft():
    reached = {OrderState.DRAFT}
    for _ in OrderState:
        reached |= {to for start, _act, to, _who in TRANSITIONS if start in reached}
    assert reached == set(OrderState)


def test_nobody_leaves_a_final_state_but_the_system_reopens_what_the_erp_took_back():
    for state in FINAL:
        assert not acts(state, "sales") | acts(state, "customer")
        for act in set(Act) - {Act.REOPEN}:
            with pytest.raises(IllegalAct):
                after(state, act)
    assert acts(OrderState.CLOSED, "system") == {Act.REOPEN}
    assert not acts(OrderState.CANCELLED, "system")


@pytest.mark.parametrize(("start", "act", "to", "who"), TRANSITIONS)
def test_each_row_of_the_table_is_what_after_answers(start, act, to, who):
    assert after(start, act) is to
    assert all(act in acts(start, one) for one in who)


def test_an_act_without_a_row_is_refused_with_the_state_in_words():
    with pytest.raises(IllegalAct, match="An order that is draft"):
        after(OrderState.DRAFT, Act.CONFIRM)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"state": OrderState.SUBMITTED}, Stage.ORDER),
        ({}, Stage.MATERIAL),
        ({"material_share": Decimal(1)}, Stage.PRODUCTION),
        ({"produced_qty": Decimal(1)}, Stage.PRODUCTION),
        ({"produced_qty": Decimal(60)}, Stage.SHIPPING),
        ({"shipped_qty": Decimal(1)}, Stage.SHIPPING),
        ({"shipped_qty": Decimal(60), "delivered_qty": Decimal("59.9999")}, Stage.SHIPPING),
        ({"shipped_qty": Decimal(60), "delivered_qty": Decimal(60)}, Stage.DELIVERED),
    ],
)
def test_the_stage_follows_from_exact_quantities(facts, expected):
    assert stage(replace(LINE, **facts)) is expected


@pytest.mark.parametrize(
    ("facts", "expected", "words"),
    [
        ({}, Status.OK, "On track"),
        ({"delivered_qty": Decimal(60)}, Status.DONE, "Done"),
        ({"state": OrderState.CANCELLED}, Status.DONE, "Done"),
        ({"promised_on": None}, Status.RISK, "No promise yet"),
        (
            {"projected_on": dt.date(2026, 12, 18), "buffer_days": -3},
            Status.LATE,
            "Late 3 wd",
        ),
        (
            {"promised_on": dt.date(2026, 11, 16), "projected_on": None},
            Status.LATE,
            "Past its date",
        ),
        ({"buffer_days": 1}, Status.RISK, "Buffer 1 wd"),
        ({"buffer_days": 0}, Status.RISK, "No buffer"),
        ({"buffer_days": 2}, Status.OK, "On track"),
        ({"waits": ON_HOLD}, Status.RISK, "On hold"),
    ],
)
def test_the_status_has_one_rule_and_its_reason(facts, expected, words):
    found, reason = status(replace(LINE, **facts), TODAY)
    assert found is expected
    assert str(reason) == words


def diagram():
    """The table as a Mermaid state diagram."""
    rows = [f"    {start} --> {to}: {act}" for start, act, to, _who in TRANSITIONS if start != to]
    ends = [f"    {state} --> [*]" for state in sorted(FINAL)]
    return "\n".join(["stateDiagram-v2", "    [*] --> draft", *rows, *ends])


@pytest.mark.parametrize("name", ["README.md", "docs/architecture.md"])
def test_the_picture_in_the_documentation_is_made_from_this_table(name):
    path = Path(__file__).parents[2] / name
    text = path.read_text()
    before, rest = text.split("<!-- lifecycle -->\n")
    _old, after_ = rest.split("<!-- /lifecycle -->")
    wanted = (
        f"{before}<!-- lifecycle -->\n```mermaid\n{diagram()}\n```\n<!-- /lifecycle -->{after_}"
    )
    if os.environ.get("ACCEPT") == "1":
        path.write_text(wanted)
    assert path.read_text() == wanted, "run ACCEPT=1 ./crm test tests/orders/test_lifecycle.py"
