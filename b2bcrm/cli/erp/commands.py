"""All commands of the group, by being imported."""

from __future__ import annotations

from b2bcrm.cli.erp import certify, check, dry_run, profile, record, storm, wsdl  # noqa: F401 - they add their commands
