"""A session that a call of the ERP opens: ``[calls.login]`` gives its token.

The token goes into the SOAP header that ``[auth] header`` names, and into whatever place of a
request says ``${session}``. A session that has ended is opened anew, once per call.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lxml import etree

from connectors.erp import errors
from connectors.erp.answers import Session
from connectors.erp.channel import Channel
from connectors.erp.misfit import ProfileError
from connectors.erp.plugins import Plugin as Base
from connectors.erp.profile.model import Profile


class Plugin(Base):
    """One session per connection, shared by its threads."""

    has_session = True

    def __init__(self) -> None:
        self._token = ""
        self._header = ""
        self._lock = threading.Lock()

    def fit(self, profile: Profile) -> None:
        """Takes the header's name. Raises ProfileError where there is no login."""
        login = profile.calls.get("login")
        if login is None or not login.wanted or login.wanted[0].plan.record is not Session:
            raise ProfileError(
                'calls.login is missing: which call opens the session? (record = "session")'
            )
        self._header = profile.auth.header

    def token(self, channel: Channel) -> str:
        """The session, opened where there is none. Raises ErpAuth: it was refused, in any words."""
        with self._lock:  # several threads need one session, not several
            if not self._token:
                found: Session | None = channel.login("login").one()
                if found is None or not found.token:
                    raise errors.auth()
                self._token = found.token
            return self._token

    def forget(self, token: str) -> None:
        """The next call opens another, unless a thread has done so already."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def headers(self, token: str) -> Sequence[etree._Element]:
        """The session in its header; the call that opens it has none."""
        if not token or not self._header:
            return ()
        header = etree.Element(self._header)
        header.text = token
        return (header,)
