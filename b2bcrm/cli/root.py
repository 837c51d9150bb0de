"""The command group and the settings that every command reads first."""

from __future__ import annotations

import click

from b2bcrm.settings import Settings, SettingsError


@click.group()
def main() -> None:
    """An order-centric B2B CRM for manufacturers."""


def settings_here() -> Settings:
    """Settings of this environment, or one sentence and the end."""
    try:
        return Settings.of_this_process()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
