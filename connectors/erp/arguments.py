"""A call's values as zeep's arguments: the document inside its string, gaps where zeep insists.

Imports zeep; ``channel`` imports this when a call is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree
from zeep import xsd

from connectors.erp import wsdls
from connectors.erp.paths import Path
from connectors.erp.profile.model import Call, Payload, Profile
from connectors.erp.requesting import Branch, build
from connectors.erp.shapes import array_row


def arguments(profile: Profile, call: Call, values: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments for zeep. Raises ErpRefused where a value cannot be said."""
    payload = call.payload
    if payload is None:
        tree = build(call.settings, values)
    elif payload.argument is None:
        tree = build((*call.around, *call.settings), values)
    else:
        text = document(build(call.settings, values), payload)
        tree = build(call.around, values)
        _put(tree, payload.argument, text)
    found = tree.arguments()
    words: dict[str, Any] = found if isinstance(found, dict) else {}
    service = profile.services[call.service]
    binding: Any = wsdls.document(profile.wsdls[call.service]).bindings.get(service.binding)
    wire = binding.get(call.operation).input.body.type
    _shorten(words, wire)
    if service.skip_missing:
        _fill(words, wire)
    return words


def document(tree: Branch, payload: Payload) -> str:
    """The document that goes into the string."""
    if payload.style == "json":
        return tree.json()
    text: str = etree.tostring(tree.element(payload.root), encoding="unicode")
    head = '<?xml version="1.0" encoding="utf-8"?>\n' if payload.declaration else ""
    return head + text


def _put(tree: Branch, path: Path, text: str) -> None:
    node = tree
    for step in path.steps:
        node = node.step(step, 0)
    node.text = text


def _shorten(words: Any, wire: Any) -> None:
    """The rows of an encoded array without the name that the profile gives them: zeep has none."""
    if not isinstance(words, dict):
        return
    for name, element in getattr(wire, "elements", ()):
        if name not in words:
            continue
        row = array_row(element.type)
        if row is not None and isinstance(words[name], dict):
            (rows,) = words[name].values()
            words[name] = rows if isinstance(rows, list) else [rows]
            words[name] = words[name] or xsd.SkipValue  # zeep takes no empty array
        for one in words[name] if isinstance(words[name], list) else [words[name]]:
            _shorten(one, row or element.type)


def _fill(words: Any, wire: Any) -> None:
    """Mark what is not sent, where the WSDL calls everything required but its ERP does not."""
    if not isinstance(words, dict):
        return
    for name, element in getattr(wire, "elements", ()):
        if name not in words:
            if element.min_occurs:
                words[name] = xsd.SkipValue
            continue
        for one in words[name] if isinstance(words[name], list) else [words[name]]:
            _fill(one, array_row(element.type) or element.type)
