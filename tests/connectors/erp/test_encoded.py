"""Encoded messages: types that are said, arrays whose rows have types, sessions that end."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import shutil
import tomllib
from concurrent.futures import ThreadPoolExecutor

import pytest
from lxml import etree

from b2bcrm.ports.erp import Entity, ErpAuth, ErpUnavailable
from connectors.erp import wsdls
from connectors.erp.gateway import connect
from connectors.erp.misfit import ProfileError
from connectors.erp.plugins import plugin_of
from connectors.erp.profile import PROFILE_DIR, compile_profile, load
from connectors.erp.twin.faces import FaceApp
from connectors.erp.twin.faces.eas import BUNDLE
from connectors.erp.twin.faces.encoded import Encoded, with_references
from connectors.erp.twin.world import TwinWorld
from tests.faces import TODAY, FaceTwin


@pytest.fixture(scope="module")
def made_world(tmp_path_factory):
    path = tmp_path_factory.mktemp("encoded") / "small.sqlite"
    TwinWorld.generate(path, size="small", seed=7, today=TODAY)
    return path


@pytest.fixture
def eas(made_world, tmp_path):
    twin = FaceTwin(shutil.copy(made_world, tmp_path / "own.sqlite"), "kingdee-eas")
    yield twin
    twin.world.close()


def changed(**tables):
    data = tomllib.loads((PROFILE_DIR / "kingdee-eas.toml").read_text(encoding="utf-8"))
    return copy.deepcopy(data) | tables


# --------------------------------------------------------------------------------------- sessions


def test_one_login_serves_many_calls_and_many_threads(eas):
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: eas.gateway.list(Entity.ITEM, page_size=5), range(8)))
    assert {len(page.records) for page in pages} == {5}
    assert eas.app.face.logins == 1


def test_a_session_that_has_ended_is_opened_anew_and_the_order_is_entered_once(eas):
    eas.gateway.check()
    eas.at += dt.timedelta(minutes=31)
    eas.gateway.create(eas.draft())
    assert eas.app.face.logins == 2
    assert eas.count("SO-26-90001/0") == 1


def test_a_restarted_server_knows_no_session_and_is_logged_in_to_again(eas):
    first = eas.gateway.list(Entity.ITEM, page_size=5)
    eas.app.face.sessions.clear()
    assert eas.gateway.list(Entity.ITEM, page_size=5).records == first.records
    assert eas.app.face.logins == 2


def test_a_login_without_a_session_is_refused_and_nothing_is_asked(made_world, tmp_path):
    path = shutil.copy(made_world, tmp_path / "other.sqlite")
    twin = FaceTwin(path, "kingdee-eas", company="NO-SUCH-CENTRE")
    with pytest.raises(ErpAuth):
        twin.gateway.list(Entity.ITEM)
    assert not twin.app.face.sessions
    twin.world.close()


def test_an_unreachable_login_leaves_an_order_unsent(eas):
    eas.app.lose.add("login")
    with pytest.raises(ErpUnavailable):
        eas.gateway.create(eas.draft())
    assert eas.count("SO-26-90001/0") == 0


def test_a_profile_without_a_login_cannot_have_sessions():
    profile = compile_profile(changed(calls={}))
    with pytest.raises(ProfileError, match=r"calls\.login is missing"):
        plugin_of(profile)


# ------------------------------------------------------------------------------------------ types


def test_a_request_without_types_is_refused_as_axis_would(eas, tmp_path):
    text = (PROFILE_DIR / "kingdee-eas.toml").read_text(encoding="utf-8")
    (tmp_path / "untyped.toml").write_text(text.replace("say_types = true", ""), encoding="utf-8")
    connection = dataclasses.replace(eas.connection, profile=str(tmp_path / "untyped.toml"))
    with pytest.raises(ErpUnavailable, match="is untyped, not string"):
        connect(connection, session=eas.session).list(Entity.ITEM)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (["draft", "set", 10, 0, "entries/item[]/sequence"], "no element sequence"),
        (["draft", "set", 12, 0, "entries/entry[]/unit"], r"rows of an array are item\[\] here"),
        (["draft", "set", 0, 0, "entries/item/seq"], r"rows of an array are item\[\] here"),
        (
            ["read", "sales_order", "fields", "lines", "fields", "qty", "quantity|decimal"],
            "no element quantity",
        ),
    ],
)
def test_the_rows_of_an_encoded_array_are_held_against_their_type(path, words):
    data = changed()
    *way, key, value = path
    place = data
    for step in way:
        place = place[step]
    place[key] = value
    with pytest.raises(ProfileError, match=words):
        compile_profile(data)


def test_a_day_is_the_day_of_its_instant_in_the_servers_zone(eas):
    made = eas.gateway.create(eas.draft())
    order = eas.gateway.get(Entity.SALES_ORDER, made.erp_id)
    assert order.ordered_on == eas.draft().ordered_on
    assert order.lines[0].promised_on == eas.draft().lines[0].promised_on
    assert load("kingdee-eas").formats.zone.key == "Asia/Shanghai"


def test_the_face_spreads_an_answer_as_axis_does():
    answer = Encoded(BUNDLE / "WSCrmFacade.wsdl").answer(
        "importSaleOrder", {"success": "true", "number": "1", "entrySeq": "2"}
    )
    whole = etree.tostring(answer)
    root, *parts = with_references(answer)
    assert [part.get("id") for part in parts] == ["id0", "id1"]
    assert root[0].get("href") == "#id0"
    assert not len(root[0])
    assert etree.tostring(root) != whole


def test_what_zeep_makes_of_an_answer_with_references_is_what_we_read(eas, monkeypatch):
    whole = []
    call_of = FaceApp.__call__

    def keep(app, environ, start):
        whole.append(b"".join(call_of(app, environ, start)))
        return whole[-1:]

    monkeypatch.setattr(FaceApp, "__call__", keep)
    ours = eas.gateway.list(Entity.SALES_ORDER, page_size=20).records
    profile = eas.gateway.profile
    wsdl = wsdls.document(profile.wsdls["facade"])
    operation = wsdl.bindings[profile.services["facade"].binding].get("getSaleOrders")
    theirs = operation.output.deserialize(etree.fromstring(whole[-1]))
    assert len(ours) == len(theirs) == 20
    for mine, row in zip(ours, theirs, strict=True):
        assert (mine.erp_id, mine.customer, mine.customer_po) == (
            row["number"],
            row["orderCustomer"],
            row["customerPO"],
        )
        assert mine.updated_at == row["lastUpdateTime"]
        assert mine.ordered_on == row["bizDate"].astimezone(profile.formats.zone).date()
        assert [(x.line_no, x.item, x.qty, x.unit_price) for x in mine.lines] == [
            (x["seq"], x["material"], x["qty"], x["price"]) for x in row["entries"]
        ]
