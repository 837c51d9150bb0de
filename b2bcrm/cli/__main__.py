"""``python -m b2bcrm.cli``: all commands."""

from __future__ import annotations

from b2bcrm.cli import feeding, keeping, planning, serving  # noqa: F401 - they add their commands
from b2bcrm.cli.erp import commands  # noqa: F401 - same
from b2bcrm.cli.root import main

main(prog_name="./crm")
