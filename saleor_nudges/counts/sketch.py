"""How many distinct visitors there were, from 8 KB, and never more than there were.

A sketch is the K smallest of the visitors' hashes ("k minimum values"). Fewer than K hashes are all
there are, so the count is exact. Beyond, the K-th smallest says how densely they lie, and with it
how many there are, with a relative standard error of 1/sqrt(K - 2). Two sketches become one by
keeping the K smallest of both, so that the same visitor in two buckets of time counts once.

Stored: the hashes in ascending order, 64 bits each, big-endian. The same visitors give the same
bytes, in whatever order and however often they came.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from hashlib import blake2b
from math import sqrt
from typing import Final
from uuid import UUID

from saleor_nudges import crypto

K: Final = 1024
STANDARD_ERROR: Final = 1 / sqrt(K - 2)
# So many standard errors below the estimate: too much is claimed once in some ten thousand million.
SURE: Final = 6.0
SPAN: Final = 1 << 64
WIDTH: Final = 8
# Up to so many new hashes are put into their places one by one; more are sorted in.
FEW: Final = 32


def hasher(shop: UUID) -> Callable[[UUID], int]:
    """Return the hash of this shop's visitors: 64 bits, keyed, so nobody is found from it."""
    key = bytes.fromhex(crypto.keyed_hash("visitors", shop.hex))
    keyed = blake2b(key=key, digest_size=WIDTH)

    def hashed(visitor: UUID) -> int:
        one = keyed.copy()
        one.update(visitor.bytes)
        return int.from_bytes(one.digest())

    return hashed


def pack(hashes: Iterable[int]) -> bytes:
    """Return the sketch of these hashes."""
    return _bytes(array("Q", sorted(set(hashes))[:K]))


def unpack(sketch: bytes) -> "array[int]":
    """Return the hashes of one sketch, or of several that were put one after the other."""
    hashes = array("Q")
    hashes.frombytes(sketch)
    if sys.byteorder == "little":
        hashes.byteswap()
    return hashes


def add(sketch: bytes, hashes: Iterable[int]) -> bytes:
    """Return the sketch with these hashes in it; the very same bytes where they change nothing."""
    known = unpack(sketch)
    # Of a full sketch only what lies below its largest hash can change it: most visitors do not.
    limit = known[-1] if len(known) >= K else SPAN
    new = [value for value in hashes if value < limit]
    if len(new) > FEW:
        return pack([*known, *new])
    before = len(known)
    changed = False
    for value in new:
        place = bisect_left(known, value)
        if place == len(known) or known[place] != value:
            known.insert(place, value)
            changed = True
    return _bytes(known[:K]) if changed or before > K else sketch


def union(sketches: Iterable[bytes]) -> list[int]:
    """Return the K smallest hashes of all these sketches, ascending."""
    return sorted(set(unpack(b"".join(sketches))))[:K]


def estimate(hashes: "list[int] | array[int]") -> float:
    """Return how many visitors there most likely were."""
    if len(hashes) < K:
        return float(len(hashes))
    return (K - 1) * SPAN / (hashes[K - 1] + 1)


def lower_bound(hashes: "list[int] | array[int]") -> int:
    """Return a number of visitors that is never above the truth, and exact below K."""
    if len(hashes) < K:
        return len(hashes)
    # K different hashes are K visitors at least, whatever the estimate says.
    return max(K, int(estimate(hashes) * (1 - SURE * STANDARD_ERROR)))


def _bytes(hashes: "array[int]") -> bytes:
    if sys.byteorder == "little":
        hashes.byteswap()
    return hashes.tobytes()
