"""``crm erp profile new``: what it proposes, and that it never covers up a gap."""

from __future__ import annotations

import shutil
import tomllib

import pytest

from b2bcrm.ports.erp import Act, Entity
from connectors.erp.drafting.words import likeness
from connectors.erp.profile import load
from connectors.erp.wsdls import WSDL_DIR
from tests.cli.erp.kontor_erp import FOLDER


@pytest.fixture
def kontor(tmp_path):
    for file in FOLDER.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / "kontor.wsdl"


def test_a_contract_like_ours_is_mapped_as_a_whole(crm, tmp_path):
    for file in (WSDL_DIR / "twin-1").iterdir():
        shutil.copy(file, tmp_path)
    out = tmp_path / "formosa.toml"
    done = crm("erp", "profile", "new", "--wsdl", tmp_path / "erp.wsdl", "--out", out)
    assert done.exit_code == 0, done.output
    made = load(str(out))
    assert [e for e in Entity if Act.LIST in made.capabilities[e].acts] == list(Entity)
    lines = tomllib.loads(out.read_text())["read"]["sales_order"]["fields"]["lines"]["fields"]
    assert (lines["qty"], lines["promised_on"]) == ("Qty", "PromisedOn")


def test_other_names_and_types_are_recognised(crm, kontor, tmp_path):
    out = tmp_path / "k.toml"
    crm("erp", "profile", "new", "--wsdl", kontor, "--out", out)
    fields = tomllib.loads(out.read_text())["read"]["sales_order"]["fields"]
    assert fields["erp_id"] == "OrderNo"
    assert fields["customer_po"] == "CustomerOrderNo"
    assert fields["reference"] == "ExternalReference"
    assert fields["status"] == "Status|map:salesorder_status"
    assert fields["lines"]["rows"] == "Positions/Position"
    assert fields["lines"]["fields"]["item"] == "MaterialNo"


def test_a_gap_switches_its_entity_off_and_says_which_it_is(crm, kontor, tmp_path):
    out = tmp_path / "k.toml"
    crm("erp", "profile", "new", "--wsdl", kontor, "--out", out)
    data = tomllib.loads(out.read_text())
    assert set(data["read"]) == {"sales_order"}
    assert data["off"]["customer"] == "not mapped: overdue_amount"
    assert "lot_size" in data["off"]["item"]
    assert "# overdue_amount" not in out.read_text()
    assert "CreateOrder" in data["off"]["sales_order"]["create"]


def test_a_code_that_nobody_has_mapped_is_held_back(crm, kontor, tmp_path):
    out = tmp_path / "k.toml"
    crm("erp", "profile", "new", "--wsdl", kontor, "--out", out)
    assert tomllib.loads(out.read_text())["maps"]["salesorder_status"] == {"*": "!drift"}


def test_without_out_the_proposal_is_shown(crm, kontor):
    done = crm("erp", "profile", "new", "--wsdl", kontor, "--zone", "Europe/Berlin")
    assert tomllib.loads(done.output)["formats"]["tz"] == "Europe/Berlin"


def test_a_written_profile_is_not_written_over(crm, kontor, tmp_path):
    out = tmp_path / "k.toml"
    out.write_text("mine")
    done = crm("erp", "profile", "new", "--wsdl", kontor, "--out", out)
    assert done.exit_code == 1
    assert "it is not written over" in done.output
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--wsdl", "no.wsdl"], "There is no file no.wsdl."),
        (["--wsdl", "site:nothing.wsdl"], "is not stored here"),
        (["--wsdl", "x", "--out", "x.txt"], "a profile's file ends with .toml"),
        ([], "Missing option '--wsdl'"),
    ],
)
def test_wrong_input_gets_one_sentence(crm, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = crm("erp", "profile", "new", *words)
    assert done.exit_code != 0
    assert said in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("qty", "數量"),
        ("item", "oeb04"),
        ("customer", "Sell_to_Customer_No"),
        ("name", "CustomerName"),
        ("currency", "waers"),
        ("shipped_qty", "Quantity_Shipped"),
    ],
)
def test_names_of_other_systems_are_known(ours, theirs):
    assert likeness(ours, theirs, ("customer",)) > 0.9


@pytest.mark.parametrize(("ours", "theirs"), [("qty", "Key"), ("name", "Number"), ("item", "Site")])
def test_names_that_are_alike_by_chance_are_no_proposal(ours, theirs):
    assert likeness(ours, theirs) < 0.86
