"""What each act on a case does, to its state, its clocks, its history and its deliveries."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from b2bcrm.kernel.actor import SYSTEM, Role
from b2bcrm.kernel.errors import (
    CrmError,
    IllegalAct,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    StaleVersion,
)
from b2bcrm.kernel.organization import CalendarRow
from b2bcrm.kernel.timeline import TimelineEntry, history
from b2bcrm.service import actions, clocks, queries
from b2bcrm.service.lifecycle import CaseCause, CaseKind, CaseState
from tests.conftest import NOW
from tests.factories import buyer, make_account, make_line, make_order, staff
from tests.service.conftest import SERVICE

pytestmark = pytest.mark.db
D = Decimal
H = dt.timedelta(hours=1)


def opened(work, line, **facts):
    values = {
        "kind": CaseKind.COMPLAINT,
        "subject": "Noise",
        "text": "It is loud.",
        "affected_qty": D(1),
    }
    return actions.open_case(work, line.id, **{**values, **facts})


def said(work, case):
    rows = history(work.session, subject=("case", case.id), limit=50)
    return [row.name for row in reversed(rows)]


def solve(work, case, **facts):
    values = {"solution": "Align it.", "cause": CaseCause.INSTALLATION, "expected_version": None}
    return actions.solve(work, case.id, **{**values, **facts})


class TestOpenCase:
    def test_a_customer_opens_a_case_on_a_delivered_line(self, work, case, order, line):
        assert case.no == "CS-26-0001"
        assert (case.state, case.order_id, case.order_line_id) == ("open", order.id, line.id)
        page = queries.page(work, case.no)
        assert [(e.author, e.from_customer, e.text) for e in page.entries] == [
            ("Jonas Kessler", True, "Two of six get loud.")
        ]
        assert said(work, case) == ["case.opened"]

    def test_both_clocks_start_on_the_service_calendar(self, work, case):
        assert case.answer_due_at == NOW + 24 * H
        assert case.solve_due_at == NOW + 72 * H  # Tuesday to Friday, around the clock

    def test_a_case_of_friday_is_due_after_the_weekend(self, work, line, later):
        later(days=3)  # Friday
        case = opened(work, line)
        assert case.answer_due_at == work.now + 24 * H + dt.timedelta(days=2)

    def test_a_stored_service_calendar_comes_first(self, work, line):
        work.session.add(
            CalendarRow(
                code="SERVICE",
                zone="Asia/Taipei",
                weekdays=list(range(7)),
                holidays=["2026-11-18"],
                extra_days=[],
                hours=[["00:00", "00:00"]],
            )
        )
        case = opened(work, line)
        assert case.answer_due_at == NOW + 48 * H

    @pytest.mark.parametrize("qty", ["0", "-1", "1.5", "7", "1e400", "NaN"])
    def test_a_quantity_that_was_not_delivered_is_refused_at_its_field(self, work, line, qty):
        with pytest.raises(Invalid) as caught:
            opened(work, line, affected_qty=D(qty))
        assert list(caught.value.fields) == ["affected_qty"]

    def test_only_a_question_needs_no_quantity(self, work, line):
        assert opened(work, line, kind=CaseKind.QUESTION, affected_qty=None)
        with pytest.raises(Invalid, match="how many"):
            opened(work, line, affected_qty=None)

    def test_a_line_of_which_nothing_is_delivered_has_no_case(self, work, account):
        order = make_order(work, account, lines=[make_line(work)])
        with pytest.raises(Refused, match="Nothing of this line is delivered"):
            opened(work, order.lines[0])

    def test_a_foreign_line_is_not_found(self, work, line):
        work.actor = buyer(make_account(work))
        with pytest.raises(NotFound):
            opened(work, line)

    def test_a_contact_of_another_account_is_refused(self, work, line):
        other = make_account(work)
        with pytest.raises(Invalid) as caught:
            opened(work, line, contact_id=other.contacts[0].id)
        assert list(caught.value.fields) == ["contact_id"]

    def test_staff_need_the_right_to_serve(self, work, line):
        work.actor = staff(Role.PLANNER)
        with pytest.raises(NotAllowed):
            opened(work, line)

    def test_a_subject_is_one_line(self, work, line):
        assert opened(work, line, subject=" a\n b\t c ").subject == "a b c"
        with pytest.raises(Invalid):
            opened(work, line, subject=" \n ")


class TestConversation:
    def test_the_first_answer_ends_the_answer_clock_and_makes_an_owner(self, work, case, later):
        later(hours=3)
        actions.answer(work, case.id, "We look at it.", expected_version=case.version)
        assert case.answered_at == work.now
        later(hours=1)
        actions.answer(work, case.id, "Found.", expected_version=None)
        assert case.answered_at == work.now - H

    def test_asking_pauses_and_the_reply_resumes_the_solve_clock(
        self, work, case, later, as_customer
    ):
        due = case.solve_due_at
        later(hours=2)
        actions.ask_customer(work, case.id, "Which motor?", expected_version=None)
        assert (case.state, case.paused_at) == (CaseState.WAITING, work.now)
        later(hours=20)
        as_customer(actions.customer_writes, case.id, "1FK7.")
        assert (case.state, case.paused_at) == (CaseState.OPEN, None)
        assert case.solve_due_at == due + 20 * H + dt.timedelta(days=2)  # over the weekend now
        both = queries.page(work, case.no).clocks
        assert (both.solve.counted, both.solve.paused) == (2 * H, 20 * H)
        assert both.answer.counted == 2 * H

    def test_answering_while_waiting_does_not_start_the_clock(self, work, case, later):
        actions.ask_customer(work, case.id, "Which motor?", expected_version=None)
        later(hours=1)
        actions.answer(work, case.id, "Take your time.", expected_version=None)
        assert case.state is CaseState.WAITING
        assert case.paused_at == work.now - H

    def test_a_note_moves_no_clock_and_no_version(self, work, case):
        before = (case.version, case.state, case.answered_at)
        work.actor = staff(Role.ENGINEER)
        actions.note(work, case.id, "Same pattern as last year.")
        work.session.flush()
        assert (case.version, case.state, case.answered_at) == before

    def test_a_note_is_not_for_customers(self, work, case, as_customer):
        with pytest.raises(NotFound):
            as_customer(actions.note, case.id, "x")

    def test_the_text_of_a_note_is_in_no_event(self, work, case):
        actions.note(work, case.id, "CANARY-NOTE")
        work.session.flush()
        rows = work.session.execute(sa.text("SELECT payload FROM outbox")).scalars().all()
        shown = [
            str(h.sentence) + str(h.portal_sentence)
            for h in work.session.scalars(sa.select(TimelineEntry))
        ]
        assert "CANARY-NOTE" not in str(rows) + str(shown)

    def test_a_closed_case_takes_no_message(self, work, case, as_customer):
        solve(work, case)
        as_customer(actions.close, case.id, expected_version=None)
        with pytest.raises(IllegalAct, match="closed"):
            as_customer(actions.customer_writes, case.id, "One more thing")
        with pytest.raises(IllegalAct):
            actions.answer(work, case.id, "x", expected_version=None)

    def test_a_refused_text_changes_nothing(self, work, case):
        with pytest.raises(Invalid):
            actions.ask_customer(work, case.id, " \n", expected_version=None)
        assert (case.state, case.paused_at, case.answered_at) == (CaseState.OPEN, None, None)


class TestOwner:
    def test_somebody_takes_it_and_hands_it_over(self, work, office, case):
        from tests.clients import make_user

        me, colleague = make_user(office, Role.SERVICE), make_user(office, Role.QUALITY)
        work.actor = staff(Role.SERVICE, user_id=me.id, name=me.name)
        actions.take(work, case.id, expected_version=case.version)
        assert case.owner_id == me.id
        actions.hand_over(work, case.id, colleague.id, expected_version=case.version)
        assert case.owner_id == colleague.id
        assert said(work, case)[-2:] == ["case.taken", "case.taken"]

    def test_who_may_not_serve_cannot_become_the_owner(self, work, office, case):
        from tests.clients import make_user

        planner = make_user(office, Role.PLANNER)
        with pytest.raises(Invalid, match="cannot own"):
            actions.hand_over(work, case.id, planner.id, expected_version=None)


class TestOutcome:
    def test_solving_tells_the_customer_the_solution_and_not_the_cause(self, work, case):
        solve(work, case)
        entry = history(work.session, subject=("case", case.id))[0]
        assert str(entry.sentence) == f"Case {case.no} solved, cause: Installation or use"
        assert str(entry.portal_sentence) == f"Case {case.no} solved"
        assert queries.page(work, case.no).entries[-1].text == "Align it."
        assert case.answered_at == work.now  # a solution is an answer

    def test_a_case_solved_while_waiting_keeps_its_pause(self, work, case, later):
        actions.ask_customer(work, case.id, "Which motor?", expected_version=None)
        later(hours=4)
        solve(work, case)
        assert case.paused_at is None
        assert queries.page(work, case.no).clocks.solve.paused == 4 * H

    @pytest.mark.parametrize("how", ["reopen", "write"])
    def test_reopening_resumes_the_solve_clock_where_it_stood(
        self, work, case, later, as_customer, how
    ):
        later(hours=10)
        solve(work, case)
        later(hours=30)
        if how == "reopen":
            as_customer(actions.reopen, case.id, expected_version=case.version)
        else:
            as_customer(actions.customer_writes, case.id, "Still loud.")
        assert (case.state, case.solved_at) == (CaseState.OPEN, None)
        reading = queries.page(work, case.no).clocks.solve
        assert (reading.counted, reading.paused) == (10 * H, 30 * H)
        assert reading.due_at == case.solve_due_at

    def test_the_customer_confirms_and_the_case_is_closed(self, work, case, as_customer):
        solve(work, case)
        as_customer(actions.close, case.id, expected_version=case.version)
        assert (case.state, case.closed_at) == (CaseState.CLOSED, work.now)
        assert "confirmed" in str(history(work.session, subject=("case", case.id))[0].sentence)

    def test_the_customer_cannot_solve(self, work, case, as_customer):
        with pytest.raises(NotAllowed):
            as_customer(
                actions.solve,
                case.id,
                solution="x",
                cause=CaseCause.ADVICE,
                expected_version=None,
            )

    def test_an_open_case_cannot_be_closed(self, work, case):
        with pytest.raises(IllegalAct):
            actions.close(work, case.id, expected_version=None)


class TestTwoPeople:
    def test_the_second_one_is_told_who_changed_it_and_when(self, work, case):
        seen = case.version
        actions.answer(work, case.id, "First.", expected_version=seen)
        work.session.flush()
        for act in (
            lambda: actions.answer(work, case.id, "x", expected_version=seen),
            lambda: actions.take(work, case.id, expected_version=seen),
            lambda: solve(work, case, expected_version=seen),
        ):
            with pytest.raises(StaleVersion, match="Hsu Jia-Hao changed this at 09:40"):
                act()

    def test_a_customer_is_never_told_that_his_message_is_stale(self, work, case, as_customer):
        actions.answer(work, case.id, "First.", expected_version=None)
        work.session.flush()
        assert as_customer(actions.customer_writes, case.id, "Thanks")


class TestForeignAccount:
    def test_every_act_on_a_foreign_case_is_not_found(self, work, case):
        work.actor = buyer(make_account(work))
        for act in (
            lambda: actions.customer_writes(work, case.id, "x"),
            lambda: actions.close(work, case.id, expected_version=None),
            lambda: actions.reopen(work, case.id, expected_version=None),
            lambda: queries.page(work, case.no),
            lambda: queries.by_no(work, case.no),
        ):
            with pytest.raises(NotFound):
                act()
        assert queries.list_cases(work, show="all") == ([], 0)


class TestJobs:
    def test_a_solved_case_closes_after_five_working_days(self, work, case, later):
        solve(work, case)
        work.session.flush()
        later(days=6, hours=23)  # Tuesday to Monday, two days off between
        work.actor = SYSTEM
        assert actions.close_solved(work) == 0
        later(hours=1)
        assert actions.close_solved(work) == 1
        assert case.state is CaseState.CLOSED
        assert actions.close_solved(work) == 0

    def test_each_clock_warns_once_for_risk_and_once_when_over(self, work, case, later):
        work.actor = SYSTEM
        version = case.version
        work.session.flush()
        seen = []
        for _hour in range(80):
            later(hours=1)
            before = len(said(work, case))
            actions.check_clocks(work)
            work.session.flush()
            hours = (work.now - NOW) // H
            seen += [hours] * (len(said(work, case)) - before)
        assert seen == [19, 25, 55, 73]
        names = [n for n in said(work, case) if n == "case.clock_warned"]
        assert len(names) == 4
        assert work.session.scalar(sa.text('SELECT version FROM "case"')) == version

    def test_a_clock_that_jumped_over_the_warning_says_only_that_it_is_late(
        self, work, case, later
    ):
        work.actor = SYSTEM
        later(days=10)
        assert actions.check_clocks(work) == 2
        assert actions.check_clocks(work) == 0

    def test_a_case_that_waits_or_is_solved_warns_of_nothing(self, work, case, later):
        actions.ask_customer(work, case.id, "?", expected_version=None)
        work.session.flush()
        later(days=10)
        assert actions.check_clocks(work) == 0


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "ask", "write", "solve", "reopen", "close", "note"]),
        st.integers(0, 60),
    ),
    max_size=12,
)


@given(ACTS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_acts_keeps_the_laws(work, line, customer, sequence):
    """Time is conserved, due times follow from the pauses, closed cases stay closed."""
    work.now, work.actor = NOW, SERVICE
    case = opened(work, line)
    calendar = queries.service_calendar(work.session, line.order.site_id)
    for name, hours in sequence:
        work.now += hours * H
        act = {
            "answer": lambda: actions.answer(work, case.id, "a", expected_version=None),
            "ask": lambda: actions.ask_customer(work, case.id, "a", expected_version=None),
            "write": lambda: actions.customer_writes(work, case.id, "a"),
            "solve": lambda: solve(work, case),
            "reopen": lambda: actions.reopen(work, case.id, expected_version=None),
            "close": lambda: actions.close(work, case.id, expected_version=None),
            "note": lambda: actions.note(work, case.id, "a"),
        }[name]
        work.actor = customer if name == "write" else SERVICE
        was = case.state
        try:
            act()
        except CrmError:
            assert case.state is was
        if was is CaseState.CLOSED:
            assert case.state is CaseState.CLOSED
    work.actor = SERVICE
    work.session.flush()
    assert (case.paused_at is not None) == (case.state is CaseState.WAITING)
    assert (case.solved_at is not None) == (case.state in {CaseState.SOLVED, CaseState.CLOSED})
    both = queries.page(work, case.no).clocks
    for reading in (both.answer, both.solve):
        until = reading.met_at or work.now
        assert reading.counted + reading.paused + reading.closed == until - case.opened_at
    if case.state is CaseState.OPEN:
        due = clocks.due_at(calendar, case.opened_at, clocks.SOLVE_WITHIN, case.stretches())
        assert case.solve_due_at == due
