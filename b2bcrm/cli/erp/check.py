"""``crm erp check``: one look at a connection, in plain words."""

from __future__ import annotations

import sys

import click

from b2bcrm.cli.erp.group import connection_options, erp, in_one_sentence, opened
from b2bcrm.ports.erp import Act, Connection, ConnectorInfo, Entity, Health

SKEW_LIMIT_S = 300.0
WIDTH = 14


@erp.command("check")
@connection_options
def check(connection: Connection) -> None:
    """Whether the ERP answers, lets us in, knows the company and agrees on the time."""
    with in_one_sentence():
        gateway = opened(connection)
        info, health = gateway.describe(), gateway.check()
    for name, value in report(connection, info, health):
        click.echo(f"{name:<{WIDTH}}{value}")
    if not health.ok:
        click.echo(f"\nNOT OK: {health.message}")
        sys.exit(1)
    click.echo("\nok")


def report(connection: Connection, info: ConnectorInfo, health: Health) -> list[tuple[str, str]]:
    """The lines of the table, name and value."""
    return [
        ("address", connection.base_url),
        ("profile", f"{info.profile}, version {info.version}"),
        ("product", health.product or info.product),
        ("login", f"{connection.user or '(none)'}: {health.message}"),
        ("company", connection.company or "(none named)"),
        ("clock", _clock(health.clock_skew_s)),
        ("WSDL", _wsdl(info.wsdl_digest, health.wsdl_digest)),
        ("reads", ", ".join(e for e in Entity if info.can(e, Act.LIST)) or "nothing"),
    ]


def _clock(skew_s: float | None) -> str:
    if skew_s is None:
        return "the ERP does not tell its time"
    text = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} ours"
    if abs(skew_s) > SKEW_LIMIT_S:
        return f"{text}: more than {SKEW_LIMIT_S / 60:.0f} minutes; set one of the two clocks"
    return text if round(abs(skew_s)) else "agrees with ours"


def _wsdl(ours: str, theirs: str) -> str:
    if theirs and theirs != ours:
        return f"{theirs[:16]}: changed, ours is {ours[:16]}"
    return f"{ours[:16]} (SHA-256)"
