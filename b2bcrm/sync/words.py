"""The feeds' names for people."""

from __future__ import annotations

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Entity

ENTITY_WORDS: dict[str, Message] = {
    Entity.CUSTOMER.value: Message("Customers"),
    Entity.ITEM.value: Message("Items"),
    Entity.BOM.value: Message("Bills of material"),
    Entity.WORK_CENTER.value: Message("Work centres"),
    Entity.PRICE.value: Message("Prices"),
    Entity.STOCK.value: Message("Stock"),
    Entity.SALES_ORDER.value: Message("Sales orders"),
    Entity.PURCHASE_ORDER.value: Message("Purchase orders"),
    Entity.WORK_ORDER.value: Message("Work orders"),
    Entity.SHIPMENT.value: Message("Shipments"),
    Entity.INVOICE.value: Message("Invoices"),
}


def entity_word(entity: str) -> Message:
    """The feed's name for people; without one it is about the connection as a whole."""
    return ENTITY_WORDS.get(entity, Message("The whole connection"))
