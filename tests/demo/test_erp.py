"""The demo's clock moves twin and CRM together; a reset touches nothing but a demo."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from b2bcrm.bootstrap import APPLIERS, ROUTES
from b2bcrm.demo.build import build_if_empty, remove
from b2bcrm.demo.erp import advance, business_time
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.database import Base, BusinessClock, make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.orders.models import OrderLine
from b2bcrm.settings import Settings
from b2bcrm.sync.engine import FEEDS, Puller
from b2bcrm.sync.models import Feed, RunOutcome, SyncRun
from b2bcrm.users.models import User
from connectors.erp.gateway import connect
from connectors.erp.twin.inprocess import mount
from connectors.erp.twin.server import TwinApp
from connectors.erp.twin.world import TwinWorld
from tests.twins import BASE, CONNECTION

DAY = 24 * 3600


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An embedded installation with an empty schema."""
    settings = Settings.from_env({"CRM_DATA_DIR": str(tmp_path)})
    engine = make_engine(settings.database_url)
    Base.metadata.create_all(engine)
    engine.dispose()
    return settings


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a demo, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    settings = Settings.from_env({"CRM_DATA_DIR": str(folder)})
    engine = make_engine(settings.database_url)
    Base.metadata.create_all(engine)
    engine.dispose()
    assert build_if_empty(settings, size="small", seed=3)
    return folder


@pytest.fixture
def demo(template: Path, settings: Settings) -> Settings:
    """An embedded installation with the demo company in it."""
    shutil.copytree(template, settings.data_dir, dirs_exist_ok=True)
    return settings


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    """Its Works, on the machine's clock."""
    engine = make_engine(settings.database_url)
    yield Office(engine=engine, routes=ROUTES)
    engine.dispose()


def nobody_but(office: Office, name: str) -> None:
    """A person who belongs to no demo."""
    with office.open() as work:
        work.session.add(
            User(
                email="real@person.example",
                name=name,
                role=Role.ADMIN,
                password_hash="x",
                created_at=work.tick,
            )
        )


def test_a_demo_is_built_once(demo: Settings) -> None:
    made = demo.twin_path.stat().st_mtime_ns
    assert not build_if_empty(demo, size="small", seed=3)
    assert demo.twin_path.stat().st_mtime_ns == made
    assert not list(demo.data_dir.glob("twin.new*"))


def test_advancing_moves_the_twin_and_the_next_pull_changes_orders(
    demo: Settings, office: Office
) -> None:
    now = business_time(office.engine)
    before = now()
    world = TwinWorld(demo.twin_path, now=now)
    app = TwinApp(world, user="crm", password="open")
    erp = connect(CONNECTION, session=mount(app, BASE), now=now)
    puller = Puller(office, erp, "main", APPLIERS)
    puller.ensure_feeds()
    assert puller.pull_due() == len(FEEDS)
    assert puller.pull_due() == 0
    shipped = sa.select(sa.func.sum(OrderLine.shipped_qty))
    with office.open(read_only=True) as work:
        first = work.session.scalar(shipped)

    then = advance(demo, 7)

    assert then - before >= dt.timedelta(days=7)
    with office.open(read_only=True) as work:
        assert work.now - before >= dt.timedelta(days=7)
        assert work.session.scalar(sa.select(BusinessClock.ahead_s)) == 7 * DAY
    assert business_time(office.engine)() - before >= dt.timedelta(days=7)
    world.advance_to(then)
    assert puller.pull_due() == len(FEEDS)
    with office.open(read_only=True) as work:
        assert (work.session.scalar(shipped) or 0) > (first or 0)
        outcomes = set(work.session.scalars(sa.select(SyncRun.outcome)))
        assert outcomes == {RunOutcome.COMPLETE}
    world.close()


@pytest.mark.usefixtures("demo")
def test_the_worker_begins_with_deltas(office: Office) -> None:
    with office.open(read_only=True) as work:
        feeds = {feed.entity: feed for feed in work.session.scalars(sa.select(Feed))}
        assert set(feeds) == {entity.value for entity in FEEDS}
        assert all(feed.watermark and feed.rows_total > 0 for feed in feeds.values())


def test_reset_removes_a_demo(demo: Settings) -> None:
    demo.mail_dir.mkdir()
    (demo.mail_dir / "one.eml").write_text("x")
    remove(demo)
    assert not demo.twin_path.exists()
    assert not list(demo.data_dir.glob("crm.sqlite3*"))
    assert not list(demo.mail_dir.iterdir())
    assert [path for path in demo.files_dir.rglob("*") if path.is_file()] == []


def test_reset_refuses_a_database_that_is_no_demo(settings: Settings, office: Office) -> None:
    nobody_but(office, "Somebody real")
    with pytest.raises(ValueError, match="not a demo"):
        remove(settings)
    with office.open(read_only=True) as work:
        assert work.session.scalar(sa.select(User.name)) == "Somebody real"


def test_reset_refuses_a_file_that_is_another_programs(settings: Settings) -> None:
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE precious (id INTEGER)")
    other.commit()
    other.close()
    with pytest.raises(ValueError, match="not a demo"):
        remove(settings)
    assert path.exists()


def test_nothing_is_built_into_a_database_that_somebody_uses(
    settings: Settings, office: Office
) -> None:
    nobody_but(office, "Somebody real")
    assert not build_if_empty(settings, size="small", seed=3)
    assert not settings.twin_path.exists()


def test_a_build_that_fails_leaves_nothing(
    settings: Settings, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("the power went out")

    monkeypatch.setattr("b2bcrm.demo.load.project_living", fail)
    with pytest.raises(RuntimeError, match="power"):
        build_if_empty(settings, size="small", seed=3)
    with office.open(read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(User)) == 0
    assert not list(settings.data_dir.glob("twin*"))
    monkeypatch.undo()
    assert build_if_empty(settings, size="small", seed=3)
