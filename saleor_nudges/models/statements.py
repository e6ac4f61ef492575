"""Statements Django has no words for: with a parameter sent beside the text, and for a lock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from django.db import connection


class _Prepared(psycopg.Cursor[Any]):
    """Has the server plan each text once per connection."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> "_Prepared":
        # Django switches preparing off for the whole connection; its own statements stay so.
        usual, self.connection.prepare_threshold = self.connection.prepare_threshold, 0
        try:
            return super().execute(query, params, prepare=True)
        finally:
            self.connection.prepare_threshold = usual


def run(
    statement: str, parameters: Sequence[Any], *, is_prepared: bool = False
) -> list[tuple[Any, ...]]:
    """Run one statement in the transaction that is open; return its rows.

    Django writes parameters into the statement itself. A batch's document is half a megabyte, and
    quoting it here and reading it there would cost as much as storing it. `is_prepared`: the text
    is always the same, and to plan it costs more than to run it. Raises Django's errors.
    """
    connection.ensure_connection()
    # Behind a pool that gives each transaction another connection nothing can be prepared; whoever
    # has one has told Django so.
    is_pooled = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    kind = _Prepared if is_prepared and not is_pooled else psycopg.Cursor
    # Wrapped as Django's own, so that whoever watches its statements sees these too.
    raw = cast("Any", kind(connection.connection))
    with connection.make_cursor(raw) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def database_now() -> datetime:
    """Return what the database's clock shows at this moment, which all due times are held to."""
    [(now,)] = run("SELECT clock_timestamp()", [])
    moment: datetime = now
    return moment


def hold_commerce(shop: UUID, *, alone: bool) -> None:
    """Hold the lock of a shop's commerce facts until the transaction ends: alone to take them in,
    with others to count what they say.
    """
    how = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {how}(hashtextextended(%s, 1))", [str(shop)])
