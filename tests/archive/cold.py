"""Rows of long ago, and everything there is, to compare."""

import gzip
import json
import os
from contextlib import closing
from datetime import timedelta

from django.db import connection

EVENTS, VIEWS = "saleor_nudges_events", "saleor_nudges_views"
# Ids in UUIDv7's layout, one every `apart` seconds, and the JSON Postgres would keep.
FILL = """
    INSERT INTO "{table}" (id, shop_id, channel, kind, occurred_at, subject, person, data)
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7'
            || substr(noise, 1, 3) || '8' || substr(noise, 4, 15))::uuid,
        %(shop)s, 'default-channel', %(kind)s, moment, 'UHJvZHVjdDo' || n %% 97, NULL,
        jsonb_build_object('product', 'UHJvZHVjdDo' || n %% 97, 'price', 1.10,
            'page', E'/a "page", on\\ntwo lines', 'visitor', md5((n %% 9)::text)::uuid,
            'noise', (SELECT string_agg(md5(noise || i), '') FROM generate_series(1, %(pad)s) i))
    FROM (
        SELECT n, %(start)s + n * %(apart)s AS moment, md5(%(shop)s || ':' || n) AS noise
        FROM generate_series(0, %(rows)s - 1) n
    ) drawn
"""


def fill(shop, table, start, rows, *, apart=timedelta(minutes=7), pad=1, kind="product_viewed"):
    values = {"shop": str(shop.pk), "start": start, "rows": rows, "apart": apart, "pad": pad}
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(table=table), values | {"kind": kind})


def one_more(shop, table, moment, **fields):
    """Add one row at a time of one's choice, with its person or data if told; return its id."""
    fill(shop, table, moment, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT id FROM "{table}" WHERE shop_id = %s AND occurred_at = %s', [shop.pk, moment]
        )
        (found,) = cursor.fetchone()
        for column, value in fields.items():
            plain = json.dumps(value) if column == "data" else value
            cursor.execute(f'UPDATE "{table}" SET {column} = %s WHERE id = %s', [plain, found])
    return found


def everything(table):
    """Return every row of a table, whole, as text."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT t.*::text FROM "{table}" t ORDER BY id')
        return [row for (row,) in cursor.fetchall()]


def unpacked(bucket, key):
    """Return an object as any other tool would unpack it."""
    with closing(bucket.read(key)) as body:
        return gzip.decompress(body.read(1 << 30)).decode()


def environment(settings):
    """Return what another process needs to work on the same database and bucket."""
    name = connection.settings_dict["NAME"]
    head, mark, tail = os.environ["DATABASE_URL"].partition("?")
    ours = settings.SALEOR_NUDGES
    return os.environ | {
        "DATABASE_URL": f"{head.rpartition('/')[0]}/{name}{mark}{tail}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "NUDGES_ARCHIVE_BUCKET": ours["ARCHIVE_BUCKET"],
        "NUDGES_ARCHIVE_ENDPOINT_URL": ours["ARCHIVE_ENDPOINT_URL"],
    }
