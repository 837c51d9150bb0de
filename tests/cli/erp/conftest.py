"""Commands as a person types them: click's runner, an installation of its own, a served twin."""

from __future__ import annotations

import shutil
import threading

import pytest
from click.testing import CliRunner

from b2bcrm.cli.erp import commands  # noqa: F401 - they add themselves to the group
from b2bcrm.cli.root import main
from b2bcrm.kernel.clock import machine_now
from connectors.erp.twin.listening import make_server
from connectors.erp.twin.server import TwinApp
from connectors.erp.twin.world import TwinWorld


@pytest.fixture
def crm(tmp_path, monkeypatch):
    """Runs a command line in an installation whose data folder is ``tmp_path / 'data'``."""
    monkeypatch.setenv("CRM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("ERP_PASSWORD_HERE", "open")

    def run(*words, typed=None):
        return CliRunner().invoke(main, [str(word) for word in words], input=typed)

    return run


@pytest.fixture
def served(small_world, tmp_path):
    """The twin on loopback; its address."""
    world = TwinWorld(shutil.copy(small_world, tmp_path / "twin.sqlite"), now=machine_now)
    app = TwinApp(world, user="crm", password="open")
    with make_server(app, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
    world.close()


@pytest.fixture
def connection(served):
    """The options that name the served twin."""
    pairs = {"base_url": served, "company": "FPD-TW", "user": "crm"}
    options = ["--profile", "twin", "--secret-env", "ERP_PASSWORD_HERE"]
    for name, value in pairs.items():
        options += ["--set", f"{name}={value}"]
    return options
