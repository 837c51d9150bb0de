"""``crm erp certify``: the contract suite over a connection, and a report that can be signed."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from b2bcrm.cli.erp.group import connection_options, erp, in_one_sentence, opened
from b2bcrm.cli.root import settings_here
from b2bcrm.ports.erp import Connection
from b2bcrm.settings import Settings

if TYPE_CHECKING:  # each takes a good part of a second
    from b2bcrm.documents.certificates import CertificateContent
    from b2bcrm.documents.contents import Firm
    from b2bcrm.kernel.work import Office
    from b2bcrm.sync.recordings import RecordingLog
    from connectors.erp.contract.findings import Finding, Report

LANGUAGES = {"en": "en", "zh-hant": "zh_Hant", "zh-hans": "zh_Hans"}
RECORD_MB = 500
MARKS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped", "not_run": "not run"}


@erp.command("certify")
@connection_options
@click.option("--write", is_flag=True, help="Also enter, change and cancel orders: test systems.")
@click.option("--yes", is_flag=True, help="Do not ask whether it is a test system.")
@click.option("--customer", default="", help="Enter the orders for this customer of the ERP.")
@click.option("--item", default="", help="Enter the orders for this item of the ERP.")
@click.option("--max-rows", type=click.IntRange(min=100), default=50_000, show_default=True)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="The report's folder."
)
@click.option(
    "--record",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the exchanges in this folder, for `crm erp dry-run`.",
)
@click.option("--language", type=click.Choice(list(LANGUAGES), case_sensitive=False), default="en")
def certify(
    connection: Connection,
    *,
    write: bool,
    yes: bool,
    customer: str,
    item: str,
    max_rows: int,
    out: Path | None,
    record: Path | None,
    language: str,
) -> None:
    """Run the thirty checks over a connection and write a report (HTML and PDF) to sign.

    With --write orders are entered under CRM-CERT-... and cancelled at the end. Only a run with
    --write in which nothing failed lets writes be switched on.
    """
    from b2bcrm.kernel.clock import machine_now
    from connectors.erp.contract.suite import run

    settings = settings_here()
    folder = out or settings.data_dir / "certificates"
    if write and not yes:
        where = f"{connection.company or 'its company'} at {connection.base_url}"
        click.confirm(f"Orders are entered in {where}. Is that a test system?", abort=True)
    with in_one_sentence():
        report = run(
            connection,
            partial(opened, connection, _log(record)),
            now=machine_now,
            write=write,
            customer=customer,
            item=item,
            max_rows=max_rows,
            told=_tell,
        )
    office, locale = office_here(settings), LANGUAGES[language.lower()]
    content = content_of(report, _firm(office, connection.company, locale), locale)
    pdf = _written(content, folder)
    click.echo(f"\n{content.verdict}\nThe report is in {pdf}.")
    _kept(office, report, content.result, pdf)
    if not report.clean:
        sys.exit(1)


def _log(folder: Path | None) -> RecordingLog | None:
    from b2bcrm.kernel.clock import machine_now
    from b2bcrm.sync.recordings import Recording, RecordingLog

    if folder is None:
        return None
    recording = Recording(folder.parent, folder.name, machine_now)
    recording.start(days=1, megabytes=RECORD_MB)
    return RecordingLog(recording)


def _tell(finding: Finding) -> None:
    name = finding.check.name
    click.echo(f"{MARKS[finding.outcome]:<8} {name:<15} {finding.evidence}")


def result_of(report: Report) -> str:
    """A value of ``CertificateResult``."""
    if not report.clean:
        return "failed"
    return "writes" if report.fit_to_write else "reads"


def content_of(report: Report, firm: Firm, locale: str) -> CertificateContent:
    """The report as the document says it."""
    from b2bcrm.documents.certificates import (
        ACT_WORDS,
        CertificateContent,
        CheckRow,
        EntityRow,
        SpeedRow,
    )
    from b2bcrm.sync.queries import entity_word

    info, connection = report.info, report.connection
    return CertificateContent(
        firm=firm,
        language=locale,
        at=report.at,
        connection=connection.code,
        address=connection.base_url,
        company=connection.company,
        user=connection.user,
        product=report.product,
        profile=info.profile,
        profile_version=info.version,
        profile_digest=info.profile_digest,
        wsdl_digest=info.wsdl_digest,
        result=result_of(report),
        prefix=report.prefix,
        checks=tuple(
            CheckRow(
                name=finding.check.name,
                sentence=finding.check.sentence,
                outcome=finding.outcome.value,
                evidence=finding.evidence,
            )
            for finding in report.findings
        ),
        entities=tuple(
            EntityRow(
                name=entity_word(entity.value),
                acts=tuple(word for act, word in ACT_WORDS.items() if act in capability.acts),
                off=tuple((ACT_WORDS[act], reason) for act, reason in capability.off.items()),
                manner=f"delta={capability.delta}, paging={capability.paging}, "
                f"deletes={capability.deletes}",
            )
            for entity, capability in info.capabilities.items()
        ),
        oddities=report.oddities,
        speeds=tuple(
            SpeedRow(name=entity_word(s.entity.value), rows=s.rows, seconds=s.seconds)
            for s in report.speeds
        ),
        calls_per_second=report.calls_per_second,
    )


def _written(content: CertificateContent, folder: Path) -> Path:
    """Both files of the report; the PDF's path."""
    from b2bcrm.documents.certificates import certificate_html, certificate_pdf

    folder.mkdir(parents=True, exist_ok=True)
    name = f"{content.connection}-{content.at:%Y-%m-%dT%H%M%S}-{content.result}"
    (folder / f"{name}.html").write_text(certificate_html(content), encoding="utf-8")
    pdf = folder / f"{name}.pdf"
    pdf.write_bytes(certificate_pdf(content))
    return pdf


def _firm(office: Office | None, company: str, locale: str) -> Firm:
    """Our side as the report's head shows it: the company that the ERP calls ``company``."""
    import sqlalchemy as sa

    from b2bcrm.documents.contents import Firm, firm_of
    from b2bcrm.kernel.organization import Company

    if office is None:
        return Firm(name="")
    with office.open(read_only=True) as work:
        order = sa.case((Company.erp_company == company, 0), else_=1), Company.id
        found = work.session.scalars(sa.select(Company).order_by(*order)).first()
        return Firm(name="") if found is None else firm_of(found, locale)


def _kept(office: Office | None, report: Report, result: str, pdf: Path) -> None:
    """Store the outcome, which the switch of writes asks for."""
    from b2bcrm.sync.certificates import Certificate, CertificateResult, record
    from connectors.erp.contract.findings import Outcome

    if office is None:
        click.echo("The result is not stored: there is no database here yet (./crm db upgrade).")
        return
    with office.open() as work:
        record(
            work,
            Certificate(
                connection_code=report.connection.code,
                profile=report.info.profile,
                profile_digest=report.info.profile_digest,
                result=CertificateResult(result),
                passed=report.count(Outcome.PASSED),
                failed=report.count(Outcome.FAILED),
                skipped=report.count(Outcome.SKIPPED),
                not_run=report.count(Outcome.NOT_RUN),
                report_file=str(pdf),
            ),
        )


def office_here(settings: Settings) -> Office | None:
    """The installation's database, or None where none stands at today's schema."""
    from sqlalchemy.exc import SQLAlchemyError

    from b2bcrm import migrations
    from b2bcrm.bootstrap import open_office

    path = Path(settings.database_url.removeprefix("sqlite:///"))
    if settings.database_url.startswith("sqlite:///") and not path.is_file():
        return None  # asking would make an empty file
    office = open_office(settings)
    try:
        stands = migrations.current(office.engine) == migrations.newest()
    except SQLAlchemyError:
        return None
    return office if stands else None
