"""A profile that does not fit its WSDL or our port stops at load, with the place in the text."""

from __future__ import annotations

import copy
import shutil
import tomllib

import pytest

from b2bcrm.ports.erp import Connection, Entity, ErpConfig
from connectors.erp import wsdls
from connectors.erp.gateway import connect
from connectors.erp.profile import PROFILE_DIR, ProfileError, compile_profile, load

TOML = tomllib.loads((PROFILE_DIR / "twin.toml").read_text(encoding="utf-8"))


def change(path, value):
    data = copy.deepcopy(TOML)
    node = data
    *steps, last = path.split(".")
    for step in steps:
        node = node.setdefault(step, {})
    if value is None:
        del node[last]
    else:
        node[last] = value
    return data


WRONG = [
    ("read.customer.list", "ListClients", "read.customer.list.*ListClients; did you mean"),
    ("read.customer.rows", "Client", "no element Client"),
    ("read.customer.fields.name", "Nmae", "read.customer.fields.name: .*Nmae; did you mean Name"),
    ("read.customer.fields.name", None, "read.customer.fields: not mapped: name"),
    ("read.customer.fields.colour", "Name", "Customer has no field colour"),
    ("read.customer.fields.name", "Name|upper", "no transform 'upper'"),
    ("read.customer.fields.name", "Addresses", "holds elements"),
    ("read.customer.fields.name", "ShortName", "mapped twice"),
    ("read.customer.fields.credit_limit", "CreditLimit|text", "must be decimal"),
    ("read.customer.fields.credit_limit", "|const:much", "not a decimal"),
    ("read.customer.fields.language", "Language|map:tongue", "no .maps.tongue.*did you mean"),
    ("read.customer.fields.name", {"concat": ["Name", "Nmae"]}, "no element Nmae"),
    ("read.customer.fields.name", {"same": "credit_limit"}, "no text field credit_limit"),
    ("read.customer.fields.name", {"join": ["Name"]}, "one of rows, entries"),
    ("read.sales_order.fields.lines.fields.qty", "Quantity", "lines.fields.qty.*Quantity"),
    ("read.sales_order.fields.lines.where", "Kind=Item", "no element Kind"),
    ("read.sales_order.lists", "X", "read.sales_order.lists is not known.*list"),
    ("read.client", {}, "read.client is no entity"),
    ("page.send", "Bookmark", "no element Bookmark"),
    ("page.next", "PageInfo/Nxt", "page.next.*NextCursor"),
    ("page.style", "pages", "page.style cannot be 'pages'; did you mean page"),
    ("delta.overlap", "two days", "delta.overlap must be a span"),
    ("write.create.operation", "MakeSalesOrder", "write.create.operation.*MakeSalesOrder"),
    ("write.create.draft", "Drft", "no element Drft"),
    ("draft.set", [["Customer", "client"]], "draft.set.0.: there is no value 'client'; there are"),
    ("draft.set", [["Customer", "customer"]], "must be sent and is not mapped"),
    ("draft.set", [["Reference", "lines[].item"]], "takes one value"),
    ("draft.set", [["Reference", "${conn.password}"]], "not known"),
    ("draft.set", [["Reference"]], "must be .target, source."),
    ("errors.rules", [{"class": "maybe"}], "errors.rules.0..class cannot be 'maybe'"),
    ("errors.rules", [{"class": "ok", "path": "PageInfo/State"}], "errors.rules.0.*State"),
    ("errors.rules", [{"class": "ok", "path": "PageInfo", "where": "A=1"}], "errors.rules.0.*each"),
    ("errors.issues.each", "Objection", "Objection"),
    ("maps.station", {"prep": "prep"}, 'maps.station has no "."'),
    ("write.validate", None, "off.sales_order.validate is missing"),
    ("off.bom", "no need", "off.bom is switched off, but has calls"),
    ("off.stock", {"lst": "no need"}, "off.stock.lst is not known"),
    ("formats.tz", "Asia/Tapei", "formats.tz"),
    ("transport.binding", "{urn:x}Y", "urn:x"),
    ("transport.wsdl", "bundle:twin-2/erp.wsdl", "transport.wsdl"),
    ("transport.wsdl", "http://erp.test/erp.wsdl", "write bundle:, site: or file:"),
    ("transport.wsdl", "bundle:../profile/model.py", "does not exist"),
    ("profile.contract_checks", None, "profile.contract_checks is missing"),
    ("profile.plugin_", "x", "profile.plugin_ is not known"),
    ("ping", None, "ping is missing"),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_a_wrong_profile_is_named_at_its_place(path, value, said):
    with pytest.raises(ProfileError, match=said):
        compile_profile(change(path, value))


def test_a_wrong_profile_is_a_matter_of_configuration_with_file_and_line(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[profile]\nid = 'x'\nid = 'y'\n")
    with pytest.raises(ErpConfig, match=r"mine\.toml.*line 3"):
        load(str(path))
    path.write_text("[profile]\nid = 'x'\n")
    with pytest.raises(ErpConfig, match=r"mine\.toml: formats\.tz is missing"):
        load(str(path))


def test_a_wsdl_that_only_the_site_has_says_how_to_add_it(tmp_path):
    data = change("transport.wsdl", "site:formosa/erp.wsdl")
    with pytest.raises(ErpConfig, match="crm erp wsdl add"):
        compile_profile(data)
    shutil.copytree(wsdls.WSDL_DIR / "twin-1", tmp_path / "formosa")
    assert compile_profile(data, site=str(tmp_path)).id == "twin"


def test_a_profile_may_lie_outside_of_the_package_with_its_wsdl_and_plugin(tmp_path):
    shutil.copytree(wsdls.WSDL_DIR / "twin-1", tmp_path / "wsdl")
    text = (PROFILE_DIR / "twin.toml").read_text(encoding="utf-8")
    text = text.replace("bundle:twin-1/erp.wsdl", "file:wsdl/erp.wsdl")
    text = text.replace('id = "twin"', 'id = "ours"\nplugin = "ours.py"')
    path = tmp_path / "ours.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ErpConfig, match=r"no ours\.py beside the profile"):
        connect(Connection("main", str(path), "http://erp.test", "X", "u", "s"))
    (tmp_path / "ours.py").write_text(
        "from connectors.erp.plugins import Plugin as Base\n"
        "class Plugin(Base):\n"
        "    def get(self, channel, entity, erp_id):\n"
        "        return (entity, erp_id)\n"
    )
    gateway = connect(Connection("main", str(path), "http://erp.test", "X", "u", "s"))
    assert gateway.describe().profile == "ours"
    assert gateway.get(Entity.ITEM, "7") == (Entity.ITEM, "7")


@pytest.mark.parametrize("name", ["../twin", "nobody", ""])
def test_an_unknown_profile_is_an_error(name):
    with pytest.raises(ProfileError):
        load(name)


def test_one_wsdl_is_parsed_once_per_process():
    path = wsdls.WSDL_DIR / "twin-1" / "erp.wsdl"
    assert wsdls.document(path) is wsdls.document(path)


def test_nothing_outside_the_bundle_is_loaded():
    from connectors.erp.transport import BundleTransport

    bundle = BundleTransport(wsdls.WSDL_DIR / "twin-1")
    for url in ("http://erp.invalid/erp.xsd", "file:///etc/passwd", "/etc/passwd"):
        with pytest.raises(PermissionError):
            bundle.load(url)


def test_a_connections_own_codes_widen_the_maps_of_its_profile_and_need_their_own_certificate():
    plain, wide = load("twin"), load("twin", params={"map.station.paint": "packing", "plant": "X"})
    assert wide.formats.maps["station"] == {**plain.formats.maps["station"], "paint": "packing"}
    assert "paint" not in load("twin").formats.maps["station"]
    assert wide.digest != plain.digest
    assert load("twin", params={"plant": "X"}).digest == plain.digest
