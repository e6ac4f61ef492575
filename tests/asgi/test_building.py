"""Boards that are missing at the same time are built together."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import DatabaseError

from saleor_nudges.asgi import building
from saleor_nudges.asgi.building import LOOKS_AT_ONCE, Building
from saleor_nudges.nudges import shelf
from saleor_nudges.nudges.cards import Boards

SHOP = SimpleNamespace(pk=uuid4())


@pytest.fixture
def reads(monkeypatch):
    """Stand in for the database, which answers once `gate` is set."""
    found = SimpleNamespace(asked=[], gate=threading.Event(), trouble=None)

    def read(_, shop, products):
        found.asked.append(products)
        assert found.gate.wait(10)
        if found.trouble:
            raise found.trouble
        return Boards(f"board of {shop.pk}", {name: f"board of {name}" for name in products})

    monkeypatch.setattr(building, "_read", read)
    return found


def play(looks, reads):
    """Begin with the first look, let the others come while it is built; return their answers."""

    async def all_of_them():
        with ThreadPoolExecutor(4) as executor:
            made = Building(executor)

            def look(channel, *products):
                found = shelf.nothing_found(SHOP.pk, channel, products)
                return asyncio.create_task(made.boards(SHOP, found, products))

            first = look(*looks[0])
            while not reads.asked:
                await asyncio.sleep(0.001)
            others = [look(*one) for one in looks[1:]]
            await asyncio.sleep(0.05)
            reads.gate.set()
            answers = await asyncio.gather(first, *others, return_exceptions=True)
            assert not made._waiting
            return answers

    return asyncio.run(all_of_them())


def test_who_asks_during_a_build_waits_for_one_that_is_for_all(reads):
    looks = [("c", f"p{number}") for number in range(LOOKS_AT_ONCE + 1)]
    answers = play(looks, reads)
    assert reads.asked == [("p0",), tuple(product for _, product in looks[1:])]
    assert [answer.products for answer in answers] == [
        {product: f"board of {product}"} for _, product in looks
    ]


def test_no_build_is_for_more_than_so_many(reads):
    play([("c", f"p{number}") for number in range(2 * LOOKS_AT_ONCE + 2)], reads)
    assert [len(products) for products in reads.asked] == [1, LOOKS_AT_ONCE, LOOKS_AT_ONCE, 1]


def test_another_channel_does_not_wait(reads):
    play([("c", "p"), ("d", "p")], reads)
    assert reads.asked == [("p",), ("p",)]


def test_each_hears_what_went_wrong_and_the_next_tries_again(reads):
    reads.trouble = DatabaseError("away")
    answers = play([("c", "p"), ("c", "q"), ("c", "r")], reads)
    assert [type(answer) for answer in answers] == [DatabaseError] * 3
    reads.trouble = None
    assert play([("c", "p")], reads)[0].products == {"p": "board of p"}


def test_looks_are_joined_by_what_the_last_saw():
    pairs = [[b"old", b"1", b"p", b"2"], [b"new", b"3", None, b"4"]]
    looks = [
        shelf.Found(SHOP.pk, "c", product, values)
        for product, values in zip(("p", "q"), pairs, strict=True)
    ]
    found = shelf.joined(looks)
    assert found.pairs == {"": (b"new", b"3"), "p": (b"p", b"2"), "q": (None, b"4")}
