"""Run by Saleor's own Python, inside it: what the hook costs, in statements and milliseconds.

    python benchmarks/inside_saleor.py 1000

Prints one JSON object. Nothing of `benchmarks` is imported: Saleor's environment lacks it.
"""

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import Any

import django

CHANNEL = "default-channel"
ROUNDS = 3
WARM_UP = 20
LINES_ADD = """mutation($id: ID!, $lines: [CheckoutLineInput!]!) {
  checkoutLinesAdd(id: $id, lines: $lines) {
    checkout { id totalPrice { gross { amount } } } errors { field message code } } }"""
CREATE = """mutation($input: CheckoutCreateInput!) { checkoutCreate(input: $input) {
  checkout { id } errors { field message code } } }"""
PRODUCTS = """query($channel: String!) {
  products(first: 20, channel: $channel, filter: { stockAvailability: IN_STOCK }) {
    edges { node { variants { id quantityAvailable } } } } }"""


def ask(query: str, **variables: Any) -> Any:
    """Return the one field of an answer of Saleor's public API."""
    from django.test import Client

    body = {"query": query, "variables": variables}
    answer = Client().post("/graphql/", body, content_type="application/json").json()
    if "errors" in answer:
        raise RuntimeError(answer["errors"])
    [found] = answer["data"].values()
    return found


def activate(*, active: bool) -> None:
    """Switch our plugin on or off."""
    from saleor.core.db.connection import allow_writer
    from saleor.plugins.manager import get_plugins_manager

    with allow_writer():
        manager = get_plugins_manager(allow_replica=False)
        manager.save_plugin_configuration("saleor-nudges", None, {"active": active})


def a_checkout() -> tuple[str, str]:
    """Open a checkout through the API; return its id and the variant in it."""
    edges = ask(PRODUCTS, channel=CHANNEL)["edges"]
    stocked = [
        variant["id"]
        for edge in edges
        for variant in edge["node"]["variants"] or ()
        if variant["quantityAvailable"] and variant["quantityAvailable"] >= 5
    ]
    lines = [{"variantId": stocked[0], "quantity": 1}]
    basis = {"channel": CHANNEL, "lines": lines, "email": "anna@example.com"}
    return ask(CREATE, input=basis)["checkout"]["id"], stocked[0]


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect all SQL of the block."""
    from django.db import connections

    found: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        found.append(sql)
        return execute(sql, *rest)

    with connections["default"].execute_wrapper(note):
        yield found


def hooked(checkout: Any, calls: int) -> dict[str, Any]:
    """Call the hook as Saleor does, in a transaction; count and time what it does."""
    from django.db import transaction
    from saleor.core.db.connection import allow_writer
    from saleor.plugins.manager import get_plugins_manager

    before, after, times = 0, [], []
    with allow_writer():
        plugin = get_plugins_manager(allow_replica=False).get_plugin("saleor-nudges")
        for number in range(-WARM_UP, calls):
            # Another change each time, hence another fact.
            checkout.last_change += timedelta(milliseconds=1)
            with statements() as found:
                began = time.perf_counter()
                with transaction.atomic():
                    plugin.checkout_updated(checkout, previous_value=None)
                    until_commit = len(found)
                took = time.perf_counter() - began
            if number >= 0:
                before += until_commit
                after.append([sql.split()[0] for sql in found[until_commit:]])
                times.append(took * 1000)
    times.sort()
    return {
        "sql_before_commit": before,
        "inserts_after_commit": max(words.count("INSERT") for words in after),
        "statements_after_commit": max(map(len, after)),
        "p50_ms": round(median(times), 3),
        "p95_ms": round(times[int(len(times) * 0.95)], 3),
        "max_ms": round(times[-1], 3),
    }


@contextmanager
def redis_black_holed() -> Iterator[None]:
    """Let our Redis be a server that takes connections and never says a word."""
    from django.conf import settings

    with socket.create_server(("127.0.0.1", 0)) as silent:
        given = dict(getattr(settings, "SALEOR_NUDGES", {}))
        settings.SALEOR_NUDGES = given | {
            "REDIS_URL": f"redis://127.0.0.1:{silent.getsockname()[1]}/0",
            "VIEWS_STREAM": "saleor_nudges.stream.redis.RedisStream",
        }
        try:
            yield
        finally:
            settings.SALEOR_NUDGES = given


def mutated(checkout_id: str, variant: str, times: int) -> float:
    """Return the median milliseconds of a whole checkoutLinesAdd."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        ask(LINES_ADD, id=checkout_id, lines=[{"variantId": variant, "quantity": 1}])
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


def compared(checkout_id: str, variant: str, times: int) -> dict[str, float]:
    """Mutate with the plugin on and off, A-B-B-A; off beside off is the spread."""
    on: list[float] = []
    off: list[float] = []
    mutated(checkout_id, variant, WARM_UP)
    for _ in range(ROUNDS):
        for active, figures in ((True, on), (False, off), (False, off), (True, on)):
            activate(active=active)
            figures.append(mutated(checkout_id, variant, times))
    activate(active=True)
    pairs = [max(a / b, b / a) - 1 for a, b in zip(off[::2], off[1::2], strict=True)]
    return {
        "on_ms": round(median(on), 2),
        "off_ms": round(median(off), 2),
        "ratio": round(median(on) / median(off), 4),
        "off_to_off": round(max(pairs), 4),
    }


def main(calls: int) -> None:
    """Measure all three and print them."""
    django.setup()
    import graphene
    from saleor.checkout.models import Checkout
    from saleor.core.db.connection import allow_writer

    activate(active=True)
    checkout_id, variant = a_checkout()
    _, pk = graphene.Node.from_global_id(checkout_id)
    with allow_writer():
        checkout = Checkout.objects.select_related("channel").get(pk=pk)
    usual = hooked(checkout, calls)
    with redis_black_holed():
        away = hooked(checkout, max(calls // 5, 50))
    found = {
        "calls": calls,
        "usual": usual,
        "redis_black_holed": away,
        "mutation": compared(checkout_id, variant, max(10, calls // 50)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
