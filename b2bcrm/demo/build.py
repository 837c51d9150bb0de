"""Builds the demo company as a whole or not at all: one transaction, marked when it is done."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

import sqlalchemy as sa

from b2bcrm.bootstrap import ROUTES
from b2bcrm.demo import firm, load, moves, orders, past, pipeline, talk
from b2bcrm.demo.case_rows import CaseBook
from b2bcrm.demo.cases import LAST_OF_HISTORY, TOLD_NUMBERS, past_cases, write_cases
from b2bcrm.demo.deals import Desk
from b2bcrm.demo.facts import Facts
from b2bcrm.demo.logins import create_logins
from b2bcrm.demo.numbers import Series, number_deals, quote_series
from b2bcrm.demo.rows import Rows
from b2bcrm.demo.scene import Scene, local_day, read_scene
from b2bcrm.demo.targets import write_targets
from b2bcrm.fulfillment.planning import readiness
from b2bcrm.fulfillment.planning.choice import choose_plain
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.database import BusinessClock, Marker, make_engine
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.work import Office, Work
from b2bcrm.orders.models import OrderRevision
from b2bcrm.settings import Settings
from b2bcrm.users.models import User
from connectors.erp.twin.demand import first_day
from connectors.erp.twin.world import TwinWorld

Size = Literal["small", "demo", "large"]
KIND, SIZE, SEED = "kind", "size", "seed"
DEMO = "demo"
_DAY_BEGINS = dt.time(8, 30)  # the ERP's history ends at eight
_TALKED = {"small": 1.0, "demo": 0.6, "large": 0.05}


def build_if_empty(settings: Settings, *, size: str, seed: int) -> bool:
    """Build the demo where there is none; False if the database has been built already."""
    engine = make_engine(settings.database_url)
    try:
        with engine.connect().execution_options(ro=True) as connection:
            if _kind(connection) is not None or connection.scalar(sa.select(User.id).limit(1)):
                return False
        office = Office(engine=engine, routes=ROUTES)
        temporary = settings.twin_path.with_name("twin.new.sqlite3")
        try:
            build(
                office,
                temporary,
                size=size,
                seed=seed,
                files_dir=settings.files_dir,
                keep_at=settings.twin_path,
            )
        finally:
            _unlink(temporary)
        return True
    finally:
        engine.dispose()


def remove(settings: Settings) -> None:
    """Throw the demo away: database, twin, files, caught mail. ValueError if it is no demo."""
    if not settings.database_url.startswith("sqlite:///"):
        raise ValueError("Only the embedded demo can be reset.")
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    if path.exists():
        engine = make_engine(settings.database_url)
        try:
            with engine.connect().execution_options(ro=True) as connection:
                if not _may_go(connection):
                    raise ValueError("This database is not a demo; nothing was removed.")
        finally:
            engine.dispose()
    _unlink(path)
    _unlink(settings.twin_path)
    for folder in (settings.files_dir, settings.mail_dir):
        for file in sorted(folder.rglob("*"), reverse=True) if folder.exists() else ():
            file.rmdir() if file.is_dir() else file.unlink()


def _kind(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(Marker.__tablename__):
        return None
    found: str | None = connection.scalar(sa.select(Marker.value).where(Marker.key == KIND))
    return found


def _may_go(connection: sa.Connection) -> bool:
    """A demo may, and a database in which nobody is."""
    if _kind(connection) == DEMO:
        return True
    if not sa.inspect(connection).has_table(User.__tablename__):
        return not sa.inspect(connection).get_table_names()
    return connection.scalar(sa.select(User.id).limit(1)) is None


def _unlink(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def start_day(now: dt.datetime) -> dt.date:
    """The business day on which a demo that is built ``now`` begins."""
    local = now.astimezone(HOME_ZONE)
    return local.date() - dt.timedelta(days=local.time() < _DAY_BEGINS)


def build(
    office: Office,
    twin_path: Path,
    *,
    size: str,
    seed: int,
    files_dir: Path,
    keep_at: Path | None = None,
) -> None:
    """The ERP's world into ``twin_path`` and the company into an empty database.

    Deterministic for a seed and a day. ``keep_at`` is where the twin's file goes just before the
    commit, so that a build that was killed leaves nothing half.
    """
    with _without_collector():
        _build(office, twin_path, size=size, seed=seed, files_dir=files_dir, keep_at=keep_at)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of living rows would be looked through again and again for nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _build(
    office: Office, twin_path: Path, *, size: str, seed: int, files_dir: Path, keep_at: Path | None
) -> None:
    now = office.clock.tick()
    today = start_day(now)
    TwinWorld.generate(twin_path, size=cast("Size", size), seed=seed, today=today)
    world = TwinWorld(twin_path, now=lambda: now)
    world.advance_to(now)
    world.close()
    with office.open() as work:
        _fill(work, twin_path, size=size, seed=seed, today=today, files_dir=files_dir)
        for key, value in ((KIND, DEMO), (SIZE, size), (SEED, str(seed))):
            work.session.add(Marker(key=key, value=value))
        work.session.add(BusinessClock(ahead_s=0))
        work.session.flush()  # flush: nothing may fail after the twin's file is in its place
        if keep_at is not None:
            _unlink(keep_at)
            twin_path.replace(keep_at)


def _fill(
    work: Work, twin_path: Path, *, size: str, seed: int, today: dt.date, files_dir: Path
) -> None:
    rows, source, facts = Rows(work.session), load.Source(twin_path), Facts()
    firm.found(work, seed)
    load.load_masters(work, source)
    create_logins(work)
    session = work.session
    first = session.scalars(sa.select(Company.id).order_by(Company.id).limit(1)).one()
    owner = session.scalars(sa.select(User.id).where(User.name == "Mei-Ling Lin")).one()
    pipeline.add_prospects(work, first, owner)
    scene = read_scene(work, seed)
    book = load.read_orders(work, rows, source)
    begin = dt.date.fromisoformat(first_day(cast("Size", size), today))
    won = {order.row["id"]: past.won(scene, order) for order in book.orders if order.ours}
    lost = past.unwon(scene, book, begin + dt.timedelta(days=30))
    living = pipeline.open_deals(scene, book, size)
    deals = [*won.values(), *lost, *living]
    late = load.load_supply(rows, source).by_line()
    firm.open_feeds(work, source.read, work.now)
    quotes, inquiries = quote_series(deals), Series("IN")
    number_deals(deals, quotes, inquiries)
    desk = Desk(scene, rows, facts)
    for deal in sorted((*won.values(), *lost), key=lambda d: d.begun[0]):
        desk.enter(deal)
    desk.write()
    for order in book.orders:
        past.dress(scene, order, won.get(order.row["id"]), facts)
        moves.write_history(work, scene, order, late, facts)
    orders.write(work, rows, book)
    load.remember(work, rows, source)
    revisions = [past.revision(o, won[o.row["id"]]) for o in book.orders if o.ours]
    for revision in revisions:
        revision["id"] = rows.next_id(OrderRevision)
    rows.put(OrderRevision, revisions)
    _plan(work)
    pipeline.enter_living(work, desk, living)
    _enter_waiting(work, desk, inquiries, book=book, size=size, files_dir=files_dir)
    for numbers in (quotes, inquiries):
        numbers.keep(work)
    talk.write_touches(scene, rows, book, deals, _TALKED[size])
    series = _case_series(scene, book, size)
    write_cases(scene, CaseBook(scene, rows, facts, series), book, size)
    series.keep(work)
    write_targets(scene, rows, book)
    facts.write(rows)
    rows.settle_ids()
    _plan(work)
    load.project_living(work)


def _plan(work: Work) -> None:
    """A plan of the order book as it now stands, for dates and projections."""
    choose_plain()  # a fresh installation has nothing compiled yet
    # Here, so that the choice comes before the engine.
    from b2bcrm.fulfillment.actions import replanning

    readiness.prepare()
    work.session.flush()  # flush: the plan is made from rows
    due = replanning.plan_due(work, anyway=True)
    if due is not None:
        replanning.publish_plan(work, replanning.make_plan(due))


def _enter_waiting(
    work: Work, desk: Desk, inquiries: Series, *, book: orders.OrderBook, size: str, files_dir: Path
) -> None:
    """Inquiries that nobody has quoted yet; what was entered at the desk is written."""
    waiting = pipeline.waiting(desk.scene, book, size)
    numbers = [inquiries.take(desk.scene.today.year) for _ in waiting]
    entered = pipeline.enter_waiting(desk, waiting, numbers)
    desk.write()
    if entered:
        pipeline.attach(work, files_dir, *entered[0])


def _case_series(scene: Scene, book: orders.OrderBook, size: str) -> Series:
    """Numbers of cases, placed so that history ends just before the told ones."""
    year = scene.today.year
    count = sum(local_day(c.opened_at).year == year for c in past_cases(scene, book, size))
    first = {year: max(1, LAST_OF_HISTORY + 1 - count)}
    return Series("CS", reserved=TOLD_NUMBERS, first=first)
