"""Conducts a storm: founds a company, lets the weather come, waits for calm, judges."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.context import ForkProcess
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from b2bcrm.demo import firm
from b2bcrm.demo.build import start_day
from b2bcrm.demo.storm import erp, proof, workers
from b2bcrm.demo.storm.desk import CLERK, Desk
from b2bcrm.demo.storm.proof import Verdict
from b2bcrm.demo.storm.weather import FORK, FastClock, Forecast, Losses, Tally
from b2bcrm.kernel.clock import machine_now
from b2bcrm.kernel.database import BusinessClock
from b2bcrm.kernel.numbering import NumberCounter
from b2bcrm.kernel.work import Office, Work
from b2bcrm.sync.models import Feed, RunOutcome, SyncRun

FACTOR = 20.0  # machine time of all processes: a lease of a minute ends after three seconds
JUMP_S = 5 * 3600.0  # of business time: shipments, work orders and suppliers move
FAULTS_A_JUMP, MOST_JUMPS = 25, 60  # by faults: a slow machine must not let the ERP run away
LOOK_AFTER_EVERY_S = 0.5
TELL_EVERY_S = 10.0
CALM_WITHIN_S = 240.0
BREATH_S = 0.05
FIRST_NUMBER = 50_000


@dataclass
class Report:
    """What came down, and what it did."""

    forecast: Forecast
    struck: dict[str, tuple[int, int]]
    kills: Losses
    desk: Desk
    verdict: Verdict
    defects: dict[str, int]
    seconds: float
    calm: bool = True
    missing: int = 0  # faults of the forecast that never came

    @property
    def clean(self) -> bool:
        """Everything came as forecast; nothing was lost, doubled, changed, hidden or unexpected."""
        wrong = self.missing or self.desk.hidden or self.defects
        return self.verdict.clean and self.calm and not wrong


@dataclass
class Storm:
    """One storm over an empty database with the product's schema."""

    url: str
    forecast: Forecast
    seed: int
    workers: int = 3
    within_s: float = 3600.0
    calm_within_s: float = CALM_WITHIN_S
    tell: Callable[[str], None] = lambda _line: None
    _children: list[ForkProcess] = field(default_factory=list)
    _born: int = 0
    _losses: Losses = field(default_factory=Losses)

    def run(self) -> Report:
        """Raise it, wait for calm, judge. Ends every process it started."""
        begun = time.monotonic()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-storm-")))
            stack.callback(self._end_all)
            return self._run(folder, begun)

    def _run(self, folder: Path, begun: float) -> Report:
        now, forecast = machine_now(), self.forecast
        sky = erp.Sky(
            path=folder / "twin.sqlite3",
            clock=FastClock(now, FACTOR),
            ahead_s=FORK.Value("d", 0.0),
            stands_at=FORK.Value("d", 0.0),
            tally=Tally(),
            calm=FORK.Event(),
            still=FORK.Event(),
            seed=self.seed,
        )
        erp.prepare(sky.path, seed=self.seed, today=start_day(now))
        place = erp.Place(self._start_erp(sky, forecast), folder / "storm.toml")
        erp.write_profile(place.profile)
        self._found_company(sky.clock, place)
        self._start = partial(self._start_worker, place, sky.clock, folder / "defects")
        self._children += [self._start() for _ in range(self.workers)]
        office = workers.open_office(self.url, sky.clock)
        desk = Desk(office, self.seed)
        self._blow(sky, forecast, desk, begun)
        calm = self._wait_for_calm(sky, office, desk)
        self._end_all()
        with office.open(CLERK, read_only=True) as work:
            verdict = proof.judge(work, sky.path, desk.book)
        office.engine.dispose()
        return Report(
            forecast=forecast,
            struck={kind.value: counts for kind, counts in sky.tally.by_kind().items()},
            kills=self._losses,
            desk=desk,
            verdict=verdict,
            defects=dict(workers.defects_in(folder / "defects")),
            seconds=time.monotonic() - begun,
            calm=calm,
            missing=forecast.faults - sky.tally.total() - self._losses.total,
        )

    # ----------------------------------------------------------------------------------- processes
    def _found_company(self, clock: FastClock, place: erp.Place) -> None:
        office = workers.open_office(self.url, clock)
        with office.open(CLERK) as work:
            firm.found(work, self.seed)
            work.session.add(BusinessClock(ahead_s=0))
            for year in (work.now.year, work.now.year + 1):  # past the orders of the twin's history
                work.session.add(NumberCounter(series="SO", year=year, last=FIRST_NUMBER))
        workers.open_puller(office, place).ensure_feeds()  # reads the WSDL, for all children too
        office.engine.dispose()  # the children must not share its connections

    def _start_erp(self, sky: erp.Sky, forecast: Forecast) -> int:
        ours, theirs = FORK.Pipe(duplex=False)
        self._erp = FORK.Process(target=erp.serve, args=(sky, forecast, theirs), daemon=True)
        self._erp.start()
        port: int = ours.recv()
        return port

    def _start_worker(self, place: erp.Place, clock: FastClock, defects: Path) -> ForkProcess:
        self._born += 1
        args = (self.url, place, clock, f"{self.seed}/{self._born}", defects)
        process = FORK.Process(target=workers.work_on, args=args, daemon=True)
        process.start()
        return process

    def _end_all(self) -> None:
        for child in [*self._children, self._erp]:
            child.kill()
            child.join()

    # ------------------------------------------------------------------------------------ the storm
    def _blow(self, sky: erp.Sky, forecast: Forecast, desk: Desk, begun: float) -> None:
        """Until every fault has come and every kill is done."""
        chance = random.Random(f"{self.seed}/kills")
        look_at = tell_at = time.monotonic()
        from_the_erp = forecast.faults - forecast.kills
        jumps, jumped = min(forecast.faults // FAULTS_A_JUMP, MOST_JUMPS), 0
        while time.monotonic() - begun < self.within_s:
            struck, now = sky.tally.total(), time.monotonic()
            if struck >= from_the_erp and self._losses.total >= forecast.kills:
                return
            if self._losses.total < forecast.kills * struck / from_the_erp:
                self._kill(chance)
            self._replace_the_dead()
            if now >= tell_at:
                self.tell(f"{struck} faults, {len(desk.book)} orders, {now - begun:.0f} s")
                tell_at = now + TELL_EVERY_S
            with suppress(OperationalError):  # six writers may starve the seventh on SQLite
                if jumped < jumps * struck / from_the_erp:
                    jumped += 1
                    self._jump(sky, desk.office)
                if now >= look_at:
                    look_at = now + LOOK_AFTER_EVERY_S
                    desk.look_after()
                if not desk.act():
                    time.sleep(BREATH_S)

    def _kill(self, chance: random.Random) -> None:
        """One worker: at a point of what it does, or wherever it stands."""
        victim = chance.choice(self._children)
        number = chance.choice((signal.SIGUSR1, signal.SIGKILL))
        with suppress(ProcessLookupError):
            os.kill(victim.pid or 0, number)
        victim.join(timeout=2.0)

    def _replace_the_dead(self) -> None:
        for n, child in enumerate(self._children):
            if child.exitcode is None:
                continue
            if child.exitcode == workers.DIED_AT_A_POINT:
                self._losses.at["at a point of its work"] += 1
            elif child.exitcode == -signal.SIGKILL:
                self._losses.at["anywhere"] += 1
            else:
                raise RuntimeError(f"a worker ended by itself: exit code {child.exitcode}")
            self._children[n] = self._start()

    @staticmethod
    def _jump(sky: erp.Sky, office: Office) -> None:
        sky.ahead_s.value += JUMP_S
        with office.open(CLERK) as work:
            work.session.execute(sa.update(BusinessClock).values(ahead_s=int(sky.ahead_s.value)))

    # ------------------------------------------------------------------------------------- the calm
    def _wait_for_calm(self, sky: erp.Sky, office: Office, desk: Desk) -> bool:
        """No more faults, no more changes; whether everything came through in time.

        What is sent changes the ERP: each feed is read once more after the last delivery.
        """
        sky.stop()
        end = time.monotonic() + self.calm_within_s
        last: int | None = None
        while time.monotonic() < end:
            with suppress(OperationalError):
                desk.look_after(hurry=True)
            self._replace_the_dead()
            time.sleep(LOOK_AFTER_EVERY_S)
            with office.open(read_only=True) as work:
                if not sky.still.is_set() or proof.waiting(work):
                    last = None
                elif last is None:
                    last = work.session.scalar(sa.select(sa.func.max(SyncRun.id))) or 0
                elif _all_read_since(work, last):
                    return True
        return False


def _all_read_since(work: Work, last: int) -> bool:
    """Whether every feed has a complete run that began later than the run ``last``."""
    complete = sa.exists().where(
        SyncRun.feed_id == Feed.id, SyncRun.id > last, SyncRun.outcome == RunOutcome.COMPLETE
    )
    return work.session.scalar(sa.select(Feed.id).where(~complete).limit(1)) is None
