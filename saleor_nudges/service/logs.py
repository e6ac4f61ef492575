"""How a log line is written: one JSON object, with the request and the shop it is about."""

import logging
from typing import Any

from graphql import GraphQLError
from pythonjsonlogger.json import JsonFormatter

from saleor_nudges import telemetry


class JsonLine(JsonFormatter):
    """Puts the fields of our own lines, and the context of everybody's, beside the message."""

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Called by the library for each record."""
        super().add_fields(log_data, record, message_dict)
        context = {"request_id": telemetry.request_id.get(), "shop": telemetry.shop_key.get()}
        fields = log_data.pop("nudges", {})
        log_data.update({key: value for key, value in context.items() if value} | fields)


class Unforeseen(logging.Filter):
    """Drops what graphql-core writes, as an error, of answers that are refusals by design."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Called by the library for each record."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, GraphQLError)


def formatter() -> logging.Formatter:
    """Return the formatter of the App: JSON, then redacted as text, tracebacks included."""
    names = {"asctime": "time", "levelname": "level", "name": "logger"}
    line = JsonLine("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=names)
    return telemetry.Redacting(line)
