"""What people wrote and said, in the customer's language: data of the demo, not texts of pages."""

# ruff: noqa: E501 - sentences are read as rows of a table, Chinese has its own marks

from __future__ import annotations

import random
from typing import NamedTuple

from b2bcrm.catalog.models import Item
from b2bcrm.quotes.lifecycle import LossReason
from b2bcrm.service.lifecycle import CaseCause, CaseKind


class Said(NamedTuple):
    """A subject and a text."""

    subject: str
    text: str


def of(table: dict[str, tuple[Said, ...]], language: str) -> tuple[Said, ...]:
    """The language's rows, English where it has none."""
    return table.get(language, table["en"])


_INQUIRIES: dict[str, tuple[Said, ...]] = {
    "en": (
        Said("Quotation for {family}", "Please quote the items below with your best delivery date."),
        Said("Request for {item}", "We need these for a new machine. Please include test reports."),
        Said("Repeat order, prices please", "Same as last time, quantities below. Are the prices still valid?"),
        Said("Budget offer for {family}", "The project is in approval. We need prices and dates this week."),
    ),
    "zh_Hant": (
        Said("{family}詢價", "請就下列品項報價，並告知最快交期。"),
        Said("詢價：{item}", "新機型使用，請一併提供檢驗報告。"),
        Said("再次訂購，請報價", "規格同上次，數量如下，價格是否不變？"),
    ),
    "zh_Hans": (
        Said("{family}询价", "请就下列物料报价，并告知最快交期。"),
        Said("询价：{item}", "用于新机型，请随货提供检验报告。"),
        Said("再次订购，请报价", "规格同上次，数量如下，价格是否有变动？"),
    ),
}  # fmt: skip
_FAMILY = {
    "en": {"PG": "planetary gearboxes", "SW": "strain-wave reducers", "BS": "ball screws",
           "LG": "linear guides", "RT": "rotary tables"},
    "zh_Hant": {"PG": "行星減速機", "SW": "諧波減速機", "BS": "滾珠螺桿", "LG": "線性滑軌", "RT": "旋轉台"},
    "zh_Hans": {"PG": "行星减速机", "SW": "谐波减速机", "BS": "滚珠丝杠", "LG": "直线导轨", "RT": "转台"},
}  # fmt: skip


def inquiry(rng: random.Random, language: str, item: Item) -> Said:
    """How an inquiry for ``item`` begins."""
    said = rng.choice(of(_INQUIRIES, language))
    families = _FAMILY.get(language, _FAMILY["en"])
    family = families.get(item.family, item.name_in(language))
    return Said(said.subject.format(family=family, item=item.no), said.text)


_LOSSES: dict[LossReason, dict[str, str]] = {
    LossReason.PRICE: {
        "en": "Another offer was about 8 % lower.", "zh_Hant": "他家報價約低 8%。",
        "zh_Hans": "其他供应商报价低约 8%。",
    },
    LossReason.DATE: {
        "en": "They needed it three weeks earlier.", "zh_Hant": "客戶需提前三週交貨。",
        "zh_Hans": "客户要求提前三周交货。",
    },
    LossReason.COMPETITOR: {
        "en": "They stay with the supplier of the series.", "zh_Hant": "沿用原量產供應商。",
        "zh_Hans": "沿用原批量供应商。",
    },
    LossReason.CANCELLED: {
        "en": "The end customer stopped the project.", "zh_Hant": "終端客戶中止專案。",
        "zh_Hans": "终端客户中止项目。",
    },
    LossReason.TECHNICAL: {
        "en": "The flange does not fit their motor.", "zh_Hant": "法蘭與馬達不合。",
        "zh_Hans": "法兰与电机不匹配。",
    },
    LossReason.NO_ANSWER: {"en": "No answer to three mails and two calls.",
                           "zh_Hant": "多次聯絡未回覆。", "zh_Hans": "多次联系未回复。"},
}  # fmt: skip


def loss(rng: random.Random, language: str, reason: LossReason) -> str:
    """What sales noted when a quote was lost; not always something."""
    if rng.random() < 0.35:  # noqa: PLR2004 - a third has no comment
        return ""
    texts = _LOSSES[reason]
    return texts.get(language, texts["en"])


def cancelled(language: str) -> str:
    """Why an order was cancelled."""
    texts = {"zh_Hant": "客戶專案中止。", "zh_Hans": "客户项目中止。"}
    return texts.get(language, "The customer's project was stopped.")


# kind, inbound, subject, text
Touched = tuple[str, bool, str, str]
AFTER_ORDER: dict[str, tuple[Touched, ...]] = {
    "en": (
        ("mail", True, "Order {order}: delivery date", "Please confirm that the promised date stands. Our assembly starts right after."),
        ("call", False, "Progress of {order}", "Told them how far production is. They were content."),
        ("call", True, "Test reports for {order}", "Wants the test reports with the shipment. Noted on the lines."),
        ("mail", False, "Status of {order}", "Sent the present status with the projected dates."),
        ("mail", True, "Packing of {order}", "Asks for single packing with desiccant. Passed on to shipping."),
        ("visit", False, "Visit about {order} and new projects", "Went through the open lines. Two new machines are planned for next year."),
        ("note", False, "Internal: {order}", "Customer prefers a call in the afternoon."),
    ),
    "zh_Hant": (
        ("mail", True, "訂單 {order} 交期", "請確認承諾交期不變，我方隨後即安排組裝。"),
        ("call", False, "{order} 進度說明", "說明目前生產進度，客戶滿意。"),
        ("call", True, "{order} 檢驗報告", "希望隨貨附檢驗報告，已註記於各項次。"),
        ("mail", False, "{order} 目前狀況", "已寄出目前狀況與預計交期。"),
        ("visit", False, "拜訪：{order} 與新專案", "逐項說明未交貨品，明年規劃兩款新機。"),
    ),
    "zh_Hans": (
        ("mail", True, "订单 {order} 交期", "请确认承诺交期不变，我方随后安排装配。"),
        ("call", False, "{order} 进度说明", "说明目前生产进度，客户满意。"),
        ("call", True, "{order} 检验报告", "希望随货附检验报告，已在各行备注。"),
        ("mail", False, "{order} 当前状态", "已发送当前状态与预计交期。"),
        ("visit", False, "拜访：{order} 与新项目", "逐行说明未交货物，明年计划两款新机。"),
    ),
}  # fmt: skip
AFTER_QUOTE: dict[str, tuple[Touched, ...]] = {
    "en": (
        ("call", False, "Follow-up on {quote}", "They compare with one other offer. Decision within two weeks."),
        ("mail", True, "Question about {quote}", "Asks whether line 10 could come a week earlier."),
        ("mail", False, "Reminder of {quote}", "Reminded them that the dates are held for a short time only."),
    ),
    "zh_Hant": (
        ("call", False, "{quote} 追蹤", "客戶正與另一家比價，兩週內決定。"),
        ("mail", True, "{quote} 詢問", "詢問第 10 項可否提前一週。"),
    ),
    "zh_Hans": (
        ("call", False, "{quote} 跟进", "客户正与另一家比价，两周内决定。"),
        ("mail", True, "{quote} 咨询", "询问第 10 行能否提前一周。"),
    ),
}  # fmt: skip


class Complaint(NamedTuple):
    """A case as it is told: who can have it (family, empty: any) and how it went."""

    family: str
    kind: CaseKind
    cause: CaseCause
    subject: str
    text: str
    answer: str
    question: str
    reply: str
    solution: str
    note: str


COMPLAINTS: dict[str, tuple[Complaint, ...]] = {
    "en": (
        Complaint("PG", CaseKind.COMPLAINT, CaseCause.INSTALLATION, "Noise at high speed", "Some units get loud above 2,700 rpm. The others run quietly.", "Thank you. We check the test records of the serials.", "Could you measure the run-out of the motor flange?", "Run-out is 0.06 mm.", "The flange is to be aligned to 0.03 mm; instruction KB-0142 was sent. Noise gone after alignment.", "Both serials passed the vibration test, highest of the lot."),
        Complaint("SW", CaseKind.QUESTION, CaseCause.ADVICE, "Grease for low temperature", "Which grease may we use down to −30 °C?", "We ask our laboratory.", "", "", "Grease SW4-L is approved down to −40 °C. Data sheet sent.", "Third question of this kind this year."),
        Complaint("BS", CaseKind.COMPLAINT, CaseCause.PACKING, "Rust on screws", "Rust spots on the thread after unpacking.", "We are sorry. Please send photographs of the packing.", "Were the bags closed when they arrived?", "One bag was torn at the seam.", "Replacement shipped; packing changed to double bags.", "Same shift as the last rust case."),
        Complaint("LG", CaseKind.RETURN, CaseCause.WRONG_ITEM, "Wrong grease nipple", "The blocks came with the straight nipple; ordered was the angled one.", "You are right, please send them back at our cost.", "", "", "Nipples exchanged, blocks returned within four days.", "Picking list showed the old variant."),
        Complaint("", CaseKind.COMPLAINT, CaseCause.TRANSPORT, "Transport damage", "The crate was dropped. One unit has a dent at the flange.", "Please keep the crate for the carrier's inspection.", "", "", "Replaced; the carrier's insurance pays.", "Carrier informed."),
        Complaint("", CaseKind.COMPLAINT, CaseCause.PAPERS, "Test reports missing", "The shipment came without the test reports we had asked for.", "We send them today as PDF.", "", "", "Reports sent; the order's packing list now names them.", "Was noted on the order, but not on the delivery."),
        Complaint("RT", CaseKind.REPAIR, CaseCause.ASSEMBLY, "Play in the table", "The table shows 40 arc seconds of play after half a year.", "Please send it in, we inspect it within two days.", "How many cycles has it run?", "About 900,000.", "Preload adjusted, bearing replaced under warranty.", "Preload was at the lower limit when built."),
        Complaint("", CaseKind.QUESTION, CaseCause.ADVICE, "Question about mounting", "Which tightening torque do you recommend for the flange screws?", "See page 14 of the manual; the table is attached.", "", "", "Torque table sent.", ""),
        Complaint("", CaseKind.COMPLAINT, CaseCause.MACHINING, "Dimension out of tolerance", "The pilot diameter is 0.02 mm too large on two pieces.", "We measure our reference pieces at once.", "Please send your measurement report.", "Report attached.", "Two pieces replaced; tool offset corrected, lot checked.", "Lot of the same day is blocked in stock."),
    ),
    "zh_Hant": (
        Complaint("BS", CaseKind.COMPLAINT, CaseCause.INSTALLATION, "軸運轉 20 分鐘後過載停機", "軸連續運轉約 20 分鐘後過載停機，溫度偏高。", "收到，我們先查閱出廠檢驗紀錄。", "請提供螺帽端溫度與潤滑方式。", "溫度約 65 °C，油脂每班補充。", "預壓與潤滑調整後恢復正常。", "該批預壓值接近上限。"),
        Complaint("LG", CaseKind.QUESTION, CaseCause.ADVICE, "滑軌潤滑週期", "三班運轉的潤滑週期建議為何？", "附上潤滑建議表。", "", "", "已提供潤滑建議表。", ""),
        Complaint("", CaseKind.COMPLAINT, CaseCause.PAPERS, "缺檢驗報告", "本批未附檢驗報告。", "今日補寄電子檔。", "", "", "已補寄，裝箱單加註。", "訂單有註記，出貨單未帶出。"),
        Complaint("", CaseKind.COMPLAINT, CaseCause.TRANSPORT, "外箱破損", "外箱破損，其中一件碰傷。", "請保留外箱供運輸公司查驗。", "", "", "已更換，由運輸保險理賠。", "已通知運輸公司。"),
        Complaint("PG", CaseKind.REPAIR, CaseCause.ASSEMBLY, "減速機背隙偏大", "使用半年後背隙約 5 arcmin。", "請寄回，兩日內檢測。", "", "", "保固內更換軸承並重新調整。", ""),
    ),
    "zh_Hans": (
        Complaint("SW", CaseKind.COMPLAINT, CaseCause.MATERIAL, "减速机异响", "运行约 500 小时后有异响。", "收到，先核查出厂检验记录。", "请提供负载与转速。", "负载约 60%，2000 r/min。", "更换柔轮，同批次已复检。", "同批次材料偏硬。"),
        Complaint("", CaseKind.QUESTION, CaseCause.ADVICE, "环境温度 60 °C 用什么油脂？", "环境温度约 60 °C，推荐使用哪种油脂？", "稍后提供推荐型号。", "", "", "推荐 SW4-H，资料已发送。", ""),
        Complaint("", CaseKind.COMPLAINT, CaseCause.PACKING, "个别产品生锈", "开箱后个别产品有锈点。", "抱歉，请提供包装照片。", "到货时包装袋是否完好？", "有一个袋子破损。", "已补货，改用双层包装。", ""),
        Complaint("", CaseKind.RETURN, CaseCause.WRONG_ITEM, "型号发错", "收到的型号与订单不符。", "请寄回，运费由我方承担。", "", "", "已换货。", "拣货单为旧型号。"),
        Complaint("", CaseKind.COMPLAINT, CaseCause.PAPERS, "缺少检验报告", "本批货未附检验报告。", "今天补发电子版。", "", "", "已补发。", ""),
    ),
}  # fmt: skip


def complaints(language: str) -> tuple[Complaint, ...]:
    """What customers of a language complain about."""
    return COMPLAINTS.get(language, COMPLAINTS["en"])


def of_touches(table: dict[str, tuple[Touched, ...]], language: str) -> tuple[Touched, ...]:
    """The language's rows, English where it has none."""
    return table.get(language, table["en"])
