"""The rows behind a tally, and the few statements that read and write them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from saleor_nudges.counts import sketch
from saleor_nudges.counts.buckets import (
    BY_FIVE_MINUTES,
    BY_HOUR,
    BY_MINUTE,
    HOUR,
    is_over,
    lock_of,
    oldest_counts,
    oldest_visitors,
)
from saleor_nudges.counts.tally import Tally
from saleor_nudges.models import ProductCount, VisitorSketch

COUNTS: Final = ProductCount._meta.db_table
SKETCHES: Final = VisitorSketch._meta.db_table

CountRow = tuple[str, str, str, str, int]  # channel, product, kind, grain, start
SketchRow = tuple[str, str, str, int]  # channel, product, grain, start

# unnest() gives the rows in the order of the arrays, which are sorted: two workers lock alike.
ADD_COUNTS: Final = f"""
    INSERT INTO "{COUNTS}" AS known
        (shop_id, channel, product_id, kind, grain, start, count, quantity)
    SELECT %s::uuid, channel, product_id, kind, grain, to_timestamp(start), count, quantity
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
                %s::bigint[]) AS new(channel, product_id, kind, grain, start, count, quantity)
    ON CONFLICT (shop_id, channel, product_id, kind, grain, start) DO UPDATE
    SET count = known.count + excluded.count, quantity = known.quantity + excluded.quantity
"""
# LATERAL with OFFSET 0: one look into the index per key, whatever the statistics say.
READ_SKETCHES: Final = f"""
    SELECT wanted.place, known.hashes
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[])
        WITH ORDINALITY AS wanted(channel, product_id, grain, start, place)
    CROSS JOIN LATERAL (
        SELECT hashes FROM "{SKETCHES}" AS known
        WHERE known.shop_id = %s AND known.channel = wanted.channel
        AND known.product_id = wanted.product_id AND known.grain = wanted.grain
        AND known.start = to_timestamp(wanted.start) OFFSET 0
    ) AS known
"""
# All sketches are one parameter, cut by where each begins: a thousand would cost more to quote.
WRITE_SKETCHES: Final = f"""
    INSERT INTO "{SKETCHES}" (shop_id, channel, product_id, grain, start, hashes)
    SELECT %s::uuid, channel, product_id, grain, to_timestamp(start),
           substring(%s::bytea FROM first FOR length)
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::int[], %s::int[])
        AS new(channel, product_id, grain, start, first, length)
    ON CONFLICT (shop_id, channel, product_id, grain, start) DO UPDATE
    SET hashes = excluded.hashes
"""


def count_rows(tally: Tally, now: datetime) -> dict[CountRow, list[int]]:
    """Return count and quantity of every minute still kept, and of every hour."""
    found: dict[CountRow, list[int]] = {}
    fresh = oldest_counts(now)[BY_MINUTE]
    for key, count in tally.counts.items():
        channel, product, kind, minute = key
        quantity = tally.quantities.get(key, 0)
        if minute >= fresh:
            found[channel, product, kind, BY_MINUTE, minute] = [count, quantity]
        hour = found.setdefault((channel, product, kind, BY_HOUR, minute - minute % HOUR), [0, 0])
        hour[0] += count
        hour[1] += quantity
    return found


def sketch_rows(tally: Tally, now: datetime) -> dict[SketchRow, set[int]]:
    """Return the hashes of every five minutes still kept, and of every hour that is over.

    The hour that goes on is made of its five minutes when it is over (`close_hours`): to write
    each visitor into both, all the time, would cost twice as much.
    """
    found: dict[SketchRow, set[int]] = defaultdict(set)
    kept = oldest_visitors(now)
    for (channel, product, start), hashes in tally.visitors.items():
        hour = start - start % HOUR
        if start >= kept[BY_FIVE_MINUTES]:
            found[channel, product, BY_FIVE_MINUTES, start] = hashes
        if hour >= kept[BY_HOUR] and is_over(hour, now):
            found[channel, product, BY_HOUR, hour] |= hashes
    return found


def add_counts(shop: UUID, rows: Mapping[CountRow, Sequence[int]]) -> None:
    """Add to what is counted, in one statement."""
    keys = sorted(rows)
    columns = list(zip(*keys, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            ADD_COUNTS,
            [
                shop,
                *(texts(column) for column in columns[:4]),
                numbers(columns[4]),
                numbers(rows[key][0] for key in keys),
                numbers(rows[key][1] for key in keys),
            ],
        )


def read_sketches(shop: UUID, keys: Sequence[SketchRow]) -> dict[SketchRow, bytes]:
    """Return those of the sketches that there are."""
    channels, products, grains, starts = zip(*keys, strict=True)
    wanted = [texts(channels), texts(products), texts(grains), numbers(starts)]
    with connection.cursor() as cursor:
        cursor.execute(READ_SKETCHES, [*wanted, shop])
        return {keys[place - 1]: bytes(hashes) for place, hashes in cursor.fetchall()}


def write_sketches(shop: UUID, sketches: Mapping[SketchRow, bytes]) -> None:
    """Put these sketches in place of what was there, in one statement."""
    keys = sorted(sketches)
    channels, products, grains, starts = zip(*keys, strict=True)
    lengths = [len(sketches[key]) for key in keys]
    firsts, place = [], 1
    for length in lengths:
        firsts.append(place)
        place += length
    whole = b"".join(sketches[key] for key in keys)
    columns = [texts(channels), texts(products), texts(grains), numbers(starts)]
    with connection.cursor() as cursor:
        cursor.execute(WRITE_SKETCHES, [shop, whole, *columns, numbers(firsts), numbers(lengths)])


def merge(shop: UUID, new: Mapping[SketchRow, set[int]]) -> None:
    """Put new hashes into the sketches; the caller holds the locks that make this safe."""
    if not new:
        return
    known = read_sketches(shop, list(new))
    changed: dict[SketchRow, bytes] = {}
    for key, hashes in new.items():
        before = known.get(key)
        after = sketch.pack(hashes) if before is None else sketch.add(before, hashes)
        if after is not before:
            changed[key] = after
    if changed:
        write_sketches(shop, changed)


def share_hours(shop: UUID, hours: Iterable[int]) -> None:
    """Hold the locks of these hours together with other folds, until the transaction ends."""
    keys = sorted({lock_of(shop, hour) for hour in hours})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(key) FROM unnest(%s::bigint[]) AS key",
            [numbers(keys)],
        )


def lock_hour(shop: UUID, hour: int) -> None:
    """Hold the lock of an hour alone, until the transaction ends: no fold changes its rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_of(shop, hour)])


def texts(values: Sequence[str]) -> str:
    """Return a text[] as Postgres reads it: many times faster than a list as a parameter."""
    joined = "\0".join(values)
    if "\\" in joined or '"' in joined:
        joined = joined.replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + joined.replace("\0", '","') + '"}' if values else "{}"


def numbers(values: Iterable[int]) -> str:
    """Return a bigint[] as Postgres reads it."""
    return "{" + ",".join(map(str, values)) + "}"
