"""The ERP monitor: how old each feed is, what waits to be sent, what was said. Acts in ``sync``."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.desk import erp_facts as facts
from b2bcrm.desk.erp_connections import WRITES_WORDS
from b2bcrm.kernel.timeline import version_of
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries as orders
from b2bcrm.sync import actions, findings, queries
from b2bcrm.sync.queries import FeedRow
from b2bcrm.sync.words import entity_word
from b2bcrm.sync.writes import DRY_RUN, WRITES_OFF
from b2bcrm.web.answers import see_other
from b2bcrm.web.live import version_response
from b2bcrm.web.paging import Asked, asked
from b2bcrm.web.work import in_work

bp = Blueprint("erp", __name__, template_folder="templates")

ENVELOPES = 25
UNKNOWN_NAMED = 8
HANDLER_WORDS: dict[str, Message] = {
    "erp.push_order": Message("Orders to the ERP"),
    "erp.push_customer": Message("New customers to the ERP"),
    "mail.answer_settled": Message("Answers about pieces ahead"),
    "mail.approvers": Message("Notices of later days to sales managers"),
    "mail.asker": Message("Decisions on later days"),
    "mail.erp_admins": Message("Notices to ERP administrators"),
    "mail.order_confirmed": Message("Confirmations to customers"),
    "mail.promise_answered": Message("Customers' answers to new dates"),
    "mail.promise_moved": Message("Notices of new dates"),
    "mail.quote": Message("Quotes by mail"),
    "mail.sales_owner": Message("Notices to sales"),
    "users.mail_reset": Message("Password mails"),
}


@bp.get("/erp")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue:
    """Feeds, breaker, outbox, parked rows, last exchanges."""
    seen = version_of(work.session, actions.MONITOR)  # first: what changes now is fetched anew
    wish = asked(sorts=("at",), default="-at", filters=("q", "only"), per_page=ENVELOPES)
    feeds = queries.feeds(work)
    deliveries = queries.open_deliveries(work.session)
    dead = orders.stuck(work)
    exchanges = _exchanges(work, wish)
    connections = queries.connections(work.session)
    return render_template(
        "desk/erp.html",
        seen=seen,
        feeds=feeds,
        oldest=_oldest(feeds),
        connections=connections,
        broken=[c for c in connections if c.open_until and c.open_until > work.tick],
        tick=work.tick,
        deliveries=deliveries,
        handlers=HANDLER_WORDS,
        figures=facts.figures(work),
        differences=facts.differences(work),
        dead=dead,
        held_by_switch=Counter(one.connection for one in dead if one.code in {WRITES_OFF, DRY_RUN}),
        questions=findings.questions(work),
        loads=findings.loads(work, [row.feed for row in feeds]),
        writes_words=WRITES_WORDS,
        now=work.now,
        entity_word=entity_word,
        outcomes=queries.OUTCOME_WORDS,
        exchanges=exchanges[:ENVELOPES],
        older=len(exchanges) > ENVELOPES,
        asked=wish,
        every=_every,
    )


@bp.get("/erp/findings")
@in_work(read_only=True)
def held_back(work: Work) -> ResponseReturnValue:
    """Records held back and drift: a fragment."""
    parked, parked_total = queries.parked_rows(work.session)
    held, held_total = findings.quarantined(work)
    unknown = dict.fromkeys(row.path for row in findings.unknown_elements(work))
    return render_template(
        "desk/erp_findings.html",
        parked=parked,
        held=held,
        held_total=held_total + parked_total,
        notices=findings.open_notices(work),
        unknown_names=", ".join(list(unknown)[:UNKNOWN_NAMED]),
        entity_word=entity_word,
    )


def _exchanges(work: Work, wish: Asked) -> list[queries.EnvelopeRow]:
    """Pulls come every minute, so without a wish only what a person looks for is shown."""
    return queries.envelopes(
        work.session,
        words=wish.get("q").upper() if wish.get("q").lower().startswith("so-") else wish.get("q"),
        failed=wish.get("only") == "failed",
        telling=not wish.get("only") and not wish.get("q"),
        offset=wish.offset,
        limit=ENVELOPES + 1,
    )


def _oldest(feeds: list[FeedRow]) -> FeedRow | None:
    """The feed whose data are the oldest against what is allowed."""
    known = [row for row in feeds if row.data_age is not None]

    def against_limit(row: FeedRow) -> float:
        return (row.data_age or dt.timedelta(0)) / dt.timedelta(minutes=row.feed.limit_minutes)

    return max(known, key=against_limit, default=None)


def _every(seconds: int) -> Message:
    """How often a feed is pulled."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return Message("%(n)s s", n=seconds)
    return Message("%(n)s min", n=seconds // 60)


@bp.get("/erp/version")
@in_work(read_only=True)
def version(work: Work) -> Response:
    """For the live page: grows with each change that came from or waits for the ERP."""
    return version_response(work, actions.MONITOR)


@bp.get("/erp/runs/<int:run_id>")
@in_work(read_only=True)
def run(work: Work, run_id: int) -> ResponseReturnValue:
    """One run, and the runs of its feed around it."""
    one, row = queries.run_of(work, run_id)
    return render_template(
        "desk/erp_run.html",
        run=one,
        row=row,
        outcomes=queries.OUTCOME_WORDS,
        every=_every,
    )


@bp.get("/erp/exchanges/<int:envelope_id>")
@in_work(read_only=True)
def exchange(work: Work, envelope_id: int) -> ResponseReturnValue:
    """What was sent and answered, secrets already taken out: a fragment."""
    envelope = queries.envelope(work.session, envelope_id)
    return render_template(
        "desk/erp_exchange.html",
        envelope=envelope,
        request=facts.legible(envelope.request, facts.objections(work, envelope.reference)),
        reply=facts.legible(envelope.reply),
    )


@bp.post("/erp/deliveries/<int:delivery_id>/retry")
@in_work()
def retry(work: Work, delivery_id: int) -> ResponseReturnValue:
    """Send a parked or waiting delivery again."""
    actions.retry_delivery(work, delivery_id)
    return see_other("/erp", Message("The delivery is back in line."))


@bp.post("/erp/pull")
@in_work()
def pull_all(work: Work) -> ResponseReturnValue:
    """Pull all feeds at the worker's next look."""
    actions.run_now(work)
    return see_other("/erp", Message("All feeds are pulled at the worker's next look."))


@bp.post("/erp/feeds/<int:feed_id>/pull")
@in_work()
def pull(work: Work, feed_id: int) -> ResponseReturnValue:
    """Pull one feed at the worker's next look."""
    actions.run_now(work, feed_id)
    return see_other("/erp", Message("The feed is pulled at the worker's next look."))
