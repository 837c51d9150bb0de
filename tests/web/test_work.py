"""A request is one Work: committed below 400, undone otherwise, done once per form."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Response, redirect, request

from b2bcrm.kernel.database import Marker, make_engine
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Office
from b2bcrm.web import access
from b2bcrm.web.headers import csrf
from b2bcrm.web.work import NOBODY, After, acting, current_work, in_work
from tests.clients import make_app

pytestmark = pytest.mark.db


def _mark(work, key):
    work.session.add(Marker(key=key, value="x"))


@pytest.fixture
def page(app, monkeypatch):
    """Adds a route that anyone may open, without a CSRF token."""

    def add(name, view, **options):
        monkeypatch.setitem(access.ACCESS, name, access.ANYONE)
        app.add_url_rule(f"/{name}", name, csrf.exempt(view), methods=["GET", "POST"], **options)

    return add


@pytest.fixture
def marked(office):
    def keys():
        with office.open(read_only=True) as work:
            return set(work.session.scalars(sa.select(Marker.key)))

    return keys


def test_a_post_that_works_is_kept(page, client, marked):
    @in_work()
    def keep(work):
        _mark(work, "kept")
        return "ok"

    page("keep", keep)
    assert client.post("/keep").status_code == 200
    assert "kept" in marked()


@pytest.mark.parametrize("status", [400, 409, 422, 500])
def test_an_answer_of_400_and_above_undoes_everything(page, client, marked, status):
    @in_work()
    def undo(work):
        _mark(work, "undone")
        work.session.flush()  # the row must really have been written
        return "wrong", status

    page("undo", undo)
    assert client.post("/undo").status_code == status
    assert "undone" not in marked()


def test_an_error_undoes_everything_and_shows_its_sentence(page, client, marked):
    @in_work()
    def refuse(work):
        _mark(work, "refused")
        raise Refused(Message("The price is no longer valid."), code="expired")

    page("refuse", refuse)
    answer = client.post("/refuse")
    assert answer.status_code == 409
    assert b"The price is no longer valid." in answer.data
    assert "refused" not in marked()


def test_a_read_only_view_changes_nothing(page, client, marked):
    @in_work(read_only=True)
    def look(work):
        _mark(work, "looked")
        work.session.flush()  # the row must really have been written
        return "ok"

    page("look", look)
    client.get("/look")
    assert "looked" not in marked()


def test_slow_answers_are_made_when_no_work_is_open(page, client):
    seen = []

    def slow():
        seen.append(current_work())
        return Response("made")

    @in_work(read_only=True)
    def later(work):
        assert current_work() is work
        return After(slow)

    page("later", later)
    assert client.get("/later").data == b"made"
    assert seen == [None]


def test_the_same_form_sent_twice_is_done_once(page, client, office):
    done = []

    @in_work()
    def once(work):
        done.append(request.form["text"])
        return redirect(f"/made/{len(done)}", 303)

    page("once", once)
    first = client.post("/once", data={"request_key": "k1", "text": "a"})
    second = client.post("/once", data={"request_key": "k1", "text": "a"})
    assert first.location == second.location == "/made/1"
    assert done == ["a"]


def test_the_same_key_for_another_form_is_refused(page, client):
    @in_work()
    def once(work):
        return redirect("/made", 303)

    page("once", once)
    client.post("/once", data={"request_key": "k1", "text": "a"})
    assert client.post("/once", data={"request_key": "k1", "text": "b"}).status_code == 409


def test_a_form_that_failed_forgets_its_key(page, client):
    answers = [("wrong", 422), ("", 303)]

    @in_work()
    def again(work):
        body, status = answers.pop(0)
        return Response(body, status, {"Location": "/made"} if status == 303 else {})

    page("again", again)
    assert client.post("/again", data={"request_key": "k1"}).status_code == 422
    assert client.post("/again", data={"request_key": "k1"}).status_code == 303


def test_htmx_gets_the_first_answer_as_a_header(page, client):
    @in_work()
    def once(work):
        return redirect("/made", 303)

    page("once", once)
    client.post("/once", data={"request_key": "k1"})
    again = client.post("/once", data={"request_key": "k1"}, headers={"HX-Request": "true"})
    assert (again.status_code, again.headers["HX-Redirect"]) == (204, "/made")


def test_before_sign_in_nobody_acts_who_may_do_nothing(page, client):
    @in_work(read_only=True)
    def who(work):
        assert work.actor is acting()
        assert work.actor is NOBODY
        return str(work.actor.account_id)

    page("who", who)
    assert client.get("/who").data == b"None"
    assert NOBODY.is_portal


def test_the_same_form_sent_twice_at_the_same_moment_is_done_once(
    database_url, tmp_path, monkeypatch
):
    office = Office(make_engine(database_url))
    app = make_app(office, tmp_path)
    monkeypatch.setitem(access.ACCESS, "once", access.ANYONE)

    @in_work()
    def once(work):
        work.session.add(
            Company(code=uuid.uuid4().hex[:20], name="x", currency="TWD", erp_company="x")
        )
        time.sleep(0.2)
        return redirect("/made", 303)

    app.add_url_rule("/once", "once", csrf.exempt(once), methods=["POST"])

    def send(_n):
        return app.test_client().post("/once", data={"request_key": "k1"}).location

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(send, range(3))) == ["/made"] * 3
    with office.open(read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(Company)) == 1
    office.engine.dispose()
