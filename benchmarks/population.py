"""A shop's tracked checkouts by the hundred thousand, each of a person of its own, made in SQL.

The first of them are candidates: checkouts that can be made due, each known to the shop. Of the
rest a quarter was ordered, a quarter was written to, and half waits for a time to come.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

Execute = Callable[[str, Mapping[str, Any]], Any]

# Every n-th row is found again by its id, whose first half is that of a UUIDv7.
ID: Final = "('01900000-0000-7000-8000-' || lpad(to_hex({n}), 12, '0'))::uuid"
PEOPLE: Final = f"""
    INSERT INTO saleor_nudges_person (
        id, created_at, shop_id, email_hash, sealed_key, sealed_contact)
    SELECT {ID.format(n="n")}, now(), %(shop)s, encode(sha256(n::text::bytea), 'hex'),
        %(sealed_key)s, %(sealed_contact)s
    FROM generate_series(1, %(count)s) AS n
"""
CHECKOUTS: Final = f"""
    INSERT INTO saleor_nudges_trackedcheckout (
        id, created_at, shop_id, channel, checkout, sealed_checkout_id, person_id,
        is_contact_typed, state, lines, total, currency, language, started_at, changed_at, seen_at,
        is_payment_started, country, device, browser, referrer, stage, is_stage_certain, blockers,
        ruled_out, cycle, next_due_at, reason)
    SELECT {ID.format(n="n")}, now(), %(shop)s, %(channel)s, encode(sha256(n::text::bytea), 'hex'),
        coalesce(sealed.id, %(any_sealed)s), {ID.format(n="n")},
        false, CASE WHEN part = 0 THEN 'ORDERED' ELSE 'OPEN' END, %(lines)s::text::jsonb, 15, 'EUR',
        'en', %(at)s, %(at)s, %(at)s, false, '', '', '', '', '', false, '[]', '[]', 1,
        CASE WHEN part IN (2, 3) THEN now() + interval '1 hour' + n %% 86400 * interval '1 s' END,
        CASE WHEN part = 1 THEN 'ALL_SENT' ELSE '' END
    FROM (SELECT n, CASE WHEN n <= %(candidates)s THEN -1 ELSE n %% 4 END AS part
        FROM generate_series(1, %(count)s) AS n) AS numbers
    LEFT JOIN unnest(%(sealed_ids)s::bytea[]) WITH ORDINALITY AS sealed(id, place) ON place = n
    ORDER BY n
"""
ORDERS: Final = """
    INSERT INTO saleor_nudges_seenorder (
        id, created_at, shop_id, channel, order_id, checkout, person_id, placed_at, is_void)
    SELECT id, now(), shop_id, channel, 'Order:' || id, checkout, person_id, seen_at, false
    FROM saleor_nudges_trackedcheckout WHERE state = 'ORDERED'
"""
COLUMNS: Final = """
    id, created_at, shop_id, channel, checkout_id, cycle, campaign_id, step_id, step_number,
    person_id, message_channel, state, reason, is_manual, due_at, ready_at, fence, failures
"""
SENT: Final = f"""
    INSERT INTO saleor_nudges_send ({COLUMNS}, marked_at, sent_at)
    SELECT id, now(), shop_id, channel, id, 1, %(campaign)s, %(step)s, 1, person_id, 'EMAIL',
        'SENT', '', false, seen_at, seen_at, 1, 0, now(), now()
    FROM saleor_nudges_trackedcheckout WHERE reason = 'ALL_SENT'
"""
FORGET: Final = "DELETE FROM saleor_nudges_send WHERE checkout_id <= {last}"
WAKE: Final = """
    UPDATE saleor_nudges_trackedcheckout
    SET cycle = 1, campaign_id = NULL, reason = '', state = 'OPEN',
        next_due_at = CASE WHEN id <= {due} THEN now() - interval '1 minute'
            ELSE now() + interval '1 day' END
    WHERE id <= {last}
"""
SILENCE: Final = """
    UPDATE saleor_nudges_trackedcheckout
    SET cycle = 1, campaign_id = NULL, reason = '', state = 'OPEN', next_due_at = NULL
    WHERE id <= {last}
"""
LEDGER: Final = f"""
    INSERT INTO saleor_nudges_send ({COLUMNS})
    SELECT uuidv7(), now(), shop_id, channel, id, 1, %(campaign)s, %(step)s, 1, person_id, 'EMAIL',
        'DUE', '', false, now() - interval '1 minute', now() - interval '1 minute', 0, 0
    FROM saleor_nudges_trackedcheckout WHERE id <= {{last}}
"""
# What an earlier row's pauses would look like now, and what is known of the shop's orders.
CLOCKS: Final = """
    DELETE FROM saleor_nudges_cursor WHERE kind IN ('sweep', 'outage', 'alive');
    UPDATE saleor_nudges_cursor SET caught_up_at = now() WHERE kind = 'orders';
"""


@dataclass(frozen=True, slots=True)
class Population:
    """A shop's checkouts. The first, one for each of the sealed ids, are candidates."""

    shop: str
    campaign: str
    step: str
    at: datetime
    count: int
    sealed_ids: Sequence[bytes]
    sealed_key: bytes
    sealed_contact: bytes
    lines: str
    channel: str

    def plant(self, execute: Execute) -> None:
        """Make all of it; nothing is due before `wake` or `enter`."""
        given = {name: getattr(self, name) for name in self.__slots__}
        ids = list(self.sealed_ids)
        # Nobody asks the shop about the others.
        given |= {"sealed_ids": ids, "candidates": len(ids), "any_sealed": ids[0]}
        for statement in (PEOPLE, CHECKOUTS, ORDERS, SENT):
            execute(statement, given)


def wake(execute: Execute, due: int, candidates: int) -> None:
    """Let so many of the candidates be due for a look, and the rest of them not before a day."""
    last = ID.format(n=candidates)
    execute(FORGET.format(last=last), {})
    execute(WAKE.format(last=last, due=ID.format(n=due)), {})
    execute(CLOCKS, {})


def enter(execute: Execute, due: int, *, campaign: str, step: str) -> None:
    """Enter the first message of so many candidates into the ledger, due since a minute."""
    last = ID.format(n=due)
    execute(FORGET.format(last=last), {})
    execute(SILENCE.format(last=last), {})
    execute(LEDGER.format(last=last), {"campaign": campaign, "step": step})
    execute(CLOCKS, {})
