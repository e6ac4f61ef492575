"""Who reads the stream: a list, and the loop that feeds it.

One batch is one transaction: store what is new, fold only that, let the entries go. A worker that
dies in between leaves nothing behind, and an entry handed out twice is stored and folded once.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

from django.db import connection

from saleor_nudges import conf, crypto, nudges, people, retention, telemetry
from saleor_nudges.events import CheckoutFact, CustomerErased, Event, Flow, OrderFact
from saleor_nudges.events.identity import moment_of
from saleor_nudges.exceptions import InvalidEvent
from saleor_nudges.host import Checkout, Host, Order, get_host, host_class
from saleor_nudges.messaging import consents
from saleor_nudges.models import DeadLetter, Shop, ShopEvent, StoredEvent, ViewEvent
from saleor_nudges.models.partitions import oldest_kept
from saleor_nudges.recovery import watch
from saleor_nudges.stream import Entry, get_stream
from saleor_nudges.stream.codec import decode, open_fields, stored_data
from saleor_nudges.stream.postgres import PostgresStream

TABLES: dict[Flow, type[StoredEvent]] = {Flow.COMMERCE: ShopEvent, Flow.VIEWS: ViewEvent}
# Each is given the new events of one shop, in the order of their time.
CONSUMERS = (consents.fold, nudges.fold, watch.fold)

_made_on: dict[str, date] = {}

COLUMNS = ("id", "shop_id", "channel", "kind", "occurred_at", "subject", "person", "data")
INSERT = """
    INSERT INTO "{table}" (id, shop_id, channel, kind, occurred_at, subject, person, data)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS event(
        id uuid, shop_id uuid, channel text, kind text, occurred_at timestamptz,
        subject text, person uuid, data jsonb)
    ON CONFLICT DO NOTHING RETURNING id
"""


def drain(flow: Flow, *, seconds: float | None = None) -> int:
    """Consume batches until the stream is empty or the time is up; return the events consumed."""
    _make_partitions_once_a_day()
    limit = time.monotonic() + (conf.get().DRAIN_SECONDS if seconds is None else seconds)
    total = 0
    while True:
        count = consume_batch(flow)
        total += count
        if not count or time.monotonic() >= limit:
            return total


def _make_partitions_once_a_day() -> None:
    # A worker that was off for weeks must not wait for the night to have somewhere to store.
    today = datetime.now(UTC).date()
    if _made_on.get("day") != today:
        with host_class().writing():
            retention.make_partitions(datetime.now(UTC))
        _made_on["day"] = today


def consume_batch(flow: Flow) -> int:
    """Consume one batch; return how many entries it held."""
    stream = get_stream(flow)
    size = conf.get().BATCH_SIZE
    # Views that came while Redis was away wait in Postgres.
    streams = [stream] if isinstance(stream, PostgresStream) else [stream, PostgresStream(flow)]
    held = 0
    for source in streams:
        with (
            host_class().writing(),
            telemetry.timed(telemetry.BATCH_SECONDS, flow=flow),
            source.batch(size) as entries,
        ):
            process(entries, flow)
            held += len(entries)
    return held


def process(entries: Sequence[Entry], flow: Flow) -> int:
    """Store and fold entries inside the caller's transaction; return how many were new."""
    by_shop: dict[UUID, dict[UUID, Event]] = defaultdict(dict)
    for entry in entries:
        try:
            _check_age(entry, flow)
            by_shop[entry.shop_id][entry.id] = decode(entry)
        except InvalidEvent as error:
            _put_aside(entry, flow, str(error))
    new = 0
    for shop in Shop.objects.filter(pk__in=by_shop).order_by("pk"):
        if flow is Flow.COMMERCE:
            _one_at_a_time(shop)
        events = sorted(by_shop[shop.pk].values(), key=lambda event: (event.occurred_at, event.id))
        new += _process_shop(shop, _unknown(shop, events, flow), flow)
    telemetry.REPEATED.labels(flow=flow).inc(len(entries) - new)
    return new


def _one_at_a_time(shop: Shop) -> None:
    # An order and its cancellation, a checkout and its shopper's erasure: side by side in two
    # workers neither would see the other, and what was undone would stand for good.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [str(shop.pk)])


def _check_age(entry: Entry, flow: Flow) -> None:
    # It was young enough when it came, and may have waited since.
    if moment_of(entry.id) < oldest_kept(flow, datetime.now(UTC)):
        raise InvalidEvent("It waited until it was older than what is kept.", field="id")


def _put_aside(entry: Entry, flow: Flow, reason: str) -> None:
    """Keep what cannot be read, with its reason: it is not lost and holds nothing up."""
    telemetry.REFUSED.labels(door="consumer", code=InvalidEvent.code).inc()
    letter = DeadLetter(
        event_id=entry.id,
        flow=flow,
        shop_id=entry.shop_id,
        kind=entry.kind,
        payload=open_fields(entry),
        sealed=entry.sealed,
        reason=reason[:255],
    )
    DeadLetter.objects.bulk_create([letter], ignore_conflicts=True)


def _process_shop(shop: Shop, events: list[Event], flow: Flow) -> int:
    if not events:
        return 0
    complete = complete_from(get_host(shop), events) if flow is Flow.COMMERCE else events
    known = [_with_person(shop, event) for event in complete]
    new = _store(known, flow)
    for consume in CONSUMERS:
        consume(shop, new)
    telemetry.CONSUMED.labels(flow=flow).inc(len(new))
    return len(new)


def complete_from(host: Host, events: Iterable[Event]) -> list[Event]:
    """Ask the host, in one go, for what thin events left out: "look at this again"."""
    events = list(events)
    checkouts = host.checkouts(
        [e.checkout_id for e in events if isinstance(e, CheckoutFact) and e.cart is None]
    )
    orders = host.orders(
        [e.order_id for e in events if isinstance(e, OrderFact) and e.cart is None]
    )
    return [_completed(event, checkouts, orders) for event in events]


def _completed(event: Event, checkouts: dict[str, Checkout], orders: dict[str, Order]) -> Event:
    if isinstance(event, CheckoutFact) and (checkout := checkouts.get(event.checkout_id)):
        return replace(
            event,
            contact=checkout.contact,
            cart=checkout.cart,
            payment_started=event.payment_started or checkout.payment_started,
            marketing_consent=checkout.marketing_consent,
        )
    if isinstance(event, OrderFact) and (order := orders.get(event.order_id)):
        return replace(
            event,
            contact=order.contact,
            cart=order.cart,
            status=order.status,
            checkout=crypto.checkout_hash(order.checkout_id) if order.checkout_id else "",
        )
    return event


def _with_person(shop: Shop, event: Event) -> Event:
    contact = getattr(event, "contact", None)
    # Nobody is made only to be forgotten.
    look_up = people.find if isinstance(event, CustomerErased) else people.resolve
    person = look_up(shop, contact) if contact else None
    return replace(event, person=person.pk) if person else event


def _unknown(shop: Shop, events: list[Event], flow: Flow) -> list[Event]:
    # By id, in the few partitions the batch falls into: what is known costs the host nothing.
    ids = [event.id for event in events]
    known = set(
        TABLES[flow].objects.of(shop).filter(pk__in=ids).values_list("pk", flat=True)  # type: ignore[attr-defined]
    )
    return [event for event in events if event.id not in known]


def _store(events: list[Event], flow: Flow) -> list[Event]:
    table = TABLES[flow]
    # Two workers may hold one fact by two roads: the second waits here and finds it stored.
    stored = _insert_new(table, [_row(table, event) for event in events])
    return [event for event in events if event.id in stored]


def _insert_new(table: type[StoredEvent], rows: list[StoredEvent]) -> set[UUID]:
    # One parameter for the whole batch; RETURNING names only what was not there yet.
    records = [{column: _plain(getattr(row, column)) for column in COLUMNS} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(INSERT.format(table=table._meta.db_table), [json.dumps(records)])
        return {found for (found,) in cursor.fetchall()}


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return value.hex
    return value.isoformat() if isinstance(value, datetime) else value


def _row(table: type[StoredEvent], event: Event) -> StoredEvent:
    return table(
        id=event.id,
        shop_id=event.shop,
        channel=event.channel,
        kind=event.kind,
        occurred_at=event.occurred_at,
        subject=event.subject,
        person=event.person,
        data=stored_data(event),
    )
