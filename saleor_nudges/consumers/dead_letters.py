"""Events that cannot be taken in: put aside with the reason, tried thrice, brought back by hand."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet

from saleor_nudges import telemetry
from saleor_nudges.consumers.sorting import Sorted
from saleor_nudges.consumers.work import Fold, Work
from saleor_nudges.events import Flow
from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.models import DeadLetter
from saleor_nudges.stream import Batch, Entry
from saleor_nudges.stream.base import Broken, unpack_into
from saleor_nudges.stream.codec import open_fields
from saleor_nudges.stream.postgres import PostgresStream

NOBODY: Final = UUID(int=0)
# After the first try and after the second; the third is the last.
RETRY_SECONDS: Final = (1.0, 5.0)
TRIES: Final = 3
# A worker that has not said how its try went after so long is dead.
TRYING_SECONDS: Final = 60.0
# So many at once, so that those who fail again hold up nobody else.
MOST_RETRIED: Final = 100

PUT: Final = """
    INSERT INTO saleor_nudges_deadletter
        (event_id, flow, shop_id, kind, payload, sealed, reason, tries, retry_at, put_aside_at)
    SELECT event_id, %s, shop_id, kind, payload, decode(sealed, 'base64'), reason, 1,
        CASE WHEN is_hopeless THEN NULL ELSE statement_timestamp() + %s * interval '1 second' END,
        statement_timestamp()
    FROM jsonb_to_recordset(%s::jsonb) AS letter(
        event_id uuid, shop_id uuid, kind text, payload jsonb, sealed text, reason text,
        is_hopeless boolean)
    ORDER BY event_id
    ON CONFLICT DO NOTHING
"""
# Committed before the try, so that a letter over which a worker dies is not tried for ever.
BEGIN: Final = f"""
    UPDATE saleor_nudges_deadletter SET tries = tries + 1, retry_at =
        CASE WHEN tries < {TRIES} THEN statement_timestamp() + %s * interval '1 second' END
    WHERE id IN (
        SELECT id FROM saleor_nudges_deadletter
        WHERE flow = %s AND retry_at <= statement_timestamp()
        ORDER BY retry_at LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING id, tries
"""
FAILED: Final = f"""
    UPDATE saleor_nudges_deadletter AS letter SET reason = failed.reason, retry_at =
        CASE WHEN tries < {TRIES} THEN statement_timestamp() + %s * interval '1 second' END
    FROM jsonb_to_recordset(%s::jsonb) AS failed(id bigint, reason text)
    WHERE letter.id = failed.id
"""


def put_aside(found: Sorted, flow: Flow) -> None:
    """Keep what a batch could not take in. In the transaction that lets the others go."""
    letters = [
        _letter(found.entries[event], reason, is_hopeless=event in found.hopeless)
        for event, reason in found.refused.items()
    ]
    letters += [_raw_letter(broken) for broken in found.broken]
    if not letters:
        return
    with connection.cursor() as cursor:
        document = msgspec.json.encode(letters).decode()
        cursor.execute(PUT, [flow, RETRY_SECONDS[0], document])
    reason = letters[0]["reason"]
    telemetry.PUT_ASIDE.labels(flow=flow).inc(len(letters))
    telemetry.REFUSED.labels(door="consumer", code=InvalidEvent.code).inc(len(letters))
    telemetry.log(
        telemetry.Log.PUT_ASIDE, logging.WARNING, flow=flow, count=len(letters), reason=reason
    )


def retry_due(flow: Flow, folds: Sequence[Fold]) -> int:
    """Try again what is due; return how many could be taken in now."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [TRYING_SECONDS, flow, MOST_RETRIED])
        due = [letter for letter, tries in cursor.fetchall() if tries <= TRIES]
    if not due:
        return 0
    with transaction.atomic():
        letters = list(
            DeadLetter.objects.across_shops().filter(pk__in=due).select_for_update(skip_locked=True)
        )
        return _retry(letters, flow, folds)


def _retry(letters: Sequence[DeadLetter], flow: Flow, folds: Sequence[Fold]) -> int:
    still: dict[int, str] = {}
    batch, of_event = Batch(), {}
    for letter in letters:
        try:
            entry = entry_of(letter)
        except InvalidEvent as error:
            still[letter.pk] = str(error)
            continue
        batch.append(entry)
        of_event[entry.id] = letter
    found = Sorted(batch, flow)
    for shop, events in found.by_shop():
        work = Work(shop, flow, folds)
        work.run(events, found.entries)
        found.refused.update(work.offenders)
        found.refused.update({event.id: "The shop did not answer." for event in work.postponed})
    still |= {of_event[event].pk: reason for event, reason in found.refused.items()}
    return _settle(letters, still)


def _settle(letters: Sequence[DeadLetter], still: dict[int, str]) -> int:
    """Remove the letters that were taken in; note the newest reason of the others."""
    failed = [{"id": letter, "reason": reason[:255]} for letter, reason in still.items()]
    if failed:
        with connection.cursor() as cursor:
            document = msgspec.json.encode(failed).decode()
            cursor.execute(FAILED, [RETRY_SECONDS[1], document])
    done = [letter.pk for letter in letters if letter.pk not in still]
    DeadLetter.objects.across_shops().filter(pk__in=done).delete()
    return len(done)


def requeue(letters: Iterable[DeadLetter]) -> tuple[int, int]:
    """Give letters back to the stream; return how many went, and how many nobody can read."""
    by_flow: dict[Flow, list[Entry]] = defaultdict(list)
    done: list[int] = []
    unread = 0
    for letter in letters:
        try:
            by_flow[Flow(letter.flow)].append(entry_of(letter))
            done.append(letter.pk)
        except InvalidEvent:
            unread += 1
    with transaction.atomic():
        for flow, entries in by_flow.items():
            PostgresStream(flow).append(entries)
        DeadLetter.objects.across_shops().filter(pk__in=done).delete()
    return len(done), unread


def listed(*, shop: str = "", kind: str = "", ids: Sequence[int] = ()) -> "QuerySet[DeadLetter]":
    """Return the letters of a shop (its key), of a kind, or with these ids; all if none is said."""
    rows = DeadLetter.objects.across_shops()
    if shop:
        rows = rows.filter(shop__key=shop)
    if kind:
        rows = rows.filter(kind=kind)
    return rows.filter(pk__in=ids) if ids else rows


def entry_of(letter: DeadLetter) -> Entry:
    """Return the entry that was put aside; raises InvalidEvent if it never was one."""
    if "raw" in letter.payload:
        batch = Batch()
        raw = letter.payload["raw"].encode("utf-8", "surrogateescape")
        unpack_into(batch, raw)
        if len(batch) == 1 and not batch.broken:
            return batch[0]
        raise InvalidEvent(batch.broken[0].reason if batch.broken else "It is no entry of ours.")
    try:
        entry = msgspec.convert(letter.payload, Entry)
    except msgspec.ValidationError as error:
        raise InvalidEvent("It is no entry of ours.") from error
    sealed = bytes(letter.sealed) if letter.sealed else None
    return msgspec.structs.replace(entry, sealed=sealed)


def _letter(entry: Entry, reason: str, *, is_hopeless: bool) -> dict[str, Any]:
    return {
        "event_id": entry.id,
        "shop_id": entry.shop_id,
        "kind": entry.kind[:255],
        "payload": _storable(open_fields(entry)),
        "sealed": entry.sealed,
        "reason": reason[:255],
        "is_hopeless": is_hopeless,
    }


def _raw_letter(broken: Broken) -> dict[str, Any]:
    # It has no id that can be read; the same bytes are the same letter.
    return {
        "event_id": UUID(bytes=hashlib.sha256(broken.raw).digest()[:16]),
        "shop_id": broken.shop or NOBODY,
        "kind": "",
        "payload": {"raw": _storable(broken.raw.decode("utf-8", "replace"))},
        "sealed": None,
        "reason": broken.reason[:255],
        "is_hopeless": False,
    }


def _storable(value: Any) -> Any:
    """Return JSON without the one character Postgres cannot keep."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def when(moment: datetime | None) -> str:
    """Return when a letter is tried again, in words."""
    return f"tried again at {moment:%H:%M:%S} UTC" if moment else "not tried again"
