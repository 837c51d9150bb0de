"""``./crm bench``: builds the demo company at size ``large`` once, then measures pages, documents
and the ERP; ``./crm bench erp`` measures the first load of a big ERP book and the reply reader,
``./crm bench promise`` the promise engine.

The figures of a shared machine are noisy: the ratio to the reference, measured in the same run,
is the one to trust.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click

from b2bcrm.settings import Settings
from bench import book, documents, erp, first_load, pages, promise, reader

FOLDER = Path(os.environ.get("CRM_DATA_DIR", "var")).resolve() / "bench"


@click.group(invoke_without_command=True)
@click.pass_context
@click.option("--size", type=click.Choice(["small", "demo", "large"]), default="large")
@click.option("--seconds", type=float, default=10.0, help="per page")
@click.option("--fresh", is_flag=True, help="build the company again")
@click.option("--page", default="", help="measure only pages whose name contains this")
def main(context: click.Context, *, size: str, seconds: float, fresh: bool, page: str) -> None:
    """Print the tables of pages, documents and the ERP."""
    if context.invoked_subcommand is not None:
        return
    folder = FOLDER / size
    if fresh and folder.exists():
        shutil.rmtree(folder)
    environment = {
        "CRM_DATA_DIR": str(folder),
        "CRM_PORT": str(pages.PORT),
        "CRM_CHEAP_PASSWORDS": "1",
    }
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "b2bcrm.cli", "demo", "build", "--size", size],
        env={**os.environ, **environment},
        check=True,
    )
    print(f"company of size {size}: {time.perf_counter() - start:.1f} s\n", flush=True)
    settings = Settings.from_env(environment)
    pages.measure(settings, environment, seconds=seconds, only=page)
    if page:
        return
    documents.measure()
    twin = folder / "twin-copy.sqlite3"
    shutil.copy(settings.twin_path, twin)
    erp.measure(twin)


@main.command("erp")
@click.option("--part", type=click.IntRange(1, 100), default=1, help="1/PART of the full book")
def erp_load(*, part: int) -> None:
    """The first load of a big ERP book, and the reply reader against zeep and lxml."""
    full = book.Size()
    size = book.Size(
        full.customers // part, full.items // part, full.orders // part, full.work_orders // part
    )
    first_load.measure(FOLDER / "erp", size)
    reader.measure(FOLDER / "erp")


@main.command("promise")
@click.option("--case", "folders", multiple=True, type=click.Path(exists=True, path_type=Path))
@click.option("--lines", "sizes", multiple=True, type=click.IntRange(1), default=promise.SIZES)
@click.option("--load", type=click.IntRange(10, 300), default=90, help="percent")
def promise_engine(*, folders: tuple[Path, ...], sizes: tuple[int, ...], load: int) -> None:
    """The promise engine on planning cases: of given folders, or generated."""
    promise.measure(FOLDER / "promise", folders, sizes, load)


if __name__ == "__main__":
    main()
