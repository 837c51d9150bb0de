"""Passwords and secrets: argon2 for what people choose, SHA-256 for what we draw at random.

A drawn secret has 256 bits, so a plain digest is enough and a lookup is one index read.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message

SHORTEST = 10
LONGEST = 200


class Passwords:
    """argon2id; ``cheap`` lowers its cost for tests and demo data, never for real people."""

    def __init__(self, *, cheap: bool = False) -> None:
        self._hasher = (
            PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cheap else PasswordHasher()
        )

    def hash(self, password: str) -> str:
        """The hash to store."""
        return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` is the one; takes as long for nobody's hash as for somebody's."""
        try:
            self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_hex(8))


def check_password(password: str, field: str = "password") -> str:
    """``password`` if it may be chosen; raises Invalid at ``field``."""
    if len(password) < SHORTEST:
        problem = Message("At least %(n)s characters.", n=SHORTEST)
        raise Invalid(problem, code="password_short", fields={field: problem})
    if len(password) > LONGEST:
        problem = Message("At most %(n)s characters.", n=LONGEST)
        raise Invalid(problem, code="password_long", fields={field: problem})
    return password


def draw() -> str:
    """A new secret for a session, a link or a token."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a drawn secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
