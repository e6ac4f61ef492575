"""The least a sweep could do: read what is due, batch by batch, and enter a message for each.

One connection, 100 a batch, a commit each. Nobody asks the shop, no plan is made, no reason kept.
"""

import time
from typing import Any, Final

import psycopg

BATCH: Final = 100
READ: Final = """
    SELECT * FROM saleor_nudges_trackedcheckout
    WHERE state = 'OPEN' AND next_due_at <= now() ORDER BY next_due_at LIMIT %s
    FOR UPDATE SKIP LOCKED
"""
ENTER: Final = """
    INSERT INTO saleor_nudges_send (
        id, created_at, shop_id, channel, checkout_id, cycle, campaign_id, step_id, step_number,
        person_id, message_channel, state, reason, is_manual, due_at, ready_at, fence, failures)
    SELECT uuidv7(), now(), one.shop_id, one.channel, one.id, one.cycle, step.campaign_id, step.id,
        1, one.person_id, 'EMAIL', 'DUE', '', false, now(), now(), 0, 0
    FROM saleor_nudges_trackedcheckout AS one, saleor_nudges_campaignstep AS step
    WHERE one.id = ANY(%s) AND step.number = 1
    ON CONFLICT DO NOTHING
"""
DONE: Final = "UPDATE saleor_nudges_trackedcheckout SET next_due_at = NULL WHERE id = ANY(%s)"


def look(connection: psycopg.Connection[Any]) -> tuple[float, int]:
    """Return the seconds it took, and how many were entered."""
    began, entered = time.perf_counter(), 0
    while True:
        with connection.transaction():
            due = [row[0] for row in connection.execute(READ, [BATCH])]
            if not due:
                return time.perf_counter() - began, entered
            entered += connection.execute(ENTER, [due]).rowcount
            connection.execute(DONE, [due])
