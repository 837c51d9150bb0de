"""A small storm in a process of its own, for tests: prints its report as JSON.

Run as ``python -m tests.storming DATABASE_URL FORECAST SEED [SAFEGUARD]``. A SAFEGUARD is taken
out of the product first, so that a test can see the storm go red without it.
"""

from __future__ import annotations

import json
import sys

from b2bcrm.demo.storm.run import Storm
from b2bcrm.demo.storm.weather import Forecast, forecast
from b2bcrm.sync import runs
from b2bcrm.sync.entering import Entering
from b2bcrm.sync.models import RunOutcome
from connectors.erp.twin.faults import Fault

WITHIN_S, CALM_WITHIN_S = 400.0, 120.0
CALM_WITHOUT_S = 40.0  # what is doubled never comes to rest
FORECASTS = {
    "all kinds": lambda: forecast(200),
    "many": lambda: forecast(1000),
    "lost answers": lambda: Forecast({Fault.TIMEOUT_AFTER_COMMIT: 25}, {}, kills=0),
    "late commits": lambda: Forecast({}, {Fault.LATE_COMMIT: 12}, kills=0),
    "short pages": lambda: Forecast({}, {Fault.TRUNCATED_PAGE: 30}, kills=0),
}


def without_the_look_up() -> None:
    """What is sent again is sent blindly, without a look and without waiting for one."""

    def once(self, *, again, only_look=False):
        return None if only_look else self.create(), None

    Entering.once = once


def without_the_overlap() -> None:
    """A delta begins exactly where the last one ended."""
    runs.since_of = lambda claim: claim.watermark


def without_the_deferred_watermark() -> None:
    """The watermark moves, whether a run has read everything or not."""

    def moved(ending):
        outcome, text = ending
        return (RunOutcome.COMPLETE if outcome is RunOutcome.PARTIAL else outcome), text

    load, delta = runs.load, runs.delta
    runs.load = lambda claim: moved(load(claim))
    runs.delta = lambda claim, **kw: ((found := delta(claim, **kw)) and moved(found[0]), found[1])


SAFEGUARDS = {
    "look-up": without_the_look_up,
    "overlap": without_the_overlap,
    "deferred watermark": without_the_deferred_watermark,
}


def main(url: str, weather: str, seed: str, safeguard: str = "") -> None:
    if safeguard:
        SAFEGUARDS[safeguard]()
    said = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    report = Storm(
        url,
        FORECASTS[weather](),
        int(seed),
        within_s=WITHIN_S,
        calm_within_s=CALM_WITHOUT_S if safeguard else CALM_WITHIN_S,
        tell=said,
    ).run()
    verdict = report.verdict
    print(
        json.dumps(
            {
                "clean": report.clean,
                "calm": report.calm,
                "missing": report.missing,
                "struck": report.struck,
                "kills": report.kills.total,
                "sent": verdict.sent,
                "stored": verdict.stored,
                "withdrawn": verdict.withdrawn,
                "doubled": verdict.doubled,
                "lost": verdict.lost,
                "altered": verdict.altered,
                "unlinked": verdict.unlinked,
                "differing": verdict.differing,
                "stuck": verdict.stuck,
                "hidden": report.desk.hidden,
                "defects": report.defects,
                "seconds": report.seconds,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
