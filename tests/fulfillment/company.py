"""A small company to which anything may happen that the board's figures depend on."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.catalog import intake as catalog
from b2bcrm.catalog.models import BomRow, Item, RoutingRow, WorkCenter
from b2bcrm.customers.models import Account
from b2bcrm.fulfillment import actions, intake
from b2bcrm.fulfillment.models import Shipment
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.organization import Site
from b2bcrm.orders import actions as orders
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.ports import erp
from tests.factories import buyer, make_account, make_item, make_line, make_order, make_site
from tests.fulfillment.conftest import Plant, day

D = Decimal
DAY = dt.timedelta(days=1)
CHIEF = Actor(name="Grace Wu", role=Role.ADMIN)
CENTERS = {"SW-25": "G1", "PG-80": "G2", "BS-20": "S1"}


def pass_time(office, **span):
    """Let both clocks go on."""
    object.__setattr__(office, "clock", pinned(office.clock.tick() + dt.timedelta(**span)))


class Company:
    """Each ``do_*`` is something that happens, in a Work of its own; the dice say what and whom."""

    def __init__(self, office, seed):
        self.office, self.dice, self.n = office, random.Random(seed), itertools.count(1)
        with office.open(CHIEF) as work:
            plant = Plant(work)
            make_site(work, code="SZ", name="Suzhou")
            self.account = make_account(work).id
            make_item(work, no="RB-25", family="RAW", sellable=False)
            for no, center in CENTERS.items():
                make_item(work, no=no, family=no[:2])
                site = "SZ" if center == "S1" else "TC"
                work.session.add_all([
                    BomRow(item_no=no, component_no="RB-25", qty_per=D(1), unit="pcs"),
                    WorkCenter(code=center, name=center, site_code=site, station="grinding",
                               hours_per_day=D(8), calendar_code="TW"),
                    RoutingRow(item_no=no, step_no=10, name="Grind", work_center=center,
                               setup_hours=D("1.5"), unit_hours=D("0.33")),
                ])  # fmt: skip
            plant.stock("SW-25", 5)
            plant.stock("RB-25", 60)
        for _ in range(5):
            self.act("do_sell")

    def act(self, name=""):
        """The named thing happens, else any; answers whether the rules let it."""
        every = sorted(name for name in dir(self) if name.startswith("do_"))
        try:
            with self.office.open(CHIEF) as work:
                getattr(self, name or self.dice.choice(every))(work)
        except CrmError:
            return False
        return True

    def a_day(self, first=-50, last=60):
        return self.office.clock.tick().date() + DAY * self.dice.randint(first, last)

    def an_order(self, work):
        return self.dice.choice(work.session.scalars(sa.select(Order).order_by(Order.id)).all())

    def a_line(self, work):
        """An order and one of its lines."""
        order = self.an_order(work)
        query = sa.select(OrderLine).filter_by(order_id=order.id).order_by(OrderLine.id)
        return order, self.dice.choice(work.session.scalars(query).all())

    def do_sell(self, work):
        query = sa.select(Item).where(Item.sellable).order_by(Item.id)
        items = work.session.scalars(query).all()
        site = self.dice.choice(work.session.scalars(sa.select(Site).order_by(Site.id)).all())
        lines = []
        for n in range(1, self.dice.randint(2, 4)):
            promised = self.a_day()
            lines.append(
                make_line(work, self.dice.choice(items), line_no=10 * n,
                          ordered_qty=D(self.dice.randint(1, 40)), first_promised_on=promised,
                          promised_on=promised + DAY * self.dice.choice([0, 0, 9]),
                          cancelled=n > 1 and self.dice.random() < 0.3)
            )  # fmt: skip
        incoterm = self.dice.choice(["DAP", "FCA"])
        account = work.session.get(Account, self.account)
        order = make_order(work, account, lines=lines, site_id=site.id, incoterm=incoterm)
        actions.project(work, [order.id])

    def do_buy(self, work):
        order, line = self.a_line(work)
        bought = erp.PurchaseOrderLine(
            line_no=1, item="RB-25", qty=line.ordered_qty, received_qty=D(0),
            requested_on=day("11-20"), first_confirmed_on=day("11-20"),
            confirmed_on=self.a_day(0, 60), received_on=None,
            demand_ref=f"{order.erp_no}/{line.line_no}",
        )  # fmt: skip
        record = erp.PurchaseOrder(
            erp_id=f"PO-{line.id}", supplier="V1", supplier_name="Tai-Hung", site="TC",
            ordered_on=day("11-02"), status="open", lines=(bought,),
        )  # fmt: skip
        intake.apply_purchase_orders(work, [record])

    def do_make(self, work):
        order, line = self.a_line(work)
        item_no = work.session.get_one(Item, line.item_id).no
        start = self.a_day(-20, 40)
        end = start + DAY * self.dice.randint(0, 12)
        done = self.dice.choice([D(0), D(1), line.ordered_qty])
        step = erp.Operation(
            step_no=10, name="Grind", work_center=CENTERS[item_no], station="grinding",
            status="done" if done == line.ordered_qty else "waiting", qty_done=done,
            planned_start_on=start, planned_end_on=end,
        )  # fmt: skip
        record = erp.WorkOrder(
            erp_id=f"WO-{line.id}", item=item_no, site="TC", qty=line.ordered_qty,
            completed_qty=D(0), scrapped_qty=D(0), planned_start_on=start, planned_end_on=end,
            status=self.dice.choice(["planned", "released", "running", "cancelled"]),
            first_planned_end_on=end, actual_start_on=None, actual_end_on=None,
            demand_ref=f"{order.erp_no}/{line.line_no}", operations=(step,),
        )  # fmt: skip
        intake.apply_work_orders(work, [record])

    def do_count_stock(self, work):
        """The ERP has counted what work orders are made of."""
        record = erp.StockLevel(
            erp_id="RB-25@TC", item="RB-25", site="TC", on_hand=D(self.dice.randint(0, 60)),
            allocated=D(0), as_of=work.now,
        )  # fmt: skip
        intake.apply_stock(work, [record])

    def do_ship(self, work):
        order, line = self.a_line(work)
        item_no = work.session.get_one(Item, line.item_id).no
        left = self.a_day(-20, 0)
        sent = erp.ShipmentLine(
            sales_order=order.erp_no, order_line_no=line.line_no, item=item_no,
            qty=self.dice.choice([D(1), line.ordered_qty]),
        )  # fmt: skip
        record = erp.Shipment(
            erp_id=f"DN-{next(self.n)}", shipped_on=left, carrier="Dachser", tracking_no="",
            customer=work.session.get_one(Account, self.account).erp_id,
            delivered_on=self.dice.choice([None, left, left + 4 * DAY]), lines=(sent,),
        )  # fmt: skip
        intake.apply_shipments(work, [record])

    def do_correct(self, work):
        """The carrier tells another day of the newest delivery."""
        query = sa.select(Shipment).options(selectinload(Shipment.lines))
        row = work.session.scalars(query.order_by(Shipment.id.desc())).first()
        if row is None:
            return
        order, line = work.session.execute(
            sa.select(Order, OrderLine)
            .join(OrderLine, OrderLine.order_id == Order.id)
            .where(OrderLine.id == row.lines[0].order_line_id)
        ).one()
        sent = erp.ShipmentLine(
            sales_order=order.erp_no, order_line_no=line.line_no, item="", qty=row.lines[0].qty
        )
        record = erp.Shipment(
            erp_id=row.no, shipped_on=row.shipped_on, carrier="Dachser", tracking_no="",
            customer=work.session.get_one(Account, self.account).erp_id,
            delivered_on=row.shipped_on + DAY * self.dice.randint(0, 9), lines=(sent,),
        )  # fmt: skip
        intake.apply_shipments(work, [record])

    def do_receive(self, work):
        """The customer confirms the newest delivery."""
        row = work.session.scalars(sa.select(Shipment).order_by(Shipment.id.desc())).first()
        if row is not None:
            work.actor = buyer(work.session.get_one(Account, row.account_id))
            actions.confirm_receipt(work, row.id)

    def do_promise(self, work):
        _order, line = self.a_line(work)
        actions.change_promise(
            work, line.id, expected_version=None, promised_on=self.a_day(0, 60),
            reason_code="material",
        )  # fmt: skip

    def do_amend(self, work):
        order, line = self.a_line(work)
        orders.amend_line(
            work, order.id, line.line_no, expected_version=None,
            promises=actions.Promises(work), qty=D(self.dice.randint(1, 50)),
        )  # fmt: skip

    def do_cancel(self, work):
        orders.cancel(
            work, self.an_order(work).id, expected_version=None, reason="stopped",
            promises=actions.Promises(work),
        )  # fmt: skip

    def do_drop_line(self, work):
        """The ERP drops a line, as its intake writes it down; the projection comes later."""
        order, line = self.a_line(work)
        line.cancelled = True
        work.bump(f"order:{order.id}")

    def do_rename_family(self, work):
        """The ERP counts an item with another family."""
        record = erp.Item(
            erp_id="BS-20", name="Ball screw", name_zh_hant="", name_zh_hans="", spec="",
            family=self.dice.choice(["BS", "SW", "LG"]), kind="make", base_uom="pcs",
            lead_time_days=20, lot_size=D(0), standard_cost=D(400), cost_currency="TWD",
            weight_kg=D(1), sellable=True, active=True,
        )  # fmt: skip
        catalog.apply_items(work, [record])

    def do_work_longer(self, work):
        """A work centre has more hours, or stands elsewhere."""
        record = erp.WorkCenter(
            erp_id="G1", name="G1", site=self.dice.choice(["TC", "SZ"]), station="grinding",
            calendar="TW", hours_per_day=D(self.dice.choice([8, 16])),
        )  # fmt: skip
        catalog.apply_work_centers(work, [record])

    def do_route(self, work):
        """An item is made at another work centre, in other hours."""
        step = erp.RoutingStep(
            step_no=10, name="Grind", work_center=self.dice.choice(["G1", "G2"]),
            setup_hours=D(self.dice.randint(0, 3)), unit_hours=D("0.7"),
        )  # fmt: skip
        line = erp.BomLine(component="RB-25", qty_per=D(1), scrap_pct=D(0), uom="pcs")
        record = erp.Bom(erp_id="PG-80", item="PG-80", lines=(line,), routing=(step,))
        catalog.apply_boms(work, [record])

    def do_sleep(self, _work):
        """A night, or a weekend, passes."""
        pass_time(self.office, days=self.dice.choice([1, 3]))

    def do_project(self, work):
        """The job computes what is due."""
        actions.project_due(work)
