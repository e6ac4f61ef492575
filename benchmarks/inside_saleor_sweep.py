"""Run by Saleor's own Python, inside it: what a shopper's mutation takes while we sweep.

    python benchmarks/inside_saleor_sweep.py measure 100000 500 60
    python benchmarks/inside_saleor_sweep.py sweep 500

Prints one JSON object. Of `benchmarks` only what needs nothing but Django and us is imported.
"""

import copy
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import django

ROUNDS = 3
WARM_UP = 20


@cache
def beside(name: str) -> Any:
    """Return a module that lies beside this one: where Saleor runs `benchmarks` is no package."""
    sys.path.append(str(Path(__file__).parent))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop()


def cloned(checkout: Any, number: int) -> UUID:
    """Put the same checkout into the shop once more; return its primary key."""
    twin = copy.copy(checkout)
    twin.pk = UUID(int=(1 << 124) + number)
    twin.save(force_insert=True)
    for line in checkout.lines.all():
        line.pk, line.checkout, line.old_id = UUID(int=(1 << 125) + number), twin, None
        line.save(force_insert=True)
    key: UUID = twin.pk
    return key


def planted(checkout_id: str, count: int, due: int) -> None:
    """Track so many checkouts, of which so many are there and can be due."""
    import graphene
    from django.db import connection
    from django.db.models.functions import Now
    from saleor.checkout.models import Checkout

    from saleor_nudges import crypto
    from saleor_nudges.events import Contact
    from saleor_nudges.host import get_host
    from saleor_nudges.plugin.host import current_shop

    shop = current_shop()
    step = beside("engine").switch_on(shop)
    _, pk = graphene.Node.from_global_id(checkout_id)
    checkout = Checkout.objects.get(pk=pk)
    keys = [cloned(checkout, number) for number in range(1, due + 1)]
    Checkout.objects.filter(pk__in=keys).update(last_change=Now() - timedelta(hours=1))
    at: datetime = Checkout.objects.get(pk=keys[0]).last_change
    ids = [graphene.Node.to_global_id("Checkout", str(key)) for key in keys]
    [known] = get_host(shop).checkouts(ids[:1]).values()
    key = crypto.new_person_key()
    population = beside("population").Population(
        shop=str(shop.pk),
        campaign=str(step.campaign_id),
        step=str(step.pk),
        at=at,
        count=count,
        sealed_ids=[crypto.seal(one) for one in ids],
        sealed_key=key,
        sealed_contact=crypto.seal_for(key, asdict(Contact(email="anna@example.com"))),
        lines=json.dumps(
            [asdict(line) | {"unit_price": str(line.unit_price)} for line in known.cart.lines]
        ),
        channel=checkout.channel.slug,
    )
    with connection.cursor() as cursor:
        population.plant(cursor.execute)
        cursor.execute("ANALYZE")


def sweep(due: int) -> None:
    """Look at what is due, over and over; say after each time how many were entered."""
    from django.db import connection
    from saleor.core.db.connection import allow_writer

    with allow_writer():
        while True:
            with connection.cursor() as cursor:
                beside("population").wake(cursor.execute, due, due)
            print(beside("engine").look(), flush=True)


@contextmanager
def sweeping(due: int, entered: list[int]) -> Iterator[None]:
    """Sweep in a process of its own while the block lasts; note how many were entered."""
    command = [sys.executable, __file__, "sweep", str(due)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            # It says so when its first one is done: from then on it does nothing else.
            first = process.stdout.readline() if process.stdout else ""
            yield
        finally:
            process.terminate()
            rest = process.stdout.read() if process.stdout else ""
        entered.append(sum(map(int, f"{first}{rest}".split())))


def timed(checkout_id: str, variant: str, times: int) -> list[float]:
    """Return the milliseconds of so many whole checkoutLinesAdd."""
    shop, taken = beside("inside_saleor"), []
    for _ in range(times):
        began = time.perf_counter()
        shop.ask(shop.LINES_ADD, id=checkout_id, lines=[{"variantId": variant, "quantity": 1}])
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def measure(count: int, due: int, times: int) -> None:
    """Change a checkout while we sweep and while we do not, A-B-B-A; print every time taken."""
    from saleor.core.db.connection import allow_writer

    shop = beside("inside_saleor")
    shop.activate(active=True)
    checkout_id, variant = shop.a_checkout()
    with allow_writer():
        planted(checkout_id, count, due)
    swept: list[list[float]] = []
    quiet: list[list[float]] = []
    entered: list[int] = []

    def with_sweep() -> None:
        with sweeping(due, entered):
            swept.append(timed(checkout_id, variant, times))

    timed(checkout_id, variant, WARM_UP)
    for _ in range(ROUNDS):
        with_sweep()
        quiet += [timed(checkout_id, variant, times), timed(checkout_id, variant, times)]
        with_sweep()
    print(json.dumps({"swept": swept, "quiet": quiet, "entered": entered}))


VERBS: dict[str, Callable[..., None]] = {"measure": measure, "sweep": sweep}

if __name__ == "__main__":
    django.setup()
    VERBS[sys.argv[1]](*map(int, sys.argv[2:]))
