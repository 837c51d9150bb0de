"""Messages that the ERP sends to us: what became of a write that it had only taken in."""

from __future__ import annotations

import io
from collections.abc import Sequence

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Confirmation, ErpDrift, ErpRefused, WriteResult
from connectors.erp import errors
from connectors.erp.answers import Told
from connectors.erp.decoded import Decoded
from connectors.erp.profile import Profile
from connectors.erp.replies import ReplyBroken, ReplyForbidden, ReplyForeign, read_envelope


def confirmations(profile: Profile, raw: bytes) -> Sequence[Confirmation]:
    """What a raw message confirms; 'still at work' confirms nothing.

    Raises ErpRefused where it is none, ErpDrift where unclear.
    """
    call = profile.calls["confirm"]
    try:
        stream = Decoded(io.BytesIO(raw), profiled=profile.charset, replace=True)
        answer = read_envelope(stream, call.response, call.wanted, keep=True)
    except (ReplyBroken, ReplyForbidden, ReplyForeign) as error:
        raise ErpRefused(
            Message("This is no confirmation that the ERP profile knows: %(text)s", text=str(error))
        ) from error
    if answer.reply is None:
        raise ErpRefused(
            Message("This is no confirmation that the ERP profile knows: %(text)s", text="Fault")
        )
    if answer.reply.drift:
        drift: ErpDrift = errors.drifted(answer.reply.drift)
        raise drift
    told: list[Told] = answer.reply.rows[0]
    return [_confirmation(one) for one in told if one.state != "open"]


def _confirmation(told: Told) -> Confirmation:
    if told.state == "refused":
        return Confirmation(told.message_id, told.reference, None, told.messages)
    result = WriteResult(told.erp_id, told.version, {}, told.messages)
    return Confirmation(told.message_id, told.reference, result)
