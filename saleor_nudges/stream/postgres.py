"""The stream in a Postgres table: acknowledged when committed, so nothing is ever lost."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from django.db import DatabaseError, connection, transaction

from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.models import WaitingEvent
from saleor_nudges.stream.base import Entry, Pack, Stream

# One parameter, whatever the number of entries. A conflict is the same fact once more.
INSERT: Final = """
    INSERT INTO saleor_nudges_waitingevent
        (event_id, flow, shop_id, kind, payload, sealed, appended_at)
    SELECT (entry ->> 'id')::uuid, %s, (entry ->> 'shop_id')::uuid, entry ->> 'kind',
        entry - 'sealed', decode(entry ->> 'sealed', 'base64'), statement_timestamp()
    FROM jsonb_array_elements(%s::jsonb) AS entry
    ON CONFLICT DO NOTHING
"""


class PostgresStream(Stream):
    """Rows that workers take with SKIP LOCKED and delete in the transaction that counts them."""

    def append_packs(self, packs: Sequence[Pack]) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(INSERT, [self.flow, _document(packs)])
        except DatabaseError as error:
            raise StreamUnavailable from error

    @contextmanager
    def batch(self, size: int, wait: float = 0.0) -> Iterator[list[Entry]]:  # noqa: ARG002
        with transaction.atomic():
            waiting = WaitingEvent.objects.across_shops().filter(flow=self.flow)
            rows = list(waiting.order_by("position").select_for_update(skip_locked=True)[:size])
            yield [_entry(row) for row in rows]
            waiting.filter(position__in=[row.position for row in rows]).delete()

    def pending(self) -> int:
        return WaitingEvent.objects.across_shops().filter(flow=self.flow).count()


def _document(packs: Sequence[Pack]) -> str:
    return "[" + ",".join(pack.entries.decode() for pack in packs) + "]"


def _entry(row: WaitingEvent) -> Entry:
    entry = msgspec.convert(row.payload, Entry)
    sealed = bytes(row.sealed) if row.sealed else None
    return msgspec.structs.replace(entry, sealed=sealed)
