"""Distinct visitors from 8 KB: exact below 1,024, and beyond it never more than there were."""

import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_nudges.counts import sketch
from saleor_nudges.events.identity import uuid7

SHOP = UUID(int=1)
SETS = st.lists(st.sets(st.integers(0, 3000)), min_size=1, max_size=6)


def hashes_of(numbers):
    """Evenly spread hashes, the same for the same number."""
    return [random.Random(number).getrandbits(64) for number in numbers]


@given(parts=SETS)
def test_below_a_thousand_and_twenty_four_it_is_exact(parts):
    everybody = set().union(*parts)
    found = sketch.union(sketch.pack(hashes_of(part)) for part in parts)
    assert sketch.lower_bound(found) == min(len(everybody), sketch.lower_bound(found))
    if len(everybody) < sketch.K:
        assert sketch.lower_bound(found) == len(everybody)


@given(parts=SETS, order=st.randoms())
def test_the_same_visitors_give_the_same_bytes(parts, order):
    # given
    whole = sketch.pack(hashes_of(set().union(*parts)))

    # when they come in parts, in any order, some of them twice
    shuffled = [*parts, parts[0]]
    order.shuffle(shuffled)
    grown = b""
    for part in shuffled:
        grown = sketch.add(grown, hashes_of(part))

    # then
    assert grown == whole
    assert sketch.pack(sketch.union(sketch.pack(hashes_of(part)) for part in parts)) == whole


def test_it_is_stored_ascending_and_big_endian():
    assert sketch.pack([258, 1, 258]) == bytes(7) + b"\x01" + bytes(6) + b"\x01\x02"
    assert sketch.add(sketch.pack([2]), [1]) == sketch.pack([1, 2])


def test_what_changes_nothing_gives_the_very_same_bytes():
    full = sketch.pack(range(sketch.K))
    assert sketch.add(full, [5, sketch.K + 1]) is full
    assert sketch.add(sketch.pack([7]), [7]) == sketch.pack([7])
    assert len(sketch.add(full, [])) == sketch.K * sketch.WIDTH


@pytest.mark.parametrize("truth", [1024, 1025, 1100, 2000, 10_000, 1_000_000])
def test_it_never_claims_too_much_and_not_far_too_little(truth):
    # given the smallest hashes of so many visitors, drawn as gaps between evenly spread points
    chance = random.Random(truth)
    for _ in range(300):
        hashes = smallest(truth, chance)

        # when
        claimed = sketch.lower_bound(hashes)

        # then
        assert sketch.K <= claimed <= truth
        assert claimed >= min(truth, sketch.K)
        assert claimed > truth * 0.65


def smallest(truth, chance):
    """The K smallest of `truth` evenly spread hashes, without drawing the others."""
    found, low = [], 0.0
    for left in range(truth, truth - sketch.K, -1):
        low += (1 - low) * (1 - (1 - chance.random()) ** (1 / left))
        found.append(int(low * sketch.SPAN))
    return found


def test_a_hash_is_of_one_shop_and_spreads_evenly():
    visitor = uuid7()
    assert sketch.hasher(SHOP)(visitor) == sketch.hasher(SHOP)(visitor)
    assert sketch.hasher(SHOP)(visitor) != sketch.hasher(UUID(int=2))(visitor)
    found = sketch.pack(map(sketch.hasher(SHOP), (UUID(int=n) for n in range(20_000))))
    assert 15_000 < sketch.lower_bound(sketch.unpack(found)) <= 20_000
    assert 17_500 < sketch.estimate(sketch.unpack(found)) < 22_500
