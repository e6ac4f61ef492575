"""What a measurement needs done inside our own code, each a verb run as a process of its own.

    python -m benchmarks.inside seed '{"visitors": 1000}'

The answer is one JSON object on the last line.
"""

import hashlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import django

from benchmarks import inside_recovery
from benchmarks.payloads import CHANNEL, popular, product

BATCH: Final = 500


def seed(visitors: int) -> dict[str, Any]:
    """Make the tables and one shop with everything switched on; return whom it knows."""
    from django.core.management import call_command

    from saleor_nudges import access
    from saleor_nudges.models import NudgeType, Shop
    from saleor_nudges.nudges import KINDS, configs

    call_command("migrate", verbosity=0)
    fields = {"name": "Bench", "tracking_since": datetime.now(UTC) - timedelta(days=1)}
    shop, _ = Shop.objects.update_or_create(
        key="https://shop.example.com/graphql/", defaults=fields
    )
    for kind in KINDS:
        changes: dict[str, Any] = {"is_enabled": True}
        if kind is NudgeType.PRODUCT_VIEW:
            changes["minimum"] = 1
        configs.change_config(shop, CHANNEL, kind, changes)
    return {
        "id": str(shop.pk),
        "public_id": shop.public_id,
        "visitors": [
            {
                "token": access.visitor_token(access.new_visitor(shop.pk)),
                "checkout": hashlib.sha256(b"%d" % number).hexdigest() if number % 3 == 0 else "",
            }
            for number in range(visitors)
        ],
    }


def fill(count: int, seed: int = 1) -> dict[str, Any]:
    """Put so many views of products into the stream; return how long it took, in seconds."""
    import random

    from saleor_nudges.capture import capture
    from saleor_nudges.events import ProductViewed
    from saleor_nudges.events.identity import uuid7
    from saleor_nudges.models import Shop

    shop = Shop.objects.get()
    chance = random.Random(seed)
    visitors = [uuid7() for _ in range(1000)]
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        now = datetime.now(UTC)
        events = [
            ProductViewed(
                shop=shop.pk,
                channel=CHANNEL,
                occurred_at=now,
                id=uuid7(now),
                product=popular(chance),
                visitor=chance.choice(visitors),
                page="PRODUCT",
            )
            for _ in range(min(BATCH, count - start))
        ]
        capture(*events, now=now)
    return {"seconds": time.perf_counter() - began}


def drain(folds: str = "every") -> dict[str, Any]:
    """Consume the views that wait, with every fold or with one; return events, seconds, memory."""
    from saleor_nudges import consumers
    from saleor_nudges.events import Flow
    from saleor_nudges.host import host_class

    if folds != "every":
        consumers.CONSUMERS = one_rollup(consumers.CONSUMERS)
    with host_class().writing():
        # What a process does once at its start is no part of the measurement.
        consumers.drain(Flow.COMMERCE, seconds=0)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began, cpu = time.perf_counter(), time.process_time()
    count = consumers.drain(Flow.VIEWS, seconds=600)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "events": count,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "rss_bytes": after.ru_maxrss * 1024,
        "rss_grown_bytes": (after.ru_maxrss - before.ru_maxrss) * 1024,
        "folds": [fold.__module__ for fold in consumers.CONSUMERS],
    }


def drain_facts() -> dict[str, Any]:
    """Consume the commerce facts that wait; return how many."""
    from saleor_nudges import consumers
    from saleor_nudges.events import Flow

    return {"events": consumers.drain(Flow.COMMERCE, seconds=600)}


def one_rollup(folds: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the fold that counts events by product, alone."""
    return tuple(fold for fold in folds if ".counts" in fold.__module__)


def everywhere() -> dict[str, Any]:
    """Let every kind of nudge appear on every page."""
    from saleor_nudges.models import Shop
    from saleor_nudges.nudges import KINDS, configs
    from saleor_nudges.nudges.kinds.base import PAGES

    for kind in KINDS:
        configs.change_config(Shop.objects.get(), CHANNEL, kind, {"pages": list(PAGES)})
    return {"kinds": len(KINDS)}


def orders(count: int, pause: float = 0.0, products: int = 1) -> dict[str, Any]:
    """Capture so many placed orders; say each fact on a line once it is acknowledged."""
    from django.db import close_old_connections

    from saleor_nudges.capture import capture
    from saleor_nudges.exceptions import StreamUnavailable
    from saleor_nudges.facts import facts_of
    from saleor_nudges.models import Shop

    shop, accepted = Shop.objects.get(), 0
    for number in range(count):
        bought = product(1 if products == 1 else number % products)
        facts = facts_of(shop, an_order(f"Order:{os.getpid()}-{number}", bought))
        close_old_connections()
        try:
            capture(*facts)
        except StreamUnavailable:
            time.sleep(0.1)
            continue
        accepted += 1
        for fact in facts:
            print(f"ACK {fact.id.hex}", flush=True)
        time.sleep(pause)
    return {"accepted": accepted}


def an_order(name: str, product_id: str = "UHJvZHVjdDo00001") -> Any:
    """Return an order of somebody, placed now."""
    from saleor_nudges.events import Cart, Contact, Line
    from saleor_nudges.host import Order

    now = datetime.now(UTC)
    line = Line(product_id=product_id, variant_id="v", quantity=1, product_name="Juice")
    return Order(
        id=name,
        channel=CHANNEL,
        created_at=now,
        updated_at=now,
        status="UNFULFILLED",
        contact=Contact(email="anna@example.com", first_name="Anna"),
        cart=Cart(lines=(line,)),
    )


def exact(queries: int) -> dict[str, Any]:
    """Compare who is here now with an oracle, so many times."""
    from benchmarks import crowds

    return crowds.exact(_redis(), queries)


def busiest(seconds: int) -> dict[str, Any]:
    """Play so many seconds around noon of a large shop's day."""
    from benchmarks import crowds

    return crowds.day(_redis(), seconds)


def _redis() -> Any:
    from redis import Redis

    return Redis.from_url(os.environ["NUDGES_REDIS_URL"])


VERBS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    verb.__name__: verb
    for verb in (seed, fill, drain, drain_facts, everywhere, orders, exact, busiest)
} | inside_recovery.VERBS


def main(verb: str, arguments: str) -> None:
    """Set Django up with the App's settings and run one verb."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saleor_nudges.service.settings")
    django.setup()
    print(json.dumps(VERBS[verb](**json.loads(arguments))))


if __name__ == "__main__":
    main(*sys.argv[1:])
