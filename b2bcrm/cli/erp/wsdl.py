"""``crm erp wsdl``: the contracts of a site, added once and kept in the data folder."""

from __future__ import annotations

import click

from b2bcrm.cli.erp.group import erp, secret_of
from b2bcrm.cli.root import settings_here


@erp.group("wsdl")
def wsdl() -> None:
    """WSDLs of this site's ERP, for profiles that say `wsdl = "site:NAME"`."""


@wsdl.command("add")
@click.argument("source")
@click.option("--as", "name", default="", help="The name in profiles; without it the file's.")
@click.option(
    "--allow", "hosts", multiple=True, metavar="HOST", help="Another host to import from."
)
@click.option("--user", default="", help="Login, where the address asks for one.")
@click.option("--secret-env", metavar="VAR", help="The variable that holds its password.")
@click.option("--replace", is_flag=True, help="Take the place of the one with this name.")
def add(
    source: str,
    *,
    name: str,
    hosts: tuple[str, ...],
    user: str,
    secret_env: str | None,
    replace: bool,
) -> None:
    """Store the WSDL SOURCE (a file or an http(s) address) with everything it imports.

    It is read this once; afterwards nothing is fetched from anywhere.
    """
    from b2bcrm.kernel.clock import machine_now
    from connectors.erp import site_wsdl

    folder = settings_here().site_wsdl_dir
    before = {stored.name: stored.digest for stored in site_wsdl.listed(folder)}
    try:
        stored = site_wsdl.add(
            source,
            folder,
            at=machine_now(),
            name=name,
            hosts=hosts,
            login=(user, secret_of(secret_env)) if user else None,
            replace=replace,
        )
    except site_wsdl.WsdlError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f'wsdl = "site:{stored.name}"')
    click.echo(
        f"{stored.operations} operations in {len(stored.files)} files, SHA-256 {stored.digest}"
    )
    if before.get(stored.name, stored.digest) != stored.digest:
        click.echo(f"It differs from the one it replaces, {before[stored.name]}: certify again.")


@wsdl.command("list")
def show() -> None:
    """What was added, from where, with which digest."""
    from connectors.erp import site_wsdl

    found = site_wsdl.listed(settings_here().site_wsdl_dir)
    if not found:
        click.echo("None yet: ./crm erp wsdl add FILE|URL")
    for stored in found:
        click.echo(
            f"site:{stored.name:<24} {stored.digest[:16]}  {stored.operations:>4} operations  "
            f"{len(stored.files):>3} files  {stored.at[:10]}  {stored.source}"
        )
