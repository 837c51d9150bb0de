"""``crm erp profile``: a first profile from a WSDL."""

from __future__ import annotations

import re
from pathlib import Path

import click

from b2bcrm.cli.erp.group import erp, in_one_sentence
from b2bcrm.cli.root import settings_here


@erp.group("profile")
def profile() -> None:
    """Profiles: one ERP's words for ours."""


@profile.command("new")
@click.option("--wsdl", required=True, help="A WSDL's file, or site:NAME of one that was added.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Else it is shown.")
@click.option("--zone", default="Asia/Taipei", show_default=True, help="The ERP's time zone.")
def new(*, wsdl: str, out: Path | None, zone: str) -> None:
    """Propose a profile: operations and fields of a WSDL, mapped by name and type.

    It loads as far as it is mapped; each gap is marked "not mapped" with what is missing.
    """
    from connectors.erp import wsdls
    from connectors.erp.drafting.writing import draft
    from connectors.erp.profile import ProfileError, load

    if out is not None and out.exists():
        raise click.ClickException(f"{out} exists; it is not written over.")
    if out is not None and out.suffix != ".toml":
        raise click.UsageError(f"--out {out}: a profile's file ends with .toml.")
    site = str(settings_here().site_wsdl_dir)
    with in_one_sentence():
        if wsdl.startswith("site:"):
            path, reference = wsdls.resolve(wsdl, site=site, folder=""), wsdl
        else:
            path = Path(wsdl).resolve()
            reference = f"file:{path.name}"
            if not path.is_file():
                raise click.ClickException(f"There is no file {wsdl}.")
        name = re.sub(r"[^a-z0-9]+", "-", (out or path).stem.lower()).strip("-")
        text = draft(path, reference, profile_id=name, zone=zone)
    if out is None:
        click.echo(text)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"{out} is written; {text.count('not mapped')} places are marked 'not mapped'.")
    if reference.startswith("file:") and path.parent != out.resolve().parent:
        click.echo(f"Put it beside {path.name}, or add the WSDL: ./crm erp wsdl add {wsdl}")
        return
    try:
        made = load(str(out), site)
    except ProfileError as error:
        click.echo(f"It does not load yet: {error.text}")
        return
    read = [entity.value for entity, c in made.capabilities.items() if c.acts]
    click.echo(f"It loads and reads: {', '.join(read) or 'nothing yet'}.")
