"""Statements whose parameter is large: it is sent beside the text, not written into it."""

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from django.db import connection


def run(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement in the transaction that is open; return its rows.

    Django writes parameters into the statement itself. A batch's document is half a megabyte, and
    quoting it here and reading it there would cost as much as storing it. Raises Django's errors.
    """
    connection.ensure_connection()
    # Wrapped as Django's own, so that whoever watches its statements sees these too.
    raw = cast("Any", psycopg.Cursor(connection.connection))
    with connection.make_cursor(raw) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []
