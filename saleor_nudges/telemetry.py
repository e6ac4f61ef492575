"""Every log line and metric we emit, named once. Nothing else calls a logger with a literal."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from time import perf_counter
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

logger = logging.getLogger("saleor_nudges")

REGISTRY: Final = CollectorRegistry()
CAPTURED: Final = Counter(
    "nudges_events_captured_total", "Events taken in.", ["kind"], registry=REGISTRY
)
REFUSED: Final = Counter(
    "nudges_events_refused_total", "Events refused at a door.", ["door", "code"], registry=REGISTRY
)
BOTS: Final = Counter(
    "nudges_bots_total",
    "Requests of crawlers; nothing of theirs counts.",
    ["door"],
    registry=REGISTRY,
)
CONSUMED: Final = Counter(
    "nudges_events_consumed_total", "Events stored for the first time.", ["flow"], registry=REGISTRY
)
REPEATED: Final = Counter(
    "nudges_events_repeated_total", "Events we already had.", ["flow"], registry=REGISTRY
)
SPILLED: Final = Counter(
    "nudges_events_spilled_total",
    "Events kept in Postgres because their stream was away or full.",
    ["flow"],
    registry=REGISTRY,
)
SHED: Final = Counter(
    "nudges_events_shed_total", "Events refused for want of room.", ["flow"], registry=REGISTRY
)
PUT_ASIDE: Final = Counter(
    "nudges_events_put_aside_total", "Events made dead letters.", ["flow"], registry=REGISTRY
)
SENT: Final = Counter(
    "nudges_messages_total", "Messages by what became of them.", ["state"], registry=REGISTRY
)
BATCH_SECONDS: Final = Histogram(
    "nudges_batch_seconds", "How long one batch of events took.", ["flow"], registry=REGISTRY
)
ARCHIVED: Final = Counter(
    "nudges_events_archived_total", "Events archived and read back.", ["table"], registry=REGISTRY
)
RECONCILED: Final = Counter(
    "nudges_reconciled_total",
    "Orders and checkouts read from the shops by the sweep.",
    ["kind"],
    registry=REGISTRY,
)
BEHIND: Final = Gauge(
    "nudges_reconcile_behind_seconds",
    "How long ago the shop that is furthest behind was caught up.",
    ["kind"],
    registry=REGISTRY,
)
PENDING: Final = Gauge(
    "nudges_stream_pending", "Events that wait in a stream.", ["flow"], registry=REGISTRY
)

LAG: Final = Gauge(
    "nudges_stream_lag_seconds",
    "How long the oldest event has waited in a stream.",
    ["flow"],
    registry=REGISTRY,
)

request_id: ContextVar[str] = ContextVar("request_id", default="")
shop_key: ContextVar[str] = ContextVar("shop_key", default="")


class Log(StrEnum):
    """Every line we log. What a line carries is passed as fields, never put into the text."""

    HOOK_FAILED = "hook failed; the shop goes on"
    HOOK_SKIPPED = "hook skipped: this Saleor changed its arguments"
    SCHEMA_NOT_MERGED = "our GraphQL fields are not in Saleor's schema"
    HOT_REQUESTS_OFF = "hot requests are answered by Django"
    SCHEDULE_NOT_SET = "periodic tasks are not registered"
    BATCH_FAILED = "batch of events failed; it will be read again"
    MEASURE_FAILED = "numbers could not be counted; they are not said"
    SHOPS_STALE = "shops cannot be read; the last known ones are served"
    SHELF_AWAY = "boards are not kept; pages are read from the database"
    STREAM_AWAY = "stream away; events go to Postgres instead"
    DRAINED = "events consumed"
    PUT_ASIDE = "events put aside as dead letters"
    SHOP_POSTPONED = "shop's facts wait, because it does not answer"
    WEBHOOK_REFUSED = "webhook refused"
    KEYS_REFETCHED = "shop's key set fetched again"
    SHOP_REGISTERED = "shop registered"
    SHOP_REMOVED = "shop removed the app"
    REGISTER_REFUSED = "registration refused"
    HOST_UNAVAILABLE = "shop did not answer"
    LOOK_FAILED = "where a checkout stands could not be asked; it counts as not known"
    RECONCILED = "caught up with a shop"
    RECONCILING = "catching up with a shop goes on"
    PRODUCTS_FAILED = "asking a shop for its products failed"
    RECONCILE_FAILED = "catching up with a shop failed"
    MESSAGE_SENT = "message sent"
    MESSAGE_HELD = "message not sent"
    TEXT_FAILED = "seller's text failed; ours is shown"
    CAMPAIGN_UNREADABLE = "campaign cannot be read; it sends nothing"
    SWEEP_FAILED = "shop's checkouts could not be looked at; they will be"
    PROVIDER_PAUSED = "provider left alone for a while"
    LEDGER_BEHIND = "ledger behind its record; sending is paused"
    MESSAGE_IN_DOUBT = "message may or may not have left"
    VOUCHER_FAILED = "voucher could not be made, put on or voided"
    CHECKOUT_RETURNED = "shopper came back by a link"
    REQUEST_FAILED = "request failed"
    PARTITIONS_MADE = "partitions made ahead"
    RECOUNT_FAILED = "piece of a recount failed; it will be tried again"
    ARCHIVED = "piece archived and read back"
    ARCHIVE_FAILED = "piece not archived; it will be tried again"
    ARCHIVE_DROPPED = "partition dropped: all of it is archived"
    ARCHIVE_DROP_HELD = "partition not dropped"
    ARCHIVE_RESTORED = "piece restored"


def log(line: Log, level: int = logging.INFO, *, trouble: bool = False, **fields: Any) -> None:
    """Log one line with its fields; `trouble` adds the exception being handled."""
    context = {"request_id": request_id.get(), "shop": shop_key.get()}
    extra = {"nudges": {key: value for key, value in (context | fields).items() if value != ""}}
    logger.log(level, line.value, extra=extra, exc_info=trouble)


def trouble(line: Log, **fields: Any) -> None:
    """Log one line, with the exception being handled, as an error."""
    log(line, logging.ERROR, trouble=True, **fields)


@contextmanager
def timed(histogram: Histogram, **labels: str) -> Iterator[None]:
    """Observe how long the block takes, in seconds."""
    start = perf_counter()
    try:
        yield
    finally:
        histogram.labels(**labels).observe(perf_counter() - start)


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)


# A checkout's global id is a bearer secret; base64 of "Checkout:" begins with these.
SECRETS: Final = (
    (re.compile(r"[^\s@<>\"(),:;=&?/\[\]\\]+(?:@|%40)[\w-]+\.[\w.-]+"), "<email>"),
    (re.compile(r"Q2hlY2tvdXQ6[\w+/=%-]*"), "<checkout>"),
    # A voucher's code, as `recovery.giving.minting` makes them.
    (re.compile(r"BACK(?:-[0-9A-Z]{4}){4}"), "<voucher>"),
    (re.compile(r"(?i)(bearer\s+|token[\\\"'=:\s]+)[\w.~+/=-]{12,}"), r"\1<token>"),
    (re.compile(r"(?<![\w.-])\+\d[\d\s().-]{7,}\d"), "<phone>"),
)


def redact(text: str) -> str:
    """Return the text without email addresses, phone numbers, tokens and checkout ids."""
    for pattern, name in SECRETS:
        text = pattern.sub(name, text)
    return text


class Redacting(logging.Formatter):
    """Wraps a formatter so that personal data never reaches a log, tracebacks included."""

    def __init__(self, wrapped: logging.Formatter | None = None) -> None:
        super().__init__()
        self.wrapped = wrapped or logging.Formatter("%(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return redact(self.wrapped.format(record))
