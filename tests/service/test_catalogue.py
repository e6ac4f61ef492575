"""What `ServiceHost` makes of the two answers about stock: never fewer than there are."""

from base64 import b64encode
from dataclasses import replace

import pytest
from django.conf import settings as django_settings

from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host import ProductCard
from saleor_nudges.service.host import ServiceHost
from tests.service import stand_in
from tests.service.stand_in import product_json, variant_json

pytestmark = pytest.mark.django_db

CHANNEL = "default-channel"
MUG = ProductCard("UHJvZHVjdDoz", "Mug", "mug", stock=7)


@pytest.fixture
def standing(settings):
    settings.SALEOR_NUDGES = django_settings.SALEOR_NUDGES | {
        "HOST": "saleor_nudges.service.host.ServiceHost",
        "ALLOW_PRIVATE_ADDRESSES": True,
    }
    with stand_in.standing_in() as standing:
        yield standing


@pytest.fixture
def host(standing):
    return ServiceHost(stand_in.installed(standing))


def sell(standing, *variants, **fields):
    """Sell the mug in these variants: what a shopper sees of each, and what its warehouses hold."""
    seen = [
        variant_json(f"variant {n}", stock, **more) for n, (stock, _, more) in enumerate(variants)
    ]
    standing.products[MUG.id] = product_json(MUG) | {"variants": seen} | fields
    for number, (_, warehouses, _) in enumerate(variants):
        standing.warehouses[f"variant {number}"] = warehouses


def stock(host):
    return host.product_cards(CHANNEL, [MUG.id])[MUG.id].stock


def asked(standing):
    return [name for name, _, _ in standing.asked]


@pytest.mark.parametrize(
    ("_case", "warehouses", "expected"),
    [
        ("one", [(7, 0, 0)], 7),
        ("what_orders_hold", [(7, 3, 0)], 4),
        ("what_checkouts_hold", [(7, 3, 1)], 3),
        # A shopper without a country is told of the best zone: 4, and the other has 3 more.
        ("in_two_zones", [(4, 0, 0), (3, 0, 0)], 7),
        ("one_owes_the_other", [(5, 0, 0), (2, 4, 0)], 3),
        ("reserved_more_than_there_is", [(5, 0, 0), (2, 1, 3)], 5),
        ("more_is_owed_than_there_is", [(1, 0, 0), (0, 4, 0)], 0),
        ("in_no_warehouse", [], 0),
    ],
)
def test_warehouses_are_counted_together(_case, warehouses, expected, host, standing):
    sell(standing, (4, warehouses, {}))
    assert stock(host) == expected
    assert asked(standing) == ["NudgesProducts", "NudgesStocks"]
    assert standing.asked[1][1]["channel"] == CHANNEL
    assert [is_ours for _, _, is_ours in standing.asked] == [False, True]


@pytest.mark.parametrize(
    ("_case", "variants", "expected"),
    [
        ("few", [(20, [(20, 0, 0)], {}), (29, [(29, 0, 0)], {})], 49),
        ("plenty", [(20, [(20, 0, 0)], {}), (30, [(30, 0, 0)], {})], None),
        ("at_the_limit_of_a_line", [(70, [(70, 0, 0)], {})], None),
        ("at_a_small_limit", [(70, [(70, 0, 0)], {"quantityAvailable": 3})], 70),
        ("one_not_counted", [(2, [(2, 0, 0)], {}), (None, [], {"quantityAvailable": 3})], None),
        ("one_to_come", [(2, [(2, 0, 0)], {"preorder": {"endDate": None}})], None),
        ("no_limit", [(2, [(2, 0, 0)], {"quantityAvailable": None})], None),
    ],
)
def test_only_what_may_be_low_is_counted(_case, variants, expected, host, standing):
    sell(standing, *variants)
    assert stock(host) == expected


def test_variant_deleted_meanwhile_leaves_the_stock_unknown(host, standing):
    sell(standing, (2, [(2, 0, 0)], {}), (3, [(3, 0, 0)], {}))
    del standing.warehouses["variant 1"]
    assert stock(host) is None


@pytest.mark.parametrize("fields", [{"isAvailableForPurchase": None}, {"variants": []}])
def test_what_nobody_can_buy_is_not_for_sale(fields, host, standing):
    sell(standing, (2, [(2, 0, 0)], {}))
    standing.products[MUG.id] |= fields
    assert host.product_cards(CHANNEL, [MUG.id]) == {}


def test_many_are_asked_for_page_by_page(host, standing):
    # given
    cards = [replace(MUG, id=stand_in_id(number)) for number in range(150)]
    for card in cards:
        standing.products[card.id] = product_json(card)
        standing.warehouses[f"{card.id}-variant"] = [(7, 0, 0)]

    # when
    found = host.product_cards(CHANNEL, [card.id for card in cards])

    # then
    assert found == {card.id: card for card in cards}
    assert asked(standing) == ["NudgesProducts", "NudgesStocks"] * 2
    assert [len(variables["ids"]) for _, variables, _ in standing.asked] == [100, 100, 50, 50]


def stand_in_id(number):
    return b64encode(f"Product:{number}".encode()).decode()


@pytest.mark.parametrize(
    ("_case", "spoil"),
    [
        ("no_variants", lambda mug: mug.pop("variants")),
        ("a_name_that_is_none", lambda mug: mug["variants"][0].update(quantityAvailable="many")),
        ("no_category", lambda mug: mug.pop("category")),
        ("a_category_of_nothing", lambda mug: mug.update(category={"id": "Q2F0ZWdvcnk6Mw=="})),
    ],
)
def test_answer_that_makes_no_sense_is_no_answer(_case, spoil, host, standing):
    sell(standing, (2, [(2, 0, 0)], {}))
    spoil(standing.products[MUG.id])
    with pytest.raises(HostUnavailable, match="makes no sense"):
        host.product_cards(CHANNEL, [MUG.id])
