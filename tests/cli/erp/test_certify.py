"""``crm erp certify``: the report, what is stored of it, and what it lets people do."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from b2bcrm import migrations
from b2bcrm.kernel.database import make_engine
from b2bcrm.sync.certificates import Certificate, CertificateResult, certified
from connectors.erp.contract.checks import CHECKS

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def database(tmp_path):
    (tmp_path / "data").mkdir()
    engine = make_engine(f"sqlite:///{tmp_path / 'data' / 'crm.sqlite3'}")
    migrations.upgrade(engine)
    yield engine
    engine.dispose()


def stored(database):
    with sa.orm.Session(database) as session:
        return session.scalars(sa.select(Certificate)).all()


def test_a_run_with_orders_is_stored_and_can_be_signed(crm, connection, database, tmp_path):
    done = crm("erp", "certify", *connection, "--write", "--yes", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    (kept,) = stored(database)
    assert (kept.result, kept.failed, kept.not_run) == (CertificateResult.WRITES, 0, 0)
    with sa.orm.Session(database) as session:
        assert certified(session, "twin", kept.profile_digest)
        assert not certified(session, "twin", "another text of the profile")
        assert not certified(session, "other", kept.profile_digest)
    text = " ".join(page.extract_text() for page in PdfReader(kept.report_file).pages)
    flat = " ".join(text.split())
    assert all(check.name in flat for check in CHECKS)
    assert "For the operator of the ERP" in flat
    html = (tmp_path / "out").glob("*.html").__next__().read_text()
    assert "packaged:" not in html
    assert all(check.name in html for check in CHECKS)


def test_without_leave_to_write_nothing_is_entered_and_writes_stay_off(crm, connection, database):
    done = crm("erp", "certify", *connection)
    assert done.exit_code == 0, done.output
    assert "not run  enter" in done.output
    assert "writes stay off" in done.output
    (kept,) = stored(database)
    assert kept.result is CertificateResult.READS
    with sa.orm.Session(database) as session:
        assert not certified(session, "twin", kept.profile_digest)


def test_a_system_that_is_not_said_to_be_a_test_system_is_left_alone(crm, connection, database):
    done = crm("erp", "certify", *connection, "--write", typed="n\n")
    assert done.exit_code == 1
    assert "Is that a test system?" in done.output
    assert stored(database) == []


def test_a_failed_run_ends_with_an_error_and_is_stored_as_failed(crm, connection, database):
    done = crm("erp", "certify", *connection, "--set", "company=NOBODY")
    assert done.exit_code == 1
    (kept,) = stored(database)
    assert (kept.result, kept.failed) == (CertificateResult.FAILED, 1)


def test_without_a_database_the_report_is_written_and_the_person_told(crm, connection, tmp_path):
    done = crm("erp", "certify", *connection, "--out", tmp_path / "out", "--language", "zh-Hant")
    assert done.exit_code == 0, done.output
    assert "not stored" in done.output
    assert not (tmp_path / "data" / "crm.sqlite3").exists()
    assert "檢查項目" in next((tmp_path / "out").glob("*.html")).read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--max-rows", "3"], "3 is not in the range"),
        (["--language", "de"], "'de' is not one of"),
    ],
)
def test_wrong_input_gets_one_sentence(crm, options, said):
    done = crm("erp", "certify", *options)
    assert done.exit_code == 2
    assert said in done.output
