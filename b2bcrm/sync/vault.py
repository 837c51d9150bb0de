"""Secrets of connections: by reference to the environment or a file, or sealed in the database.

The sealing key is made from the installation's own secret key and never stored.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import ErpConfig

ENVIRONMENT, FILE, SEALED = "env:", "file:", "sealed:"


@dataclass(frozen=True)
class Vault:
    """``read_variable`` gives a variable of the environment, or None."""

    key: bytes
    read_variable: Callable[[str], str | None]

    @classmethod
    def of(cls, secret_key: str, read_variable: Callable[[str], str | None]) -> Vault:
        """The vault of an installation."""
        key = hashlib.blake2b(secret_key.encode(), digest_size=32, person=b"erp secrets").digest()
        return cls(base64.urlsafe_b64encode(key), read_variable)

    def seal(self, secret: str) -> str:
        """What is stored of a secret that somebody typed."""
        return SEALED + Fernet(self.key).encrypt(secret.encode()).decode()

    def open(self, reference: str) -> str:
        """The secret behind a reference. Raises ErpConfig, never naming the secret."""
        if not reference:
            return ""
        if reference.startswith(ENVIRONMENT):
            name = reference.removeprefix(ENVIRONMENT)
            value = self.read_variable(name)
            if value is None:
                raise ErpConfig(Message("The variable %(name)s is not set.", name=name))
            return value
        if reference.startswith(FILE):
            path = reference.removeprefix(FILE)
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ErpConfig(
                    Message("The secret's file %(path)s cannot be read.", path=path)
                ) from error
        try:
            return Fernet(self.key).decrypt(reference.removeprefix(SEALED).encode()).decode()
        except InvalidToken as error:
            raise ErpConfig(
                Message("The stored secret was sealed with another key: type it again.")
            ) from error


def is_reference(text: str) -> bool:
    """Whether the text names a place instead of being a secret itself."""
    return text.startswith((ENVIRONMENT, FILE, SEALED))
