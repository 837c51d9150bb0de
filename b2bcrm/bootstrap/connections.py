"""From rows to gateways: one gateway, one gate and one puller per active connection.

Rows are read again at each round of the worker, so that a connection entered on a page is used
without a restart, and one that changed gets a new session of its own: nothing of one connection
(cookies, limits, caches) is ever another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog

from b2bcrm.bootstrap.feeds import appliers, identify
from b2bcrm.kernel.errors import CrmError, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Office, Work
from b2bcrm.ports.erp import Connection, ErpGateway
from b2bcrm.settings import Settings
from b2bcrm.sync import connections
from b2bcrm.sync.engine import Puller
from b2bcrm.sync.envelopes import StoredEnvelopes
from b2bcrm.sync.gate import DatabaseGate
from b2bcrm.sync.models import ErpConnection
from b2bcrm.sync.recordings import Recording
from b2bcrm.sync.vault import Vault

log = structlog.get_logger("connections")


def vault_of(settings: Settings) -> Vault:
    """Where secrets of connections are sealed and opened."""
    return Vault.of(settings.secret_key, settings.variable)


def erp_connection(settings: Settings) -> Connection:
    """The first connection, as the environment defines it."""
    return Connection(
        code=connections.MAIN,
        profile=settings.erp_profile,
        base_url=settings.erp_url,
        company=settings.erp_company,
        user=settings.erp_user,
        secret=settings.erp_secret,
        params=dict(settings.erp_params),
        site_wsdl=str(settings.site_wsdl_dir),
    )


def register_main(settings: Settings, office: Office) -> None:
    """Write the first connection down, as the environment defines it."""
    with office.open() as work:
        connections.register_main(
            work,
            trusted=settings.demo,
            profile=settings.erp_profile,
            base_url=settings.erp_url,
            company=settings.erp_company,
            user=settings.erp_user,
            secret="env:ERP_SECRET" if not settings.demo else "",
            params=dict(settings.erp_params),
        )


def gateway(connection: Connection, settings: Settings, office: Office) -> ErpGateway:
    """A gateway with its own session, log and gate. Raises ErpConfig."""
    from connectors.erp.gateway import connect

    recording = Recording(settings.recordings_dir, connection.code, office.clock.tick)
    stored = StoredEnvelopes(office, connection.code, recording)
    info = connect(connection, stored, now=office.clock.tick).describe()
    gate = DatabaseGate(office, connection.code, info.concurrency, info.per_minute)
    return connect(connection, stored, now=office.clock.tick, gate=gate)


@dataclass
class Connections:
    """Gateways and pullers of all connections, kept as long as their rows stay as they are."""

    settings: Settings
    office: Office
    main: Puller
    _gateways: dict[str, tuple[Connection, ErpGateway]] = field(default_factory=dict)
    _pullers: dict[str, Puller] = field(default_factory=dict)

    def erp(self, work: Work, code: str) -> ErpGateway:
        """The gateway of a connection, for what is sent to it. NotFound; ErpConfig."""
        if code == connections.MAIN:
            return self.main.erp
        return self._gateway(connections.get(work, code))

    def pullers(self) -> list[Puller]:
        """One per active connection, the first one first; a broken one is left out and logged."""
        with self.office.open(read_only=True) as work:
            query = sa.select(ErpConnection).where(
                ErpConnection.active, ErpConnection.code != connections.MAIN
            )
            rows = work.session.scalars(query.order_by(ErpConnection.id)).all()
        return [self.main, *filter(None, map(self._puller, rows))]

    def _puller(self, row: ErpConnection) -> Puller | None:
        try:
            erp = self._gateway(row)
            puller = self._pullers.get(row.code)
            if puller is None or puller.erp is not erp:
                puller = Puller(self.office, erp, row.code, appliers(row.code), identify(row.code))
                puller.ensure_feeds()
                self._pullers[row.code] = puller
        except CrmError as error:
            log.warning("connection_cannot_be_used", connection=row.code, reason=str(error))
            return None
        return puller

    def _gateway(self, row: ErpConnection) -> ErpGateway:
        wanted = self._connection(row)
        connection, erp = self._gateways.get(row.code, (None, None))
        if erp is None or connection != wanted:
            erp = gateway(wanted, self.settings, self.office)
            self._gateways[row.code] = wanted, erp
        return erp

    def _connection(self, row: ErpConnection) -> Connection:
        return Connection(
            code=row.code,
            profile=row.profile,
            base_url=row.base_url,
            company=row.company,
            user=row.user,
            secret=vault_of(self.settings).open(row.secret),
            params={name: str(value) for name, value in row.params.items()},
            site_wsdl=str(self.settings.site_wsdl_dir),
        )


class Listening:
    """What an ERP sends us by itself is read by its connection's profile; nobody is called."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._kept: dict[tuple[object, ...], ErpGateway] = {}

    def __call__(self, work: Work, code: str) -> ErpGateway:
        """The gateway of an active connection; NotFound."""
        row = work.session.scalar(
            sa.select(ErpConnection).where(ErpConnection.code == code, ErpConnection.active)
        )
        if row is None:
            raise not_found(Message("This ERP connection"))
        params = {name: str(value) for name, value in row.params.items()}
        key = (code, row.profile, *sorted(params.items()))
        if key not in self._kept:
            from connectors.erp.gateway import connect

            self._kept[key] = connect(
                Connection(
                    code=code,
                    profile=row.profile,
                    base_url=row.base_url,
                    company=row.company,
                    user=row.user,
                    params=params,
                    site_wsdl=str(self.settings.site_wsdl_dir),
                )
            )
        return self._kept[key]

    def check(self, profile: str, params: Mapping[str, str]) -> None:
        """Raise ErpConfig where a connection's own codes do not fit its profile's maps."""
        from connectors.erp.profile import load

        load(profile, str(self.settings.site_wsdl_dir), params)
