"""Settings: read once from the environment, frozen, passed as an argument everywhere.

Every variable is listed in docs/runbook.md. Missing or wrong ones are named all at once.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from b2bcrm.fulfillment.planning.plant import SERVE_BY, ServeBy


class SettingsError(Exception):
    """The environment is not usable; the text names every fault."""


@dataclass(frozen=True)
class Settings:
    """What differs between installations. Secrets are kept out of the repr."""

    data_dir: Path
    database_url: str = field(repr=False)
    demo: bool
    secret_key: str = field(repr=False)
    base_url: str = "http://127.0.0.1:8000"
    web_port: int = 8000
    web_workers: int = 2
    erp_url: str = ""
    erp_profile: str = "twin"
    erp_company: str = "FPD-TW"
    erp_user: str = "crm"
    erp_secret: str = field(repr=False, default="")
    erp_params: Mapping[str, str] = field(default_factory=dict)
    smtp_url: str = field(repr=False, default="")
    mail_from: str = "sales@formosa.example"
    api_per_token: int = 300
    api_per_address: int = 30
    redis_url: str = field(repr=False, default="")
    cheap_passwords: bool = False
    plans: bool = True  # whether dates come from a plan of the whole order book
    serve_by: Sequence[ServeBy] = SERVE_BY  # what puts the lines of that plan in order
    morning_at: dt.time | None = dt.time(7)  # when the morning report is due; None: never

    @property
    def files_dir(self) -> Path:
        """Where uploaded and generated files are kept."""
        return self.data_dir / "files"

    @property
    def site_wsdl_dir(self) -> Path:
        """WSDLs that the administrator has added, one folder each."""
        return self.data_dir / "wsdl"

    @property
    def recordings_dir(self) -> Path:
        """Exchanges with the ERP that somebody asked to record, one folder per connection."""
        return self.data_dir / "recordings"

    @property
    def mail_dir(self) -> Path:
        """Where the demo catches its mail."""
        return self.data_dir / "mail"

    @property
    def twin_path(self) -> Path:
        """The ERP twin's own database."""
        return self.data_dir / "twin.sqlite3"

    @staticmethod
    def variable(name: str) -> str | None:
        """A variable that a secret's reference names; None if it is not set."""
        return os.environ.get(name)

    @property
    def secure(self) -> bool:
        """Whether the public address is https: cookies are then Secure."""
        return self.base_url.startswith("https://")

    @classmethod
    def of_this_process(cls) -> Settings:
        """Settings of the environment this process runs in; raises SettingsError."""
        return cls.from_env(os.environ)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Settings of this environment.

        Without DATABASE_URL it is the embedded demo. With it, nothing of the demo is loaded,
        and the addresses of the CRM, its ERP and its mail server must be given.
        Raises SettingsError.
        """
        faults: list[str] = []
        data_dir = Path(environ.get("CRM_DATA_DIR", "var")).resolve()
        url = environ.get("DATABASE_URL", "")
        demo = not url
        if url and not url.startswith(("postgresql://", "postgresql+psycopg://", "sqlite:///")):
            faults.append("DATABASE_URL must start with postgresql:// or sqlite:///")
        secret = environ.get("CRM_SECRET_KEY", "")
        if not demo:
            faults += [
                f"{name} is required when DATABASE_URL is set"
                for name in ("CRM_SECRET_KEY", "CRM_BASE_URL", "ERP_URL", "SMTP_URL")
                if not environ.get(name)
            ]
            if secret and len(secret) < 32:  # noqa: PLR2004 - 32 characters, see runbook
                faults.append("CRM_SECRET_KEY must have at least 32 characters")
        port = environ.get("CRM_PORT", "8000")
        workers = environ.get("CRM_WEB_WORKERS", "2")
        per_token = environ.get("CRM_API_PER_TOKEN", "300")
        per_address = environ.get("CRM_API_PER_ADDRESS", "30")
        faults += [
            f"{name} must be a whole number, not {value!r}"
            for name, value in (
                ("CRM_PORT", port),
                ("CRM_WEB_WORKERS", workers),
                ("CRM_API_PER_TOKEN", per_token),
                ("CRM_API_PER_ADDRESS", per_address),
            )
            if not value.isdigit() or int(value) < 1
        ]
        try:
            morning_at = _hour(environ.get("CRM_MORNING_REPORT", "07:00"))
        except ValueError:
            morning_at = None
            faults.append("CRM_MORNING_REPORT must be an hour such as 07:00, or 0 for none")
        try:
            serve_by = _rule(environ.get("CRM_SERVE_BY", ",".join(SERVE_BY)))
        except ValueError:
            serve_by = SERVE_BY
            words = ", ".join(ServeBy)
            faults.append(f"CRM_SERVE_BY must name some of {words}, each once, with commas")
        params = dict(pair.partition("=")[::2] for pair in environ.get("ERP_PARAMS", "").split())
        if not all(params) or not all(params.values()):
            faults.append("ERP_PARAMS must be name=value pairs with spaces between them")
        if faults:
            raise SettingsError("; ".join(faults))
        twin_port = int(port) + 1
        return cls(
            data_dir=data_dir,
            database_url=url or f"sqlite:///{data_dir / 'crm.sqlite3'}",
            demo=demo,
            secret_key=secret or _kept_secret(data_dir),
            base_url=environ.get("CRM_BASE_URL", f"http://127.0.0.1:{port}").rstrip("/"),
            web_port=int(port),
            web_workers=int(workers),
            erp_url=environ.get("ERP_URL", f"http://127.0.0.1:{twin_port}" if demo else ""),
            erp_profile=environ.get("ERP_PROFILE", "twin"),
            erp_company=environ.get("ERP_COMPANY", "FPD-TW"),
            erp_user=environ.get("ERP_USER", "crm"),
            erp_secret=environ.get("ERP_SECRET", "twin-demo" if demo else ""),
            erp_params=params,
            smtp_url=environ.get("SMTP_URL", ""),
            api_per_token=int(per_token),
            api_per_address=int(per_address),
            redis_url=environ.get("REDIS_URL", ""),
            mail_from=environ.get("MAIL_FROM", "sales@formosa.example"),
            plans=environ.get("CRM_PLAN", "") != "0",
            serve_by=serve_by,
            morning_at=morning_at,
            cheap_passwords=environ.get("CRM_CHEAP_PASSWORDS", "") == "1",
        )


def _hour(text: str) -> dt.time | None:
    """A time of day in the home zone; None for ``0``. Raises ValueError."""
    found = None if text == "0" else dt.time.fromisoformat(text)
    if found is not None and found.tzinfo is not None:
        raise ValueError(text)
    return found


def _rule(text: str) -> tuple[ServeBy, ...]:
    """The words of a rule with commas between them. Raises ValueError."""
    found = tuple(ServeBy(word.strip()) for word in text.split(","))
    if len(set(found)) < len(found):
        raise ValueError(text)
    return found


def secret_in(variable: str) -> str | None:
    """The secret in a variable that somebody named on a command line; None if it is not set."""
    return os.environ.get(variable)


def _kept_secret(data_dir: Path) -> str:
    """The demo's secret, made once and kept beside its database."""
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_urlsafe(48))
        path.chmod(0o600)
    return path.read_text().strip()
