"""SAP Business ByDesign's material query over the twin's world: selections in, hits and a log out.

It is held against the vendor's WSDL, which is not the project's: whoever makes the face says where
it lies. Hits come in the order of their object's id, a number that nobody shows.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from b2bcrm.ports.erp import Entity, Item
from connectors.erp.outgoing import outgoing
from connectors.erp.paths import local
from connectors.erp.twin.faces import Face, FaceFault, schema_of, validate
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.world import TwinWorld

NAMESPACE = "http://sap.com/xi/SAPGlobal20/Global"
Fields = dict[str, Any]
_CHUNK = 2000
_UNITS = {"PCS": "EA", "KG": "KGM"}
_PROCUREMENT = {"make": "2", "buy": "1"}
_ERROR = "3"


class ByDesignFace(Face):
    """One tenant."""

    def __init__(self, world: TwinWorld, wsdl: Path) -> None:
        self.world = world
        self._schema = schema_of(wsdl)

    def answer(self, path: str, request: etree._Element) -> etree._Element:
        """FindByElements, which selects by id and by last change, and pages."""
        if path != "/sap/bc/srt/scs/sap/querymaterialin":
            raise FaceFault("Server", "the service is not active")
        validate(self._schema, request)
        if local(request.tag) != "MaterialByElementsQuery_sync":
            raise FaceFault("Client", f"{local(request.tag)} is not offered here")
        since = request.findtext("*/SelectionByLastChangeSinceDateTime") or ""
        wanted = [e.text or "" for e in request.iterfind("*/*/LowerBoundaryInternalID")]
        after = request.findtext("ProcessingConditions/LastReturnedObjectID") or ""
        most = int(request.findtext("ProcessingConditions/QueryHitsMaximumNumberValue") or 0)
        hits = [
            (key, item)
            for key, item in sorted((_object_id(item), item) for item in self._items())
            if key > after
            and (not wanted or item.erp_id in wanted)
            and (not since or _instant(_changed(item)) >= _instant(since))
        ]
        page = hits[:most] if most else hits
        return self._said(page, more=len(page) < len(hits))

    def refusal(self, request: etree._Element, no: TwinRefusal) -> etree._Element:
        """A no stands in the log of a good answer."""
        del request
        item = {"TypeID": no.code, "SeverityCode": _ERROR, "Note": no.text}
        return self._said([], log={"MaximumLogItemSeverityCode": _ERROR, "Item": [item]})

    def _items(self) -> Sequence[Item]:
        """Materials only: services are products of another kind, with a query of their own."""
        rows: list[Item] = []
        cursor = None
        while True:
            page = self.world.list(Entity.ITEM, cursor=cursor, page_size=_CHUNK)
            rows += [r for r in page.records if isinstance(r, Item) and is_material(r)]
            if (cursor := page.next_cursor) is None:
                return rows

    def _said(
        self, hits: Sequence[tuple[str, Item]], *, more: bool = False, log: Fields | None = None
    ) -> etree._Element:
        name = f"{{{NAMESPACE}}}MaterialByElementsResponse_sync"
        answer = etree.Element(name, nsmap={"n0": NAMESPACE})
        conditions: Fields = {
            "ReturnedQueryHitsNumberValue": len(hits),
            "MoreHitsAvailableIndicator": more,
        }
        if hits:
            conditions["LastReturnedObjectID"] = hits[-1][0]
        _grow(answer, "Material", [_material(item) for _, item in hits])
        _grow(answer, "ProcessingConditions", conditions)
        _grow(answer, "Log", log or {"BusinessDocumentProcessingResultCode": "3"})
        validate(self._schema, answer)
        return answer


def is_material(item: Item) -> bool:
    """Whether ByDesign would keep it as a material."""
    return item.kind != "service"


def _material(i: Item) -> Fields:
    texts = [("EN", i.name), ("ZF", i.name_zh_hant), ("ZH", i.name_zh_hans)]
    planning: Fields = {
        "SupplyPlanningAreaID": "TC1",
        "ProcurementTypeCode": _PROCUREMENT[i.kind],
        "MinimumLotSizeQuantityValue": i.lot_size,
    }
    return {
        "ChangeStateID": i.version.zfill(40),
        "InternalID": i.erp_id,
        "SystemAdministrativeData": {
            "CreationDateTime": _changed(i),
            "LastChangeDateTime": _changed(i),
        },
        "ProductCategoryID": i.family,
        "BaseMeasureUnitCode": _UNITS.get(i.base_uom, i.base_uom),
        "Description": [
            {"Description": (text, {"languageCode": code})} for code, text in texts if text
        ],
        "Planning": {"SupplyPlanning": planning},
        "AvailabilityConfirmation": {"ReplenishmentLeadTimeDuration": f"P{i.lead_time_days}D"},
        "Sales": {"LifeCycleStatusCode": "2" if i.sellable else "1"},
    }


def _grow(parent: etree._Element, name: str, value: Any) -> None:
    """A list is an element per row, a pair a text with attributes."""
    if isinstance(value, list):
        for row in value:
            _grow(parent, name, row)
        return
    text, attributes = value if isinstance(value, tuple) else (value, {})
    element = etree.SubElement(parent, name, attributes)
    if isinstance(text, Mapping):
        for field, inner in text.items():
            _grow(element, field, inner)
    else:
        element.text = outgoing(text)


def _object_id(item: Item) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, item.erp_id).hex.upper()


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _changed(item: Item) -> str:
    if item.updated_at is None:
        raise FaceFault("Server", "a material without a change instant")
    return item.updated_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
