"""The thirty checks of the contract suite, run over each shipped profile.

A profile is added by one line in ``SYSTEMS``: how to make a system that it speaks to, with its
world, its clock ``at``, its ``requests`` session and a gateway. How many checks must pass
unskipped stands in the profile itself.
"""

from __future__ import annotations

import dataclasses
import tomllib

import pytest

from b2bcrm.ports.erp import Act, Entity
from connectors.erp.contract import entering
from connectors.erp.contract.checks import CHECKS
from connectors.erp.contract.findings import Outcome
from connectors.erp.contract.suite import run
from connectors.erp.gateway import connect
from connectors.erp.profile import PROFILE_DIR
from tests.conftest import NOW
from tests.faces import FACES, THIN_FACES, FaceTwin
from tests.twins import Twin

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1"])]


def _behind(profile):
    """The twin's world behind another ERP's door."""
    return lambda path: FaceTwin(path, profile, NOW)


SYSTEMS = {
    "twin": lambda path: Twin(path, NOW),
    **{name: _behind(name) for name in [*FACES, *THIN_FACES]},
}
# a system that says OK and keeps less than it was sent is proven for reading only
READ_ONLY = set(THIN_FACES)


@pytest.fixture(scope="module", params=sorted(SYSTEMS))
def certified(request, small_world, tmp_path_factory):
    """One run of the suite, with writes where they can be trusted: the report and the system."""
    path = tmp_path_factory.mktemp(request.param) / "world.sqlite"
    path.write_bytes(small_world.read_bytes())
    system = SYSTEMS[request.param](path)
    connection = system.gateway.connection

    def opener(**changes):
        changed = dataclasses.replace(connection, **changes)
        return connect(changed, session=system.session, now=lambda: system.at)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(entering, "ASK_EVERY_S", 0)  # a face has its answer at once
        write = request.param not in READ_ONLY
        report = run(connection, opener, now=lambda: system.at, write=write)
    yield report, system
    system.session.close()
    system.world.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_shipped_profile_keeps_the_contract(certified, check):
    report, _ = certified
    (finding,) = [f for f in report.findings if f.check is check]
    fine = {Outcome.PASSED, Outcome.SKIPPED}
    if check.writes and report.info.profile in READ_ONLY:
        fine.add(Outcome.NOT_RUN)
    assert finding.outcome in fine, str(finding.evidence)


def test_as_many_checks_pass_unskipped_as_the_profile_says(certified):
    report, _ = certified
    stated = tomllib.loads((PROFILE_DIR / f"{report.info.profile}.toml").read_text())
    assert report.count(Outcome.PASSED) == stated["profile"]["contract_checks"]


def test_what_the_checks_entered_is_cancelled_at_the_end_or_named(certified):
    report, system = certified
    if not report.info.can(Entity.SALES_ORDER, Act.CANCEL):
        pytest.skip("the profile cannot cancel; the report names the orders instead")
    orders = system.world.list(Entity.SALES_ORDER, page_size=10**6).records
    entered = [order for order in orders if order.reference.startswith(report.prefix)]
    assert len(entered) > 3
    left = {order.erp_id for order in entered if order.status != "cancelled"}
    if report.info.can(Entity.SALES_ORDER, Act.CANCEL):
        assert not left
    oddities = " ".join(map(str, report.oddities))
    assert all(erp_id in oddities for erp_id in left)
    assert report.fit_to_write
