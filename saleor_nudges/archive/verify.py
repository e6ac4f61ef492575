"""Reads an object back: the same bytes as were sent, which unpack to as many rows."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from saleor_nudges.archive.bucket import Body, Bucket, chunks
from saleor_nudges.archive.formats import Counter, format_of
from saleor_nudges.exceptions import ArchiveDamaged
from saleor_nudges.models import EventArchive


def read_back(manifest: EventArchive, bucket: Bucket) -> str:
    """Return an object's SHA-256. Raises ArchiveDamaged when it is not what was sent."""
    body = bucket.read(manifest.key)
    if body is None:
        raise ArchiveDamaged(f"{manifest.key} is not in the bucket.")
    whole, counter = hashlib.sha256(), format_of(manifest.format).Counter()
    with closing(body), _named(manifest.key):
        for part in manifest.parts:
            _check(part, body, whole, counter)
        if any(chunks(body, 1)):
            raise ValueError("it is longer than what was sent")
        if counter.lines() != sum(part["lines"] for part in manifest.parts):
            raise ValueError("its rows are not as many as were sent")
    return whole.hexdigest()


def _check(part: dict[str, Any], body: Body, whole: Any, counter: Counter) -> None:
    digest = hashlib.sha256()
    for chunk in chunks(body, part["bytes"]):
        digest.update(chunk)
        whole.update(chunk)
        counter.feed(chunk)
    counter.end_part()
    if digest.hexdigest() != part["sha256"]:
        raise ValueError(f"part {part['number']} is not what was sent")


@contextmanager
def _named(key: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ArchiveDamaged(f"{key}: {error}.") from error
