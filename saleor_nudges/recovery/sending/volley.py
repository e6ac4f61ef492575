"""Claimed messages made ready together, so that each is marked by few and short statements.

What `marking.mark` asks message by message is asked here for many at once: who shares an address,
what comes next, in which words. At the mark only this is left to ask: is all as it was a moment
ago, and do the conditions hold? They are the same on both ways. A message of which anything moved,
or is not certain, takes the long way, which judges anew.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models.expressions import RawSQL

from saleor_nudges import conf, consent, crypto, people
from saleor_nudges.host import Checkout, get_host
from saleor_nudges.messaging.channels import Message
from saleor_nudges.models import MessageChannel, Send, statements
from saleor_nudges.models.statements import database_now
from saleor_nudges.recovery.giving import promising
from saleor_nudges.recovery.planning import outages
from saleor_nudges.recovery.planning.planner import planner
from saleor_nudges.recovery.sending import ledger, message
from saleor_nudges.recovery.sending.conditions import all_of
from saleor_nudges.recovery.way_back import links

# What was planned so long ago is planned again.
FRESH_SECONDS: Final = 2.0
# A mark may be committed so long after the time it carries.
SLACK: Final = timedelta(seconds=10)
# One person's messages are marked one after the other. Then nobody waits long: see `marking`.
TURN: Final = """
    WITH turn AS MATERIALIZED (
        SELECT count(pg_advisory_xact_lock(hashtextextended(key, 0)))
        FROM (SELECT key FROM unnest(%s::text[]) AS key ORDER BY key) AS keys
    )
    SELECT set_config('lock_timeout', '200ms', true),
        set_config('plan_cache_mode', 'force_generic_plan', true)
    FROM turn
"""
# The checkout as it was planned for, held until the mark is committed.
AS_PLANNED: Final = """
    SELECT 1 FROM saleor_nudges_trackedcheckout AS tracked
    WHERE tracked.id = %s AND tracked.person_id = %s AND tracked.cycle = %s
        AND tracked.seen_at = %s AND tracked.changed_at = %s AND NOT EXISTS (
            SELECT FROM saleor_nudges_send
            WHERE shop_id = tracked.shop_id AND person_id = ANY(%s::uuid[]) AND marked_at >= %s)
    FOR UPDATE
"""
MARK: Final = """
    UPDATE saleor_nudges_send
    SET state = 'SENDING', marked_at = statement_timestamp(), reason = '', lines = %s::text::jsonb,
        lease_until = statement_timestamp() + %s, link_hash = %s, link_expires_at = %s
    WHERE id = %s AND fence = %s AND state = 'CLAIMED' AND lease_until > statement_timestamp()
        AND statement_timestamp() < coalesce(%s::timestamptz, 'infinity') AND id IN ({may_go})
    RETURNING 1
"""
# Stands in a compiled statement for the row's id.
THE_ROW: Final = object()


@dataclass(frozen=True, slots=True)
class Ready:
    """A message in words, and what its plan rests on. `good_until` is of the monotonic clock."""

    message: Message
    alike: tuple[str, ...]
    planned_at: datetime
    good_until: float
    closes_at: datetime | None


def make_ready(claimed: Sequence[Send]) -> dict[UUID, Ready]:
    """Return the messages that may go as far as is known, by their rows' ids.

    Each send must hold its lines. Of a shop that is in trouble none is ready.
    """
    by_shop: dict[UUID, list[Send]] = defaultdict(list)
    for send in claimed:
        by_shop[send.shop_id].append(send)
    found: dict[UUID, Ready] = {}
    for sends in by_shop.values():
        # Of what goes wrong here the long way says which message it is about.
        with suppress(Exception):
            found |= _of_one_shop(sends)
    return found


def _of_one_shop(sends: Sequence[Send]) -> dict[UUID, Ready]:
    shop, now = sends[0].shop, database_now()
    good_until = time.monotonic() + FRESH_SECONDS
    outage = outages.lasting([shop.pk], now).get(shop.pk)
    checkouts = [send.checkout for send in sends]
    plans = planner(shop, checkouts, now, get_host(shop).product_cards, outage)
    found = {}
    for send in sends:
        outlook = plans.outlook(send.checkout, of=send)
        is_theirs = send.checkout.person_id == send.person_id
        if send.order or not is_theirs or not outlook.is_for(send, now):
            # Thank-yous are few, and take the long way.
            continue
        alike = tuple(sorted(map(str, plans.shoppers.alike(send.checkout))))
        if prepared := _written(send, now):
            found[send.pk] = Ready(prepared, alike, now, good_until, outlook.closes_at)
    return found


def _written(send: Send, now: datetime) -> Message | None:
    with suppress(Exception):
        # What it gives away is noted in a transaction of its own: nobody waits for a day's budget
        # longer than that takes, and what is not sent after all is taken back by `voiding`.
        return message.prepare(send, promising.promise(send, now))
    return None


def mark(send: Send, ready: Ready) -> bool:
    """Tell whether a claimed row was marked; if not, nobody knows why: take the long way.

    Raises HostUnavailable and OperationalError as `marking.mark` does; then nothing is marked.
    """
    if time.monotonic() > ready.good_until:
        return False
    with transaction.atomic():
        if not _is_as_planned(send, ready):
            return False
        checkout_id = crypto.unseal(bytes(send.checkout.sealed_checkout_id))
        with get_host(send.shop).holding(checkout_id) as checkout:
            marked = _is_silent(send, checkout) and _mark(send, ready)
    if marked:
        ledger.note(send.shop_id, ready.planned_at)
    return marked


def _is_as_planned(send: Send, ready: Ready) -> bool:
    tracked = send.checkout
    statements.run(TURN, [list(ready.alike)], is_prepared=True)
    since = ready.planned_at - SLACK
    state = (tracked.pk, tracked.person_id, tracked.cycle, tracked.seen_at, tracked.changed_at)
    asked = [*state, list(ready.alike), since]
    return bool(statements.run(AS_PLANNED, asked, is_prepared=True))


def _is_silent(send: Send, checkout: Checkout | None) -> bool:
    if checkout is None or checkout.payment_started:
        return False
    is_unchanged = checkout.changed_at <= send.checkout.changed_at
    return is_unchanged and people.holds(send.person, checkout.contact)


def _mark(send: Send, ready: Ready) -> bool:
    settings, channel = conf.get(), MessageChannel(send.message_channel)
    statement, may_go = _statement(channel, consent.installation(), settings)
    way_back = links.way_back(send)
    given = (
        msgspec.json.encode(send.lines).decode() if send.lines is not None else None,
        timedelta(seconds=settings.SEND_LEASE_SECONDS),
        way_back["link_hash"],
        way_back["link_expires_at"],
        send.pk,
        send.fence,
        ready.closes_at,
        *(send.pk if one is THE_ROW else one for one in may_go),
    )
    return bool(statements.run(statement, given, is_prepared=True))


@lru_cache(maxsize=16)
def _statement(
    message_channel: MessageChannel,
    *_in_force: object,
) -> tuple[str, Sequence[Any]]:
    """Return the statement that marks, and what its last part is given: put into words once, as
    long as what the conditions hang on (the installation, the settings) is the same.
    """
    row = RawSQL("%s::uuid", (THE_ROW,))
    rows = Send.objects.across_shops().filter(all_of(message_channel), pk=row).order_by()
    may_go, given = rows.values("pk").query.sql_with_params()
    return MARK.format(may_go=may_go), given
