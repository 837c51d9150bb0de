"""What ERPs call our entities and fields: English, Chinese, and vendors' column codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from b2bcrm.ports.erp import Entity

ENTITIES: Mapping[Entity, tuple[str, ...]] = {
    Entity.CUSTOMER: (
        "customer",
        "client",
        "debtor",
        "thirdparty",
        "businesspartner",
        "客戶",
        "客户",
    ),
    Entity.ITEM: ("item", "material", "product", "article", "part", "料件", "物料", "料號"),
    Entity.BOM: ("bom", "billofmaterial", "productstructure", "物料清單", "物料清单"),
    Entity.WORK_CENTER: ("workcenter", "workcentre", "resource", "machinegroup", "工作中心"),
    Entity.STOCK: ("stock", "inventory", "onhand", "stocklevel", "庫存", "库存"),
    Entity.PURCHASE_ORDER: ("purchaseorder", "po", "採購單", "采购订单"),
    Entity.WORK_ORDER: ("workorder", "productionorder", "manufacturingorder", "製令", "工单"),
    Entity.SALES_ORDER: ("salesorder", "so", "order", "訂單", "订单"),
    Entity.SHIPMENT: ("shipment", "delivery", "deliverynote", "packingslip", "出貨", "发货"),
    Entity.INVOICE: ("invoice", "customerinvoice", "bill", "發票", "发票"),
    Entity.PRICE: ("price", "pricelist", "pricebreak", "價格", "价格"),
}
LIST_VERBS = (
    "list",
    "query",
    "find",
    "search",
    "readmultiple",
    "getlist",
    "getall",
    "browse",
    "查詢",
)
GET_VERBS = ("get", "read", "load", "show", "retrieve", "fetch", "取得")
WRITE_VERBS = ("create", "add", "insert", "update", "change", "modify", "cancel", "delete", "新增")
PING_VERBS = ("ping", "echo", "version", "getversion", "servertime", "gettime", "whoami", "status")

FIELDS: Mapping[str, tuple[str, ...]] = {
    "erp_id": (
        "id",
        "no",
        "number",
        "code",
        "key",
        "docno",
        "編號",
        "编号",
        "oea01",
        "occ01",
        "ima01",
    ),
    "version": ("version", "rowversion", "changestateid", "etag", "sysrevid", "objversion"),
    "updated_at": (
        "updatedat",
        "lastmodified",
        "modifiedat",
        "changedat",
        "lastmodifieddatetime",
        "lastchangedatetime",
        "修改日期",
        "修改时间",
    ),
    "company": ("company", "companycode", "organization", "公司"),
    "deleted": ("deleted", "isdeleted", "obsolete"),
    "name": (
        "name",
        "description",
        "fullname",
        "companyname",
        "title",
        "名稱",
        "名称",
        "品名",
        "ima02",
        "occ18",
    ),
    "short_name": ("shortname", "searchname", "alias", "簡稱", "简称", "occ02"),
    "tax_id": ("taxid", "vatno", "vatregistrationno", "taxnumber", "統一編號", "税号", "occ11"),
    "country": ("country", "countrycode", "countryregion", "國家", "国家"),
    "language": ("language", "languagecode", "lang", "語言", "语言"),
    "currency": ("currency", "currencycode", "curr", "waers", "幣別", "币种", "oea23"),
    "price_list": ("pricelist", "pricegroup", "pricelevel", "價格表", "价格表"),
    "payment_terms": (
        "paymentterms",
        "paymenttermscode",
        "terms",
        "zterm",
        "付款條件",
        "付款条件",
        "oea32",
    ),
    "incoterm": ("incoterm", "incoterms", "shipmentmethodcode", "deliveryterms", "inco1"),
    "incoterm_place": ("incotermplace", "incotermslocation", "inco2"),
    "customer_class": ("customerclass", "class", "customergroup", "abcclass"),
    "credit_limit": ("creditlimit", "maxcredit", "信用額度", "信用额度"),
    "credit_used": ("creditused", "balance", "openbalance", "balancelcy"),
    "overdue_amount": ("overdueamount", "balancedue", "overdue"),
    "credit_hold": ("credithold", "blocked", "onhold", "isblocked"),
    "partial_delivery": ("partialdelivery", "partialshipment", "allowpartial"),
    "sales_rep": ("salesrep", "salesperson", "salespersoncode", "業務員", "业务员"),
    "spec": ("spec", "specification", "規格", "规格", "ima021"),
    "family": ("family", "itemcategory", "productgroup", "itemgroup", "matkl"),
    "kind": ("kind", "type", "itemtype", "replenishmentsystem", "procurementtype"),
    "base_uom": (
        "baseuom",
        "baseunitofmeasure",
        "unitofmeasure",
        "uom",
        "unit",
        "meins",
        "單位",
        "单位",
        "ima25",
    ),
    "uom": (
        "uom",
        "unit",
        "unitofmeasure",
        "unitofmeasurecode",
        "meins",
        "vrkme",
        "單位",
        "单位",
        "oeb05",
    ),
    "lead_time_days": ("leadtimedays", "leadtime", "leadtimecalculation"),
    "lot_size": ("lotsize", "orderquantity", "minlot"),
    "standard_cost": ("standardcost", "unitcost", "stprs"),
    "cost_currency": ("costcurrency", "currency", "currencycode"),
    "weight_kg": ("weightkg", "netweight", "weight", "ntgew"),
    "sellable": ("sellable", "issold", "salesallowed", "forsale"),
    "active": ("active", "isactive", "enabled"),
    "item": (
        "item",
        "itemno",
        "itemid",
        "itemcode",
        "material",
        "materialno",
        "materialid",
        "matnr",
        "productno",
        "料號",
        "物料编码",
        "oeb04",
    ),
    "site": ("site", "plant", "warehouse", "location", "locationcode", "werks", "倉庫", "仓库"),
    "on_hand": ("onhand", "qtyonhand", "quantityonhand", "inventory", "庫存量", "现存量"),
    "allocated": ("allocated", "reserved", "reservedquantity", "qtyallocated"),
    "as_of": ("asof", "timestamp", "readat"),
    "reference": (
        "reference",
        "externalreference",
        "externaldocumentno",
        "refext",
        "ourreference",
        "crmreference",
    ),
    "customer": (
        "customer",
        "customerno",
        "customerid",
        "selltocustomerno",
        "kunnr",
        "客戶",
        "客户",
        "oea03",
    ),
    "customer_po": (
        "customerpo",
        "customerorderno",
        "purchaseordernumber",
        "numatcard",
        "bstkd",
        "pono",
        "oea10",
    ),
    "ordered_on": (
        "orderedon",
        "orderdate",
        "documentdate",
        "docdate",
        "訂單日期",
        "订单日期",
        "oea02",
    ),
    "ship_to": ("shipto", "shiptocode", "deliveryaddress", "送貨地址", "送货地址"),
    "status": ("status", "state", "orderstatus", "狀態", "状态", "oeaconf"),
    "line_no": ("lineno", "line", "position", "itemnumber", "posnr", "項次", "行号", "oeb03"),
    "qty": ("qty", "quantity", "orderedquantity", "kwmeng", "數量", "数量", "oeb12"),
    "unit_price": ("unitprice", "price", "netprice", "單價", "单价", "oeb13"),
    "discount_pct": ("discountpct", "discountpercent", "linediscountpercent", "discount", "折扣"),
    "requested_on": (
        "requestedon",
        "requesteddate",
        "requesteddeliverydate",
        "duedate",
        "需求日",
        "oeb15",
    ),
    "promised_on": ("promisedon", "promiseddate", "promiseddeliverydate", "deliverydate", "交期"),
    "planned_on": ("plannedon", "planneddate", "plannedshipmentdate", "shipmentdate", "edatu"),
    "shipped_qty": ("shippedqty", "quantityshipped", "qtyshipped", "deliveredqty", "oeb24"),
    "invoiced_qty": ("invoicedqty", "quantityinvoiced", "qtyinvoiced", "billedqty"),
    "invoiced_on": ("invoicedon", "invoicedate", "postingdate", "billingdate"),
    "due_on": ("dueon", "duedate", "paymentdue"),
    "total": ("total", "totalamount", "amount", "amountincludingvat", "grandtotal"),
    "open_amount": ("openamount", "remainingamount", "amountdue", "outstanding"),
    "shipped_on": ("shippedon", "shipmentdate", "postingdate", "deliverydate"),
    "since": ("since", "changedsince", "modifiedsince", "updatedafter", "lastupdate", "fromdate"),
    "cursor": ("cursor", "bookmark", "bookmarkkey", "continuation", "nextpage"),
    "next_cursor": ("nextcursor", "nextbookmark", "continuationtoken", "next"),
    "page": ("page", "pageno", "pagenumber", "pageindex"),
    "page_size": ("pagesize", "setsize", "limit", "maxrows", "take", "rowcount"),
}
CODES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Customer", "language"): ("en", "zh_Hant", "zh_Hans"),
    ("Customer", "customer_class"): ("A", "B", "C"),
    ("Item", "kind"): ("make", "buy", "service"),
    ("Address", "kind"): ("bill_to", "ship_to"),
    ("WorkCenter", "station"): (
        "prep",
        "turning",
        "heat",
        "grinding",
        "assembly",
        "test",
        "packing",
    ),
    ("PurchaseOrder", "status"): ("open", "closed", "cancelled"),
    ("SalesOrder", "status"): ("open", "closed", "cancelled"),
    ("SalesOrderLine", "status"): ("open", "shipped", "closed", "cancelled"),
    ("WorkOrder", "status"): ("planned", "released", "running", "done", "cancelled"),
    ("Operation", "station"): (
        "prep",
        "turning",
        "heat",
        "grinding",
        "assembly",
        "test",
        "packing",
    ),
    ("Operation", "status"): ("waiting", "running", "done"),
}
GOOD = 0.86  # names that are less alike are no proposal


def plain(name: str) -> str:
    """A name without case and separators: ``Line_No`` is ``lineno``."""
    return re.sub(r"[\W_]+", "", name.lower())


def likeness(ours: str, theirs: str, owner: tuple[str, ...] = ()) -> float:
    """How much a wire name looks like a field of ours, 0 to 1.

    ``owner`` are names of the entity, which wire names like to repeat: ``CustomerName``.
    """
    name = plain(theirs)
    short = next((name.removeprefix(plain(o)) for o in owner if name.startswith(plain(o))), name)
    best = 0.0
    for rank, word in enumerate((plain(ours), *FIELDS.get(ours, ()))):
        if name == word:
            return 1.0 - rank / 1000
        if short == word:
            best = max(best, 0.97 - rank / 1000)
        elif len(word) > 3:  # noqa: PLR2004 - short words are alike by chance
            best = max(best, 0.95 * SequenceMatcher(None, name, word).ratio())
    return best
