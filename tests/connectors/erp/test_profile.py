"""A profile that does not fit its WSDL or our port stops at load, with the place in the text."""

from __future__ import annotations

import copy
import tomllib

import pytest

from connectors.erp import client
from connectors.erp.profile import PROFILE_DIR, ProfileError, compile_profile, load

TOML = tomllib.loads((PROFILE_DIR / "twin.toml").read_text(encoding="utf-8"))


def change(path, value):
    data = copy.deepcopy(TOML)
    node = data
    *steps, last = path.split(".")
    for step in steps:
        node = node[step]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("read.customer.list", "ListClients", "ListClients"),
        ("read.customer.rows", "Client", "Client"),
        ("read.customer.fields.name", "Nmae", "Nmae"),
        ("read.customer.fields.name", None, "name"),
        ("read.customer.fields.colour", "Name", "colour"),
        ("read.customer.fields.name", "Name|upper", "upper"),
        ("read.customer.fields.name", "Addresses", "elements"),
        ("read.customer.fields.name", "ShortName", "twice"),
        ("read.customer.fields.credit_limit", "CreditLimit|text", "Decimal"),
        ("read.customer.fields.language", "Language|map:tongue", "tongue"),
        ("read.sales_order.fields.lines.fields.qty", "Quantity", "Quantity"),
        ("page.args.cursor", "Bookmark", "Bookmark"),
        ("write.create.operation", "MakeSalesOrder", "MakeSalesOrder"),
        ("draft.Customer", None, "Customer"),
        ("draft.Customer", "client", "client"),
        ("draft.Lines.fields.Item", None, "Item"),
        ("transport.binding", "{urn:x}Y", "urn:x"),
    ],
)
def test_a_wrong_profile_is_named_at_its_place(path, value, said):
    with pytest.raises(ProfileError, match=said):
        compile_profile(change(path, value))


@pytest.mark.parametrize("name", ["../twin", "nobody", ""])
def test_an_unknown_profile_is_an_error(name):
    with pytest.raises(ProfileError):
        load(name)


def test_one_wsdl_is_parsed_once_per_process():
    assert client.document("twin-1/erp.wsdl") is client.document("twin-1/erp.wsdl")


def test_nothing_outside_the_bundle_is_loaded():
    from connectors.erp.transport import BundleTransport

    bundle = BundleTransport(client.WSDL_DIR / "twin-1")
    for url in ("http://erp.invalid/erp.xsd", "file:///etc/passwd", "/etc/passwd"):
        with pytest.raises(PermissionError):
            bundle.load(url)
