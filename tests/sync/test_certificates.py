"""When a certificate lets writes be switched on."""

from __future__ import annotations

import pytest

from b2bcrm.sync.certificates import Certificate, CertificateResult, certified, record

pytestmark = pytest.mark.db


def kept(work, result, *, digest="d1", connection="main"):
    certificate = Certificate(
        connection_code=connection,
        profile="twin",
        profile_digest=digest,
        result=result,
        passed=27,
        failed=0,
        skipped=3,
        not_run=0,
        report_file="report.pdf",
    )
    record(work, certificate)
    work.session.flush()
    return certificate


def test_only_a_run_that_entered_orders_lets_writes_be_switched_on(work):
    assert not certified(work.session, "main", "d1")
    kept(work, CertificateResult.READS)
    assert not certified(work.session, "main", "d1")
    kept(work, CertificateResult.WRITES)
    assert certified(work.session, "main", "d1")


def test_a_changed_profile_and_another_connection_are_not_certified(work):
    kept(work, CertificateResult.WRITES)
    assert not certified(work.session, "main", "d2")
    assert not certified(work.session, "second", "d1")


def test_a_newer_run_that_failed_takes_the_leave_back(work):
    kept(work, CertificateResult.WRITES)
    kept(work, CertificateResult.FAILED)
    assert not certified(work.session, "main", "d1")


def test_a_certificate_is_dated_by_the_machine_that_ran_it(work):
    assert kept(work, CertificateResult.WRITES).at == work.tick
