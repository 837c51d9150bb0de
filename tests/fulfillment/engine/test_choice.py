"""A command that somebody waits for can do without compiled kernels."""

from __future__ import annotations

import os
import subprocess
import sys

CHOSEN = """
from b2bcrm.fulfillment.planning.choice import choose_plain
choose_plain()
from b2bcrm.fulfillment.planning import readiness
from b2bcrm.fulfillment.planning.engine.compiled import COMPILED
readiness.prepare()
assert readiness.ready() and not COMPILED
"""


def test_who_chooses_plain_functions_before_the_engine_is_loaded_compiles_nothing(tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "ENGINE"}
    environment["CRM_DATA_DIR"] = str(tmp_path)
    subprocess.run([sys.executable, "-c", CHOSEN], env=environment, check=True, timeout=120)
    assert not (tmp_path / "engine").exists()
