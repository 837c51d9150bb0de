"""The group ``erp``, and the options by which every command of it is told the connection.

Without ``--profile`` a command takes the configured connection. With it nothing of the
installation's own settings is used but its data folder, so that an integrator can try a system
before anything is configured.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from b2bcrm.cli.root import main, settings_here
from b2bcrm.kernel.errors import CrmError
from b2bcrm.ports.erp import Connection, EnvelopeLog, ErpGateway
from b2bcrm.settings import secret_in

NUMBERS = {"connect_timeout_s": float, "read_timeout_s": float, "reply_cap_mb": int}
WORDS = ("base_url", "company", "user")


@main.group()
def erp() -> None:
    """ERP connections: check, certify, dry-run, wsdl, profile, record."""


def connection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name a connection; ``command`` gets it as ``connection``."""

    @click.option("--profile", "profile", help="A shipped profile's name, or a profile's file.")
    @click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="base_url, company, user, time-outs, or what the profile asks for; repeatable.",
    )
    @click.option("--secret-env", metavar="VAR", help="The variable that holds the password.")
    @functools.wraps(command)
    def with_connection(
        *, profile: str | None, settings: tuple[str, ...], secret_env: str | None, **rest: Any
    ) -> Any:
        return command(connection=named(profile, settings, secret_env), **rest)

    return with_connection


def named(profile: str | None, pairs: tuple[str, ...], secret_env: str | None) -> Connection:
    """The connection that the options name, or the configured one."""
    from b2bcrm.bootstrap import erp_connection

    if profile is None:
        if pairs or secret_env:
            raise click.UsageError("--set and --secret-env need --profile.")
        return erp_connection(settings_here())
    return made(profile, _pairs(pairs), secret_of(secret_env), settings_here().site_wsdl_dir)


def made(profile: str, values: dict[str, str], secret: str, site: Path) -> Connection:
    """A connection from the values of ``--set``."""
    known: dict[str, Any] = {name: values.pop(name, "") for name in WORDS}
    if not known["base_url"].startswith(("http://", "https://")):
        raise click.UsageError("--set base_url=... must be an address with http:// or https://.")
    for name, kind in NUMBERS.items():
        if (text := values.pop(name, None)) is not None:
            try:
                known[name] = kind(text)
            except ValueError:
                raise click.UsageError(f"--set {name}={text}: not a number.") from None
    return Connection(
        code=Path(profile).stem[:20],
        profile=profile,
        secret=secret,
        params=values,
        site_wsdl=str(site),
        **known,
    )


def _pairs(pairs: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--set {pair}: write NAME=VALUE.")
        values[name.strip()] = value
    return values


def secret_of(variable: str | None) -> str:
    """The secret in the variable of ``--secret-env``; empty where none is named."""
    if variable is None:
        return ""
    secret = secret_in(variable)
    if secret is None:
        raise click.UsageError(f"--secret-env {variable}: there is no such variable.")
    return secret


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """What the connector or a profile objects to ends the command with one sentence."""
    from connectors.erp.profile import ProfileError

    try:
        yield
    except (CrmError, ProfileError) as error:
        raise click.ClickException(str(error)) from error


def opened(connection: Connection, log: EnvelopeLog | None = None, /, **changes: Any) -> ErpGateway:
    """A gateway of its own for ``connection``, with other settings where ``changes`` says so."""
    from b2bcrm.kernel.clock import machine_now
    from connectors.erp.gateway import connect

    return connect(dataclasses.replace(connection, **changes), log, now=machine_now)
