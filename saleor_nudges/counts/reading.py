"""How many visitors looked at products within a window: a number that is never too high."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from saleor_nudges.counts import sketch
from saleor_nudges.counts.buckets import FIVE_MINUTES, HOUR, seconds
from saleor_nudges.counts.rows import SKETCHES, numbers, texts
from saleor_nudges.models import Grain

# Windows up to this are read by five minutes, longer ones by the hour.
FINE: Final = timedelta(hours=2)
FINE_GRAINS: Final = f"{{{Grain.FIVE_MINUTES}}}"
# An hour that goes on has no sketch yet; where both are there, the same visitors count once.
ALL_GRAINS: Final = f"{{{Grain.FIVE_MINUTES},{Grain.HOUR}}}"

# The inner GROUP BY leaves out, before anything is sent, what cannot reach its minimum: distinct
# visitors are never more than the hashes of all buckets together.
READ: Final = f"""
    SELECT wanted.place, found.hashes
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
        WITH ORDINALITY AS wanted(channel, product_id, grains, since, least, place)
    CROSS JOIN LATERAL (
        SELECT string_agg(hashes, ''::bytea) AS hashes FROM "{SKETCHES}" AS known
        WHERE known.shop_id = %s AND known.channel = wanted.channel
        AND known.product_id = wanted.product_id AND known.grain = ANY(wanted.grains::text[])
        AND known.start >= to_timestamp(wanted.since) AND known.start <= %s
        HAVING sum(length(hashes)) >= wanted.least * {sketch.WIDTH}
    ) AS found
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose visitors are asked for: [since, now] of a product, and the least worth knowing."""

    channel: str
    product: str
    window: timedelta
    since: datetime
    least: int = 1

    @property
    def is_fine(self) -> bool:
        """Tell whether five minutes answer; else hours, and five minutes for those not over."""
        return self.window <= FINE

    def first_bucket(self) -> int:
        """Return the start of the first bucket that lies wholly inside."""
        width = FIVE_MINUTES if self.is_fine else HOUR
        # A part of a second belongs to the next bucket: what lies before it is outside.
        since = seconds(self.since) + (self.since.microsecond > 0)
        return -(-since // width) * width


def visitors(shop: UUID, asked: Sequence[Asked], now: datetime) -> dict[Asked, int]:
    """Return a lower bound of the distinct visitors for each that reaches its least, in one query.

    Only buckets that begin inside the window count, so it is too low by up to one bucket.
    """
    if not asked:
        return {}
    columns = [
        texts([one.channel for one in asked]),
        texts([one.product for one in asked]),
        texts([FINE_GRAINS if one.is_fine else ALL_GRAINS for one in asked]),
        numbers(one.first_bucket() for one in asked),
        numbers(one.least for one in asked),
    ]
    with connection.cursor() as cursor:
        cursor.execute(READ, [*columns, shop, now])
        found = {asked[place - 1]: bytes(hashes) for place, hashes in cursor.fetchall()}
    counted = {one: sketch.lower_bound(sketch.union([hashes])) for one, hashes in found.items()}
    return {one: value for one, value in counted.items() if value >= one.least}
