"""SAP S/4HANA: orders are only taken in, and worked off later; reading is a wrapper's, as of ECC.

A message that comes again with the id of an earlier one is dropped. What became of each is told
by ``confirmations``, as S/4 would send them, and by the wrapper's Z_CRM_MESSAGE_STATUS.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lxml import etree

from b2bcrm.ports.erp import Entity, OrderDraft, OrderDraftLine, WriteResult
from connectors.erp.outgoing import outgoing
from connectors.erp.paths import local
from connectors.erp.twin.faces import FaceFault, enveloped, schema_of, validate
from connectors.erp.twin.faces.ecc import EccFace, alpha, partner
from connectors.erp.twin.faces.ecc_rows import COMPANIES, Fields
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.world import TwinWorld
from connectors.erp.wsdls import WSDL_DIR

NAMESPACE = "http://sap.com/xi/SD-SLS"
BUNDLE = WSDL_DIR / "sap-s4-1"
_DONE, _REFUSED = "3", "5"
_CHANGE = "02"


@dataclass
class Taken:
    """A message that was taken in. ``code`` is empty until it is worked off."""

    order: etree._Element
    code: str = ""
    number: str = ""
    version: str = ""
    no: TwinRefusal | None = None
    told: bool = False


class S4Face(EccFace):
    """One client: the order service beside the wrapper."""

    def __init__(self, world: TwinWorld) -> None:
        super().__init__(world, BUNDLE / "ZWS_CRM.wsdl")
        self.acts["Z_CRM_MESSAGE_STATUS"] = self._status
        self.taken: dict[str, Taken] = {}
        self._orders = schema_of(BUNDLE / "SalesOrderBulkRequest_In.wsdl")

    def answer(self, path: str, request: etree._Element) -> etree._Element | None:
        """A message is taken in; anything else finds what came before worked off."""
        if local(request.tag) != "SalesOrderBulkRequest":
            self.work_off()
            return super().answer(path, request)
        if path != "/sap/bc/srt/scs_ext/sap/salesorderbulkrequest_in":
            raise FaceFault("Server", "the service is not active")
        validate(self._orders, request)
        for message in request.iterfind("SalesOrderRequestMessage"):
            order = message.find("SalesOrder")
            if order is not None:
                self.taken.setdefault(message.findtext("MessageHeader/ID", ""), Taken(order))
        return None

    def work_off(self) -> None:
        """Enter what has been taken in, each message once."""
        for message in self.taken.values():
            if message.code:
                continue
            try:
                result = self._entered(message.order)
            except TwinRefusal as no:
                message.code, message.no = _REFUSED, no
            else:
                message.code = _DONE
                message.number, message.version = alpha(result.erp_id), result.version

    def _entered(self, order: etree._Element) -> WriteResult:
        if order.findtext("SalesOrganization") not in COMPANIES:
            raise TwinRefusal("unknown_company", "The sales organization is not defined.")
        draft = self._order(order)
        if order.get("actionCode") != _CHANGE:
            return self.world.create(draft)
        number = self.own_key(Entity.SALES_ORDER, order.findtext("SalesOrder", ""))
        return self.world.update(number, draft)

    def confirmations(self) -> bytes | None:
        """The envelope with what has not been told yet; None where there is nothing."""
        self.work_off()
        fresh = [(key, m) for key, m in self.taken.items() if m.code and not m.told]
        if not fresh:
            return None
        bulk = etree.Element(f"{{{NAMESPACE}}}SalesOrderBulkConfirmation", nsmap={"n0": NAMESPACE})
        self._header(bulk, "")
        for key, message in fresh:
            one = etree.SubElement(bulk, "SalesOrderConfirmationMessage")
            self._header(one, key)
            order = etree.SubElement(one, "SalesOrder")
            if message.number:
                etree.SubElement(order, "SalesOrder").text = message.number
            reference = message.order.findtext("PurchaseOrderByShipToParty")
            etree.SubElement(order, "PurchaseOrderByShipToParty").text = reference
            log = etree.SubElement(one, "Log")
            etree.SubElement(log, "BusinessDocumentProcessingResultCode").text = message.code
            if message.no is not None:
                item = etree.SubElement(log, "Item")
                etree.SubElement(item, "TypeID").text = message.no.code
                etree.SubElement(item, "SeverityCode").text = "3"
                etree.SubElement(item, "Note").text = message.no.text
            message.told = True
        validate(self._orders, bulk)
        return enveloped(bulk)

    def _header(self, parent: etree._Element, about: str) -> None:
        header = etree.SubElement(parent, "MessageHeader")
        etree.SubElement(header, "ID").text = uuid.uuid5(uuid.NAMESPACE_URL, about).hex
        if about:
            etree.SubElement(header, "ReferenceID").text = about
        etree.SubElement(header, "CreationDateTime").text = outgoing(self.world.now())

    def _status(self, request: etree._Element) -> Fields:
        message = self.taken.get(request.findtext("IV_MESSAGE_ID", ""))
        if message is not None and message.no is not None:
            raise message.no
        return {
            "EV_STATUS": message.code if message else "",
            "EV_SALESDOCUMENT": message.number if message else "",
            "EV_CHANGENR": message.version.zfill(10) if message else "",
            "RETURN": [],
        }

    def empty(self, name: str) -> Fields:
        """What stands beside the messages of a no."""
        if name == "Z_CRM_MESSAGE_STATUS":
            return {"EV_STATUS": _REFUSED, "EV_SALESDOCUMENT": "", "EV_CHANGENR": ""}
        return super().empty(name)

    def _order(self, order: etree._Element) -> OrderDraft:
        head = {local(e.tag): e.text or "" for e in order if not len(e)}
        customer = self.own_key(Entity.CUSTOMER, head["SoldToParty"])
        ship_to = order.findtext("Partner/Customer", "")
        site, items = partner(customer), order.findall("Item")
        return OrderDraft(
            reference=head["PurchaseOrderByShipToParty"],
            customer=customer,
            customer_po=head["PurchaseOrderByCustomer"],
            ordered_on=dt.date.fromisoformat(head["SalesOrderDate"]),
            currency=head["TransactionCurrency"],
            ship_to="" if ship_to == head["SoldToParty"] else ship_to.removeprefix(site),
            incoterm=head["IncotermsClassification"],
            incoterm_place=head["IncotermsLocation1"],
            payment_terms=head["CustomerPaymentTerms"],
            site=items[0].findtext("ProductionPlant", "") if items else "",
            note="",
            lines=tuple(_line(item) for item in items),
        )


def _line(item: etree._Element) -> OrderDraftLine:
    def text(path: str) -> str:
        return item.findtext(path, "")

    quantity: Any = item.find("RequestedQuantity")
    unit = quantity.get("unitCode", "")
    return OrderDraftLine(
        line_no=int(text("SalesOrderItem")),
        item=text("Material"),
        qty=Decimal(quantity.text or "0"),
        uom="PCS" if unit == "ST" else unit,
        unit_price=Decimal(text("PricingElement/ConditionRateAmount")),
        discount_pct=Decimal(text("YY1_Discount_SDI")),
        requested_on=dt.date.fromisoformat(text("RequestedDeliveryDate")),
        promised_on=dt.date.fromisoformat(text("YY1_PromisedDate_SDI")),
        customer_part_no=text("MaterialByCustomer"),
        customer_po_line=text("UnderlyingPurchaseOrderItem"),
    )
