"""The stream in a Postgres table: acknowledged when committed, so nothing is ever lost."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple

import msgspec
from django.db import DatabaseError, connection, transaction

from saleor_nudges.events import Flow
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.models import WaitingEvent, statements
from saleor_nudges.stream import connections
from saleor_nudges.stream.base import Batch, Broken, Entry, Pack, Stream, pack

# One parameter, whatever the number of entries. A conflict is the same fact once more.
INSERT: Final = """
    INSERT INTO saleor_nudges_waitingevent
        (event_id, flow, shop_id, kind, payload, sealed, appended_at)
    SELECT (entry ->> 'id')::uuid, %s::text, (entry ->> 'shop_id')::uuid, entry ->> 'kind',
        entry - 'sealed', decode(entry ->> 'sealed', 'base64'), statement_timestamp()
    FROM jsonb_array_elements(%s::text::jsonb) AS entry
    ON CONFLICT DO NOTHING
"""
DUE: Final = "(not_before IS NULL OR not_before <= now())"
# Committed before the batch, so that the next worker can tell that this one died over it. Losing
# such a row in a crash of the server loses nothing but that hint: its commit need not reach a disk.
HOLD: Final = f"""
    INSERT INTO saleor_nudges_heldbatch (flow, first, last, deaths, held_since)
    SELECT %(flow)s, min(position), max(position), 0, statement_timestamp()
    FROM (
        SELECT position FROM saleor_nudges_waitingevent AS waiting
        WHERE flow = %(flow)s AND {DUE} AND NOT EXISTS (
            SELECT 1 FROM saleor_nudges_heldbatch AS held
            WHERE held.flow = %(flow)s AND waiting.position BETWEEN held.first AND held.last)
        ORDER BY position LIMIT %(size)s FOR UPDATE OF waiting SKIP LOCKED
    ) AS taken
    HAVING count(*) > 0
    RETURNING id, first, last, deaths, set_config('synchronous_commit', 'off', true)
"""
HOLD_SUSPECTS: Final = """
    UPDATE saleor_nudges_heldbatch SET held_since = statement_timestamp()
    WHERE id = (
        SELECT id FROM saleor_nudges_heldbatch WHERE flow = %(flow)s AND held_since IS NULL
        ORDER BY deaths, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, first, last, deaths
"""
# Who held it before this server began may have died of the server's end, not of an event.
STALE: Final = """
    SELECT id, first, last, deaths, held_since > pg_postmaster_start_time()
    FROM saleor_nudges_heldbatch
    WHERE flow = %s AND held_since < statement_timestamp() - %s * interval '1 second'
    ORDER BY id FOR UPDATE SKIP LOCKED
"""
SPLIT: Final = """
    INSERT INTO saleor_nudges_heldbatch (flow, first, last, deaths)
    SELECT %s, first, last, %s FROM unnest(%s::bigint[], %s::bigint[]) AS piece(first, last)
"""
IN_RANGE: Final = "saleor_nudges_waitingevent WHERE flow = %s AND position BETWEEN %s AND %s"
LOCK: Final = f"SELECT position FROM {IN_RANGE} ORDER BY position FOR UPDATE SKIP LOCKED"
READ: Final = f"""
    SELECT position, shop_id, payload::text, sealed FROM {IN_RANGE} AND {DUE}
    ORDER BY position FOR UPDATE SKIP LOCKED
"""
LET_GO: Final = f"""
    WITH held AS (DELETE FROM saleor_nudges_heldbatch WHERE id = %s)
    DELETE FROM saleor_nudges_waitingevent WHERE position = ANY(%s) AND {DUE}
"""
POSTPONE: Final = """
    UPDATE saleor_nudges_waitingevent
    SET not_before = statement_timestamp() + %s * interval '1 second'
    WHERE flow = %s AND event_id = ANY(%s)
"""
LAG: Final = """
    SELECT extract(epoch FROM statement_timestamp() - appended_at)::float
    FROM saleor_nudges_waitingevent WHERE flow = %s ORDER BY position LIMIT 1
"""
COUNTED: Final = """
    SELECT count(*) FROM (
        SELECT 1 FROM saleor_nudges_waitingevent WHERE flow = %s LIMIT %s) AS counted
"""
# Between committing what it holds and locking it a worker does nothing else; whose rows can be
# locked after so many seconds is dead.
STALE_SECONDS: Final = 2.0
# What one worker died over is tried in pieces of so many, what two died over one by one.
PIECE: Final = 32
POLL_SECONDS: Final = 0.025


class Held(NamedTuple):
    """The positions somebody holds, both ends included, and how many died over them."""

    id: int
    first: int
    last: int
    deaths: int


class PostgresStream(Stream):
    """Rows that workers take with SKIP LOCKED and delete in the transaction that counts them."""

    def __init__(self, flow: Flow, *, stale_after: float = STALE_SECONDS) -> None:
        super().__init__(flow)
        self.stale_after = stale_after

    def append_packs(self, packs: Sequence[Pack]) -> None:
        try:
            statements.run(INSERT, [self.flow, _document(packs)])
        except DatabaseError as error:
            raise StreamUnavailable from error

    async def append_async(self, packs: Sequence[Pack]) -> None:
        await connections.execute(INSERT, [self.flow, _document(packs)])

    def append_suspects(self, entries: Sequence[Entry], deaths: int) -> None:
        """Keep entries over which workers of another stream have died, to be tried in pieces."""
        self.append(entries)
        ids = [entry.id for entry in entries]
        rows = WaitingEvent.objects.across_shops().filter(flow=self.flow, event_id__in=ids)
        positions = list(rows.order_by("position").values_list("position", flat=True))
        with connection.cursor() as cursor:
            self._split(cursor, positions, deaths)

    def postpone(self, entries: Sequence[Entry], seconds: float) -> None:
        """Let entries wait for so long, whether they are held from here or were elsewhere.

        Inside the block of `batch` this outlives it: what is not due is not let go.
        """
        self.append_packs(pack(entries))
        with connection.cursor() as cursor:
            cursor.execute(POSTPONE, [seconds, self.flow, [entry.id for entry in entries]])

    @contextmanager
    def batch(self, size: int, wait: float = 0.0) -> Iterator[Batch]:
        held = self._hold(size, time.monotonic() + wait)
        if held is None:
            with transaction.atomic():
                yield Batch()
            return
        try:
            with transaction.atomic():
                positions, batch = self._read(held)
                yield batch
                with connection.cursor() as cursor:
                    cursor.execute(LET_GO, [held.id, positions])
        except BaseException:
            self._release(held)
            raise

    def pending(self) -> int:
        return WaitingEvent.objects.across_shops().filter(flow=self.flow).count()

    def lag(self) -> float:
        with connection.cursor() as cursor:
            cursor.execute(LAG, [self.flow])
            row = cursor.fetchone()
        return max(0.0, row[0]) if row else 0.0

    def holds(self, most: int) -> bool:
        """Tell whether so many entries wait; looks at no more than that."""
        with connection.cursor() as cursor:
            cursor.execute(COUNTED, [self.flow, most])
            return bool(cursor.fetchone()[0] >= most)

    async def holds_async(self, most: int) -> bool:
        """Tell whether so many entries wait, without holding up the event loop."""
        rows = await connections.execute(COUNTED, [self.flow, most])
        return bool(rows[0][0] >= most)

    def _hold(self, size: int, deadline: float) -> Held | None:
        while True:
            with connection.cursor() as cursor:
                self._break_up_stale(cursor)
                for statement in (HOLD_SUSPECTS, HOLD):
                    cursor.execute(statement, {"flow": self.flow, "size": size})
                    if row := cursor.fetchone():
                        return Held(*row[:4])
            if time.monotonic() >= deadline:
                return None
            time.sleep(POLL_SECONDS)

    def _break_up_stale(self, cursor: Any) -> None:
        """Find what dead workers held, and cut it into what the next ones will try."""
        cursor.execute(STALE.replace("FOR UPDATE SKIP LOCKED", ""), [self.flow, self.stale_after])
        if not cursor.fetchall():
            return
        with transaction.atomic():
            cursor.execute(STALE, [self.flow, self.stale_after])
            for *row, is_suspect in cursor.fetchall():
                self._break_up(cursor, Held(*row), is_suspect=is_suspect)

    def _break_up(self, cursor: Any, held: Held, *, is_suspect: bool) -> None:
        where = [self.flow, held.first, held.last]
        cursor.execute(LOCK, where)
        positions = [position for (position,) in cursor.fetchall()]
        cursor.execute(f"SELECT count(*) FROM {IN_RANGE}", where)
        # What somebody has locked, somebody living is working on.
        if len(positions) != cursor.fetchone()[0]:
            return
        if not is_suspect:
            cursor.execute(*_whole_again(held))
        else:
            self._split(cursor, positions, held.deaths + 1)
            cursor.execute("DELETE FROM saleor_nudges_heldbatch WHERE id = %s", [held.id])

    def _split(self, cursor: Any, positions: list[int], deaths: int) -> None:
        size = PIECE if deaths == 1 else 1
        firsts = positions[::size]
        ends = range(size, len(positions) + size, size)
        lasts = [positions[min(end, len(positions)) - 1] for end in ends]
        cursor.execute(SPLIT, [self.flow, deaths, firsts, lasts])

    def _read(self, held: Held) -> tuple[list[int], Batch]:
        batch = Batch()
        batch.deaths = held.deaths
        with connection.cursor() as cursor:
            cursor.execute(READ, [self.flow, held.first, held.last])
            rows = cursor.fetchall()
        for _, shop, payload, sealed in rows:
            try:
                entry = _decoder.decode(payload)
            except msgspec.DecodeError as error:
                reason = f"It is no entry of ours: {error}"
                batch.broken.append(Broken(payload.encode(), reason, shop))
            else:
                replace = msgspec.structs.replace
                batch.append(replace(entry, sealed=bytes(sealed)) if sealed else entry)
        return [row[0] for row in rows], batch

    def _release(self, held: Held) -> None:
        """Say that nobody died: the batch failed, and is whole again."""
        # Without a database to say it to, it will look like a death, which costs only time.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute(*_whole_again(held))


_decoder = msgspec.json.Decoder(Entry)


def _whole_again(held: Held) -> tuple[str, list[int]]:
    """Return what lets the next worker have it, with no more deaths over it than before."""
    if held.deaths:
        return "UPDATE saleor_nudges_heldbatch SET held_since = NULL WHERE id = %s", [held.id]
    return "DELETE FROM saleor_nudges_heldbatch WHERE id = %s", [held.id]


def _document(packs: Sequence[Pack]) -> str:
    return "[" + ",".join(pack.entries.decode() for pack in packs) + "]"
