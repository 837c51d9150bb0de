"""Where an ERP that confirms later sends its confirmations: twice and late is the same as once."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import request
from flask_smorest import Blueprint
from werkzeug.exceptions import RequestEntityTooLarge

from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions
from b2bcrm.ports.erp import ErpCannot, ErpDrift, ErpRefused
from b2bcrm.web.api import PROBLEM
from b2bcrm.web.auth import must_scope
from b2bcrm.web.work import in_work, supply

bp = Blueprint("api_erp", __name__, url_prefix="/erp", description="Confirmations of ERPs")
SCOPE = "erp:confirm"
LARGEST, MOST = 256_000, 500  # bytes and confirmations of one message


class ReceivedOut(ma.Schema):
    """How many confirmations the message had, and how many of them were not known yet."""

    received = ma.fields.Integer(required=True)
    new = ma.fields.Integer(required=True)


@bp.post("/<string:connection>/confirmations")
@in_work()
@bp.response(200, ReceivedOut)
@bp.alt_response(404, description="No such connection, or it rests", **PROBLEM)
@bp.alt_response(409, description="The connection's profile takes no confirmations", **PROBLEM)
@bp.alt_response(413, description="The message is too large", **PROBLEM)
@bp.alt_response(422, description="The message is no confirmation", **PROBLEM)
def confirmations(work: Work, connection: str) -> dict[str, Any]:
    """Keep what the ERP says became of our writes, and wake what waits for it.

    The body is the ERP's own message, as the connection's profile describes it.
    """
    must_scope(SCOPE)
    work.actor.must(Right.OPERATE_ERP)
    raw = request.get_data()
    if len(raw) > LARGEST:
        raise RequestEntityTooLarge
    erp = supply("listening")(work, connection)
    try:
        said = erp.ingest(raw)
    except ErpCannot:
        raise
    except (ErpRefused, ErpDrift) as error:
        raise Invalid(error.message, code="no_confirmation") from error
    if len(said) > MOST:
        raise Invalid(Message("At most %(most)s confirmations at once.", most=MOST))
    new = actions.confirmed_later(work, raw, said, connection=connection)
    return {"received": len(said), "new": new}
