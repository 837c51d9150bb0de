"""The worker process: delivers the outbox, pulls ERP feeds, and runs the day's jobs.

Several may run. Feeds and deliveries are claimed row by row, so every worker takes part in them;
the clocks belong to one (a lock), and each slot of a daily job is claimed in the database, so
that nothing is done twice. APScheduler keeps no state: what is due are rows.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from b2bcrm.bootstrap import DAILY, House, register_main
from b2bcrm.fulfillment.planning import readiness
from b2bcrm.kernel.clock import machine_now
from b2bcrm.kernel.database import insert_for
from b2bcrm.kernel.work import Office
from b2bcrm.sync.models import JobSlot

log = structlog.get_logger("worker")
LOCK_NUMBER = 7_204_117  # PostgreSQL advisory lock: any number, the same in every worker
DELIVER_FOR_S = 5.0
ASK_AGAIN_S = 5.0
GIVEN_UP_AFTER = dt.timedelta(hours=1)
Jobs = dict[str, tuple[int, Callable[[House], object]]]  # name -> (seconds between, what)


@contextmanager
def ownership(house: House) -> Iterator[bool]:
    """Whether this process is the one worker of its database; held until the block ends."""
    if house.engine.dialect.name == "postgresql":
        with house.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            owner = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(LOCK_NUMBER))))
            try:
                yield owner
            finally:  # the connection goes back to the pool: it would keep the lock
                if owner:
                    connection.scalar(sa.select(sa.func.pg_advisory_unlock(LOCK_NUMBER)))
        return
    with house_lock(house.settings.data_dir) as free:
        yield free


@contextmanager
def house_lock(data_dir: Path) -> Iterator[bool]:
    """Whether nobody else holds the data folder's worker lock; held until the block ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "worker.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def claim_slot(office: Office, job: str, slot: dt.datetime) -> bool:
    """Take the slot of a job; False if it has been taken.

    One that was begun long ago and never finished (its process died) may be taken again: the
    day's jobs do nothing twice.
    """
    with office.open() as work:
        row = insert_for(work.session, JobSlot).values(job=job, slot=slot, started_at=work.tick)
        query = row.on_conflict_do_update(
            index_elements=[JobSlot.job, JobSlot.slot],
            set_={"started_at": work.tick},
            where=sa.and_(
                JobSlot.finished_at.is_(None), JobSlot.started_at < work.tick - GIVEN_UP_AFTER
            ),
        ).returning(JobSlot.job)
        return work.session.scalar(query) is not None


def deliver(house: House) -> int:
    """Deliver what is due, for a few seconds at most; answers how many rows."""
    end, done = time.monotonic() + DELIVER_FOR_S, 0
    while time.monotonic() < end and house.courier.deliver_one():
        done += 1
    return done


def pull(house: House) -> int:
    """Pull the feeds that are due and project what they touched; answers how many feeds."""
    done = sum(puller.pull_due() for puller in house.pullers())
    house.project()
    return done


def reconcile(house: House) -> int:
    """Compare the feeds whose night has come with the ERP; answers how many."""
    done = sum(puller.reconcile_due() for puller in house.pullers())
    house.project()
    return done


def daily(house: House) -> int:
    """Run the day's jobs once per business date; answers how many ran."""
    with house.office.open(read_only=True) as work:
        slot = dt.datetime.combine(work.today, dt.time(), dt.UTC)
    ran = 0
    for name, job in DAILY.items():
        if claim_slot(house.office, name, slot):
            job(house)
            ran += 1
            _finish(house.office, name, slot)
    return ran


def _finish(office: Office, job: str, slot: dt.datetime) -> None:
    with office.open() as work:
        work.session.get_one(JobSlot, (job, slot)).finished_at = work.tick


def run_once(house: House) -> None:
    """Everything that is due now, in order: for tests and ``./crm worker --once``."""
    begin(house)
    pull(house)
    reconcile(house)
    house.sum_figures()
    daily(house)
    house.plan()
    house.every_minute()
    deliver(house)


def _guarded(name: str, job: Callable[[House], object], house: House) -> Callable[[], None]:
    def run() -> None:
        try:
            job(house)
        except Exception:
            # The scheduler would swallow it in its own log; say it in ours and go on.
            log.exception("job_failed", job=name)

    return run


WORK: Jobs = {"deliver": (1, deliver), "pull": (2, pull), "reconcile": (60, reconcile)}
CLOCKS: Jobs = {
    "figures": (2, House.sum_figures),
    "plan": (5, House.plan),
    "minute": (60, House.every_minute),
    "daily": (5, daily),
}


def begin(house: House) -> None:
    """Write down the first connection and the feeds of all."""
    if house.connections is not None:
        register_main(house.settings, house.office)
    house.puller.ensure_feeds()


def run(house: House) -> None:
    """Serve until the process is told to stop; the clocks only while this worker owns them."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    begin(house)
    if house.settings.plans:
        readiness.prepare_in_background()
    scheduler = BackgroundScheduler(timezone=dt.UTC)
    _schedule(scheduler, house, WORK)
    scheduler.start()
    while not stop.is_set():
        with ownership(house) as owner:
            if owner:
                _schedule(scheduler, house, CLOCKS)
                stop.wait()
                scheduler.shutdown(wait=True)
                return
        stop.wait(ASK_AGAIN_S)
    scheduler.shutdown(wait=True)


def _schedule(scheduler: BackgroundScheduler, house: House, jobs: Jobs) -> None:
    for name, (seconds, job) in jobs.items():
        scheduler.add_job(
            _guarded(name, job, house),
            IntervalTrigger(seconds=seconds, timezone=dt.UTC),
            id=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=3600,
            next_run_time=machine_now(),
        )
