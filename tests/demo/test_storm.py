"""The storm: clean with every safeguard in place, red as soon as one of them is taken out."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from b2bcrm.demo.storm.weather import forecast
from connectors.erp.twin.faults import Fault

ROOT = Path(__file__).parents[2]
ONE_AT_A_TIME = Path(tempfile.gettempdir()) / "b2bcrm-one-storm"  # each keeps the machine busy


def storm(url, weather, *, seed=1, without=""):
    """A storm's report; ``without`` names the safeguard that is taken out."""
    with ONE_AT_A_TIME.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _storm(url, weather, seed, without)


def _storm(url, weather, seed, without):
    command = [sys.executable, "-m", "tests.storming", url, weather, str(seed)]
    done = subprocess.run(
        [*command, without] if without else command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("faults", [200, 10_000])
def test_half_of_the_faults_are_on_writes_and_every_kind_comes(faults):
    expected = forecast(faults)
    on_writes = sum(expected.writes.values()) + expected.kills / 2
    assert expected.faults == faults
    assert abs(on_writes - faults / 2) <= 1
    least = 100 if faults == 10_000 else 1
    for kind in Fault:
        assert expected.writes.get(kind, 0) + expected.reads.get(kind, 0) >= least
    assert forecast(10_000).kills == 50


@pytest.mark.slow
def test_two_hundred_faults_lose_nothing(database_url):
    report = storm(database_url, "all kinds")
    assert report["clean"], report
    assert sum(map(sum, report["struck"].values())) + report["kills"] == 200
    assert report["stored"] + report["withdrawn"] == report["sent"] > 0


@pytest.mark.db
@pytest.mark.full
@pytest.mark.parametrize("seed", [2, 3])
def test_a_thousand_faults_lose_nothing(database_url, seed):
    report = storm(database_url, "many", seed=seed)
    assert report["clean"], report


@pytest.mark.full
@pytest.mark.parametrize(
    ("weather", "safeguard", "red"),
    [
        ("lost answers", "look-up", "doubled"),
        ("late commits", "overlap", "differing"),
        ("short pages", "deferred watermark", "differing"),
    ],
)
def test_without_a_safeguard_the_same_weather_turns_the_storm_red(
    database_url, weather, safeguard, red
):
    report = storm(database_url, weather, without=safeguard)
    assert not report["clean"]
    assert report[red], report


@pytest.mark.full
@pytest.mark.parametrize("weather", ["lost answers", "late commits", "short pages"])
def test_with_its_safeguard_the_same_weather_is_harmless(database_url, weather):
    report = storm(database_url, weather)
    assert report["clean"], report
