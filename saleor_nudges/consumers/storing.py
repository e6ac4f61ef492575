"""Events into their table: one statement for a batch, and it says what was not there yet."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from django.db import connection

from saleor_nudges.events import Event, Flow
from saleor_nudges.models import ShopEvent, StoredEvent, ViewEvent, statements
from saleor_nudges.stream import Entry
from saleor_nudges.stream.codec import stored_data

TABLES: dict[Flow, type[StoredEvent]] = {Flow.COMMERCE: ShopEvent, Flow.VIEWS: ViewEvent}

# One parameter, one row back. In the order of the ids, so that two workers who hold the same facts
# wait for each other and never both.
INSERT = """
    WITH stored AS (
        INSERT INTO "{table}" (id, shop_id, channel, kind, occurred_at, subject, person, data)
        SELECT * FROM jsonb_to_recordset(%s::text::jsonb) AS event(
            id uuid, shop_id uuid, channel text, kind text, occurred_at timestamptz,
            subject text, person uuid, data jsonb)
        ORDER BY id
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT count(*), CASE WHEN count(*) < %s THEN array_agg(id) END FROM stored
"""


def unknown(shop: UUID, events: Sequence[Event], flow: Flow) -> list[Event]:
    """Return the events that are not stored yet: what is known costs the host nothing."""
    # By id, in the few partitions the batch falls into.
    known = set(
        TABLES[flow]
        .objects.of(shop)  # type: ignore[attr-defined]
        .filter(pk__in=[event.id for event in events])
        .values_list("pk", flat=True)
    )
    return [event for event in events if event.id not in known]


def store(events: Sequence[Event], entries: dict[UUID, Entry], flow: Flow) -> list[Event]:
    """Store what is new, and return it."""
    if not events:
        return []
    # What a storefront reported is stored as it waits; a fact may have been completed since.
    rows = [
        entries[event.id] if flow is Flow.VIEWS else _row(event, entries[event.id])
        for event in events
    ]
    statement = INSERT.format(table=TABLES[flow]._meta.db_table)
    document = msgspec.json.encode(rows).decode()
    ((count, ids),) = statements.run(statement, [document, len(events)])
    if count == len(events):
        return list(events)
    stored = set(ids or ())
    return [event for event in events if event.id in stored]


def unstore(ids: Sequence[UUID], flow: Flow) -> None:
    """Take back what this very transaction has stored."""
    with connection.cursor() as cursor:
        table = TABLES[flow]._meta.db_table
        cursor.execute(f'DELETE FROM "{table}" WHERE id = ANY(%s)', [list(ids)])


def _row(event: Event, entry: Entry) -> Entry:
    return msgspec.structs.replace(
        entry, subject=event.subject, person=event.person, data=stored_data(event), sealed=None
    )
