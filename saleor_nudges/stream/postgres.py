"""The stream in a Postgres table: acknowledged when committed, so nothing is ever lost."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import DatabaseError, transaction

from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.models import WaitingEvent
from saleor_nudges.stream.base import Entry, Stream


class PostgresStream(Stream):
    """Rows that workers take with SKIP LOCKED and delete in the transaction that counts them."""

    def append(self, entries: Sequence[Entry]) -> None:
        rows = [self._row(entry) for entry in entries]
        try:
            WaitingEvent.objects.bulk_create(rows, ignore_conflicts=True)
        except DatabaseError as error:
            raise StreamUnavailable from error

    @contextmanager
    def batch(self, size: int) -> Iterator[list[Entry]]:
        with transaction.atomic():
            waiting = WaitingEvent.objects.across_shops().filter(flow=self.flow)
            rows = list(waiting.order_by("position").select_for_update(skip_locked=True)[:size])
            yield [_entry(row) for row in rows]
            waiting.filter(position__in=[row.position for row in rows]).delete()

    def pending(self) -> int:
        return WaitingEvent.objects.across_shops().filter(flow=self.flow).count()

    def _row(self, entry: Entry) -> WaitingEvent:
        return WaitingEvent(
            event_id=entry.event_id,
            flow=self.flow,
            shop_id=entry.shop,
            kind=entry.kind,
            payload=entry.payload,
            sealed=entry.sealed,
        )


def _entry(row: WaitingEvent) -> Entry:
    return Entry(
        event_id=row.event_id,
        shop=row.shop_id,
        channel=row.payload["channel"],
        kind=row.kind,
        payload=row.payload,
        sealed=bytes(row.sealed) if row.sealed else None,
    )
