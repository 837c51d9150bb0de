"""The same walk with fulfillment's own promises: hold, convert, and dates asked again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.fulfillment.actions import Promises
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.quotes import actions, queries
from b2bcrm.quotes.actions import Wish
from b2bcrm.quotes.lifecycle import QuoteState
from tests.factories import buyer, make_account, make_item, make_price, make_site

pytestmark = pytest.mark.db


def test_from_inquiry_to_confirmed_order_with_the_dates_that_were_sealed(work):
    make_site(work)
    account, item = make_account(work), make_item(work)
    make_price(work, item)
    promises = Promises(work)
    staff = work.actor
    work.actor = buyer(account)
    wish = Wish(part=item.no, qty=Decimal(12), wanted_on=dt.date(2027, 3, 1))
    inquiry = actions.create_inquiry(work, wishes=[wish])
    work.actor = staff
    quote = actions.quote_from_inquiry(work, inquiry.id, promises=promises)
    assert quote.lines[0].promised_on is not None
    actions.send(work, quote.id, promises=promises)
    assert inquiry.replied_at == work.now
    sealed = queries.sealed_content(quote).lines[0].ready_on
    work.actor = buyer(account)
    order = actions.accept(work, quote.id, seal=quote.seal, name="Jonas Kessler", promises=promises)
    assert quote.state is QuoteState.ACCEPTED
    assert order.state is OrderState.CONFIRMED
    assert [line.first_promised_on for line in order.lines] == [sealed]
    assert promises.why(order.no) != ()


def test_a_revision_gives_its_dates_back(work):
    make_site(work)
    account, item = make_account(work), make_item(work)
    make_price(work, item)
    promises = Promises(work)
    quote = actions.new_quote(work, account_id=account.id, promises=promises)
    actions.add_line(work, quote.id, part=item.no, qty=Decimal(5), promises=promises)
    actions.send(work, quote.id, promises=promises)
    assert promises.why(quote.hold_ref) != ()
    new = actions.revise(work, quote.id, promises=promises)
    actions.send(work, new.id, promises=promises)
    assert promises.why(new.hold_ref) != ()
