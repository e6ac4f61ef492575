"""The least a store could do: the same rows into the same table, idempotently, in bulk.

One connection, 1,000 rows a statement and a commit each; the parameters are ready beforehand, so
that this is the database's limit and not a serializer's.
"""

import json
import time
from collections.abc import Sequence
from itertools import batched
from typing import Any

import psycopg

TABLE = "yardstick_views"
BATCH = 1000
LIKE = """
    DROP TABLE IF EXISTS {table};
    CREATE TABLE {table} (LIKE saleor_nudges_views INCLUDING ALL) PARTITION BY RANGE (id);
    CREATE TABLE {table}_all PARTITION OF {table} DEFAULT;
"""
INSERT = """
    INSERT INTO {table} (id, shop_id, channel, kind, occurred_at, subject, person, data)
    SELECT * FROM jsonb_to_recordset(%s::text::jsonb) AS event(
        id uuid, shop_id uuid, channel text, kind text, occurred_at timestamptz,
        subject text, person uuid, data jsonb)
    ON CONFLICT DO NOTHING
"""


def rows_of(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Return what is stored now, as the rows to insert again."""
    query = "SELECT to_jsonb(stored) FROM saleor_nudges_views stored"
    return [row for (row,) in connection.execute(query)]


def parameters(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return one JSON text per statement."""
    return [json.dumps(batch) for batch in batched(rows, BATCH)]


def insert(connection: psycopg.Connection[Any], batches: Sequence[str]) -> float:
    """Insert all of it into an empty table of the same shape; return the seconds it took."""
    connection.execute(LIKE.format(table=TABLE))
    connection.commit()
    statement = INSERT.format(table=TABLE)
    began = time.perf_counter()
    for batch in batches:
        connection.execute(statement, [batch])
        connection.commit()
    return time.perf_counter() - began
