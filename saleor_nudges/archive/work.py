"""One piece from the database into the bucket: claimed, written, read back; any number at once."""

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from saleor_nudges import telemetry
from saleor_nudges.archive.bucket import Bucket, UploadLost, get_bucket
from saleor_nudges.archive.drop import drop_archived
from saleor_nudges.archive.formats import format_of
from saleor_nudges.archive.parts import Part
from saleor_nudges.archive.pieces import cold_partitions, partition_of, plan, start_over
from saleor_nudges.archive.rows import Reader, reading
from saleor_nudges.archive.verify import read_back
from saleor_nudges.exceptions import ArchiveDamaged, ArchiveUnavailable
from saleor_nudges.host import host_class
from saleor_nudges.models import ArchiveState, EventArchive

# What is written when a piece is verified; others may plan it anew meanwhile.
VERIFIED: Final = (
    "state",
    "rows",
    "bytes",
    "sha256",
    "etag",
    "first_id",
    "last_id",
    "verified_at",
)


def start(now: datetime) -> list[UUID]:
    """Return the pieces that wait, by their manifests' ids; drop what has none left."""
    get_bucket()
    waiting = []
    for partition in cold_partitions(now):
        pieces = [manifest.pk for manifest in plan(partition)]
        waiting += pieces
        if not pieces:
            drop_archived(partition, now)
    return waiting


def archive_all(
    now: datetime, *, workers: int = 1, say: Callable[[str], object] = lambda _: None
) -> list[str]:
    """Archive everything that waits and drop it; return what went wrong, in words."""
    with ThreadPoolExecutor(workers) as pool:
        done = pool.map(_in_thread, start(now))
        failed = [text for text, is_well in (_said(say, result) for result in done) if not is_well]
    if failed:
        return failed
    kept = [partition for partition in cold_partitions(now) if not drop_archived(partition, now)]
    return [f"{one.name} stays: not all of it is archived, or it is in use." for one in kept]


def archive_piece(manifest_id: UUID) -> bool:
    """Archive one piece, from where it was left; return False when another worker has it.

    Raises ArchiveUnavailable when the bucket does not answer and ArchiveDamaged when what was
    read back is not what was written; either way the next run goes on.
    """
    bucket = get_bucket()
    with reading() as reader:
        if not reader.claim(manifest_id):
            return False
        # Read under the claim, so that nobody changes it any more.
        manifest = EventArchive.objects.across_shops().get(pk=manifest_id)
        if manifest.state == ArchiveState.WRITING:
            _write_or_start_over(manifest, reader, bucket)
        if manifest.state == ArchiveState.WRITTEN:
            _verify_or_start_over(manifest, bucket)
    return True


def drop_if_last(manifest_id: UUID) -> bool:
    """Drop a piece's partition when no other piece of it waits; return whether it went."""
    manifest = EventArchive.objects.across_shops().get(pk=manifest_id)
    others = EventArchive.objects.across_shops().filter(
        table=manifest.table, partition_start=manifest.partition_start
    )
    if others.exclude(state=ArchiveState.VERIFIED).exists():
        return False
    return drop_archived(partition_of(manifest))


def _write_or_start_over(manifest: EventArchive, reader: Reader, bucket: Bucket) -> None:
    try:
        _write(manifest, reader, bucket)
    except UploadLost:
        start_over(manifest)
        try:
            _write(manifest, reader, bucket)
        except UploadLost as error:
            raise ArchiveUnavailable("The bucket lost an upload twice.") from error


def _write(manifest: EventArchive, reader: Reader, bucket: Bucket) -> None:
    if not manifest.upload_id:
        manifest.upload_id, manifest.parts = bucket.begin(manifest.key), []
        manifest.save(update_fields=["upload_id", "parts"])
    bucket.abort_others(manifest.key, manifest.upload_id)
    _upload(manifest, reader, bucket)
    try:
        tags = [part["tag"] for part in manifest.parts]
        bucket.complete(manifest.key, manifest.upload_id, tags)
    except UploadLost:
        # Perhaps the one before us completed it, and was killed before saying so.
        found = bucket.size_and_tag(manifest.key)
        if found is None or found[0] != sum(part["bytes"] for part in manifest.parts):
            raise
    manifest.state, manifest.upload_id = ArchiveState.WRITTEN, ""
    manifest.save(update_fields=["state", "upload_id"])


def _upload(manifest: EventArchive, reader: Reader, bucket: Bucket) -> None:
    """Upload what is not recorded yet, reading the next part while one is on its way."""
    form = format_of(manifest.format)
    known = list(manifest.parts) if form.RESUMES else []
    blocks = reader.blocks(manifest, known[-1]["last_id"] if known else "")
    sending: Future[dict[str, Any]] | None = None
    with ThreadPoolExecutor(1) as thread:
        for part in form.parts(blocks, len(known) + 1):
            if sending:
                _record(manifest, sending.result())
                sending = None
            if part.number <= len(manifest.parts):
                _check_same(manifest, part)
                continue
            sending = thread.submit(_send, bucket, manifest.key, manifest.upload_id, part)
        if sending:
            _record(manifest, sending.result())


def _send(bucket: Bucket, key: str, upload: str, part: Part) -> dict[str, Any]:
    digest = hashlib.sha256(part.body).hexdigest()
    tag = bucket.put_part(key, upload, part.number, part.body)
    return {
        "number": part.number,
        "tag": tag,
        "rows": part.rows,
        "lines": part.lines,
        "bytes": len(part.body),
        "sha256": digest,
        "first_id": part.ids[0] if part.ids else "",
        "last_id": part.ids[-1] if part.ids else "",
    }


def _record(manifest: EventArchive, part: dict[str, Any]) -> None:
    """Write down, in a commit of its own, that a part is uploaded."""
    manifest.parts.append(part)
    ours = EventArchive.objects.of(manifest.shop_id).filter(
        pk=manifest.pk, upload_id=manifest.upload_id
    )
    if not ours.update(parts=manifest.parts):
        raise ArchiveUnavailable("Another worker began this piece anew.")


def _check_same(manifest: EventArchive, part: Part) -> None:
    known = manifest.parts[part.number - 1]["sha256"]
    if hashlib.sha256(part.body).hexdigest() != known:
        raise UploadLost("its rows are not what they were")


def _verify_or_start_over(manifest: EventArchive, bucket: Bucket) -> None:
    try:
        digest = read_back(manifest, bucket)
    except ArchiveDamaged:
        start_over(manifest)
        raise
    parts = manifest.parts
    ids = [part[end] for part in parts for end in ("first_id", "last_id") if part[end]]
    manifest.sha256, manifest.verified_at = digest, Now()
    manifest.rows = sum(part["rows"] for part in parts)
    manifest.bytes = sum(part["bytes"] for part in parts)
    manifest.first_id, manifest.last_id = (UUID(min(ids)), UUID(max(ids))) if ids else (None, None)
    manifest.etag = (bucket.size_and_tag(manifest.key) or (0, ""))[1]
    manifest.state = ArchiveState.VERIFIED
    manifest.save(update_fields=VERIFIED)
    telemetry.ARCHIVED.labels(table=manifest.table).inc(manifest.rows)
    telemetry.log(telemetry.Log.ARCHIVED, key=manifest.key, rows=manifest.rows)


def _in_thread(manifest_id: UUID) -> tuple[UUID, Exception | None]:
    try:
        with host_class().writing():
            archive_piece(manifest_id)
    except Exception as error:
        telemetry.trouble(telemetry.Log.ARCHIVE_FAILED, manifest=str(manifest_id))
        return manifest_id, error
    finally:
        connection.close()
    return manifest_id, None


def _said(say: Callable[[str], object], result: tuple[UUID, Exception | None]) -> tuple[str, bool]:
    manifest_id, error = result
    manifest = EventArchive.objects.across_shops().get(pk=manifest_id)
    text = f"{manifest.key}: {error or f'{manifest.rows} rows, {manifest.bytes} bytes'}"
    say(text)
    return text, error is None
