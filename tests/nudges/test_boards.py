"""Boards: what hangs on them, in how many questions, and what the stamp says."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from saleor_nudges.events.identity import uuid7
from saleor_nudges.models import NudgeConfig, NudgeSettings, NudgeType, ShopProduct
from saleor_nudges.nudges import boards, shelf
from saleor_nudges.nudges.picking import MOST_OF_CHANNEL, MOST_OF_PRODUCT
from saleor_nudges.testing import CHANNEL, make_shop, switch_on_nudge
from tests.nudges.rows import MINUTE, ago, deed, known_product, number

pytestmark = pytest.mark.django_db

A, B = "UHJvZHVjdDoxMDE=", "UHJvZHVjdDoxMDI="
KINDS = tuple(NudgeType)
HOUR = timedelta(hours=1)


@pytest.fixture
def shop():
    shop = make_shop()
    for kind in KINDS:
        switch_on_nudge(shop, kind, minimum=1)
    return shop


def build(shop, product=""):
    return boards.build(shop, CHANNEL, product, datetime.now(UTC))


def names(board):
    return {kind: [card.product for card in cards] for kind, cards in board.cards.items() if cards}


def fill(shop, products):
    for product in products:
        known_product(shop, product)
        deed(shop, NudgeType.ORDER, product, who={"name": "Anna", "city": "Wroclaw"} | PLACE)
        number(shop, NudgeType.PRODUCT_VIEW, product, 12)
        number(shop, NudgeType.ORDER_SUMMARY, product, 7)


PLACE = {"region": "", "country": "PL"}


def test_what_speaks_of_this_hangs_only_beside_its_product(shop):
    fill(shop, [A])
    number(shop, NudgeType.RECENT_VISITORS, "", 480)
    assert names(build(shop)) == {"ORDER": [A], "RECENT_VISITORS": [""]}
    assert names(build(shop, A)) == {"ORDER": [A], "ORDER_SUMMARY": [A], "PRODUCT_VIEW": [A]}
    assert names(build(shop, B)) == {}


def test_a_number_of_the_whole_shop_has_no_product(shop):
    number(shop, NudgeType.RECENT_VISITORS, "", 480)
    [card] = build(shop).cards["RECENT_VISITORS"]
    assert (card.product, card.body["product"], card.body["title"]) == ("", None, "")
    assert (card.body["image"], card.body["href"], card.body["occurredAt"]) == (None, None, None)
    assert card.texts["en"] == "480 people visited this shop in the last 24 hours"
    assert card.texts_less["en"] == "479 people visited this shop in the last 24 hours"


def test_a_product_is_shown_as_the_shop_has_it_now(shop):
    # given a purchase under an old name
    deed(shop, NudgeType.ORDER, A)
    known_product(shop, A, name="Apple Juice, new", slug="new", image_url="https://x/new.png")

    # then
    [card] = build(shop).cards["ORDER"]
    assert card.body["product"] == {"id": A, "name": "Apple Juice, new", "slug": "new"}
    assert card.body["image"] == "https://x/new.png"
    assert card.texts["en"] == "Someone bought Apple Juice, new"


def test_until_the_shop_was_asked_a_product_is_as_it_was_bought(shop):
    deed(shop, NudgeType.ORDER, A)
    known_product(shop, A, name="", slug="", asked_at=None)
    [card] = build(shop).cards["ORDER"]
    assert card.body["title"] == f"Product {A}"


def test_a_product_without_a_name_is_spoken_of_only_as_this(shop):
    deed(shop, NudgeType.ORDER, A, product={"id": A})
    number(shop, NudgeType.PRODUCT_VIEW, A, 12, product={"id": A})
    assert names(build(shop)) == {}
    assert names(build(shop, A)) == {"PRODUCT_VIEW": [A]}


def test_a_product_that_cannot_be_bought_hangs_nowhere(shop):
    fill(shop, [A, B])
    ShopProduct.objects.of(shop).filter(product_id=A).update(is_available=False)
    assert names(build(shop)) == {"ORDER": [B]}
    assert names(build(shop, A)) == {}
    assert build(shop, A).live is None
    assert build(shop, B).live is not None


def test_what_is_of_another_channel_says_nothing_here(shop):
    deed(shop, NudgeType.ORDER, A, channel="other")
    known_product(shop, A, channel="other", is_available=False)
    assert names(build(shop)) == {}
    deed(shop, NudgeType.ORDER, A)
    assert names(build(shop)) == {"ORDER": [A]}


@pytest.mark.parametrize(
    ("_case", "changes", "is_shown"),
    [
        ("good", {}, True),
        ("withdrawn", {"withdrawn_at": ago(MINUTE)}, False),
        ("over", {"valid_until": ago(MINUTE)}, False),
        ("of_the_future", {"occurred_at": ago(-HOUR)}, False),
        ("too_old", {"occurred_at": ago(timedelta(days=8))}, False),
        ("just_young_enough", {"occurred_at": ago(timedelta(days=7) - HOUR)}, True),
    ],
)
def test_only_what_stands_now(_case, changes, is_shown, shop):
    deed(shop, NudgeType.ORDER, A, **changes)
    assert bool(names(build(shop))) is is_shown


def test_a_number_without_its_reader_may_no_longer_be_worth_saying(shop):
    switch_on_nudge(shop, NudgeType.PRODUCT_VIEW, minimum=5)
    NudgeConfig.objects.of(shop).filter(type=NudgeType.PRODUCT_VIEW).update(maximum=8)
    seen = {}
    for value in (4, 5, 6, 8, 9, 10):
        product = f"P{value}"
        number(shop, NudgeType.PRODUCT_VIEW, product, value)
        cards = build(shop, product).cards["PRODUCT_VIEW"]
        seen[value] = [(card.value, card.less, bool(card.texts_less)) for card in cards]
    assert seen == {
        4: [],
        5: [(5, None, False)],
        6: [(6, 5, True)],
        8: [(8, 7, True)],
        9: [(None, 8, True)],
        10: [],
    }


def test_what_counts_no_reader_is_told_whole_to_everyone(shop):
    number(shop, NudgeType.LOW_STOCK, A, 3)
    known_product(shop, A)
    [card] = build(shop, A).cards["LOW_STOCK"]
    assert (card.value, card.less) == (3, 3)


def test_the_newest_are_kept_ready(shop):
    for minutes in range(MOST_OF_CHANNEL + 3):
        deed(shop, NudgeType.ORDER, A, occurred_at=ago(minutes * MINUTE))
    general, special = build(shop).cards["ORDER"], build(shop, A).cards["ORDER"]
    assert (len(general), len(special)) == (MOST_OF_CHANNEL, MOST_OF_PRODUCT)
    assert [card.id for card in special] == [card.id for card in general[:MOST_OF_PRODUCT]]
    assert sorted(general, key=lambda card: card.occurred_at, reverse=True) == list(general)


def test_fifty_boards_take_as_many_questions_as_one(shop):
    products = [f"P{number:02}" for number in range(50)]
    fill(shop, products)

    def questions(wanted):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            built = boards.build_many(shop, CHANNEL, wanted, datetime.now(UTC))
        assert [names(built[product]) for product in wanted] == [
            {"ORDER": [product], "PRODUCT_VIEW": [product], "ORDER_SUMMARY": [product]}
            for product in wanted
        ]
        return len(asked)

    one, fifty = questions(products[:1]), questions(products)
    assert one == fifty
    assert one <= 8


def test_a_listing_page_takes_one_look_at_the_shelf(shop, monkeypatch):
    # given
    products = tuple(f"P{number:02}" for number in range(50))
    fill(shop, products)
    client, asked = shelf._client(), []
    if client is None:
        pytest.skip("there is no Redis here")
    execute = type(client).execute_command
    monkeypatch.setattr(
        type(client), "execute_command", lambda *a, **k: asked.append(a[1]) or execute(*a, **k)
    )

    # when it is read twice
    now = datetime.now(UTC)
    cold = boards.boards_of(shop, CHANNEL, products, now)
    asked.clear()
    with CaptureQueriesContext(connection) as questions:
        warm = boards.boards_of(shop, CHANNEL, products, now)

    # then the second time it is one question of Redis, and none of the database
    assert warm == cold
    assert list(warm.products) == list(products)
    assert (asked, len(questions)) == (["MGET"], 0)


def test_a_board_of_another_configuration_is_built_anew(shop):
    fill(shop, [A, B])
    now = datetime.now(UTC)
    before = boards.boards_of(shop, CHANNEL, (A, B), now)
    switch_on_nudge(shop, NudgeType.ORDER, has_time=False)
    after = boards.boards_of(shop, CHANNEL, (A, B), now)
    stamps = {board.stamp for board in (after.channel, *after.products.values())}
    assert stamps == {after.channel.stamp}
    assert after.channel.stamp != before.channel.stamp
    assert after.products[A].cards["ORDER"][0].body["showTime"] is False


CONFIG = {
    "is_anonymous": False,
    "has_header_tag": False,
    "has_time": False,
    "priority": 3,
    "window_seconds": 7200,
    "minimum": 2,
    "maximum": 9,
    "stock_rule": "DAYS_OF_COVER",
    "cover_days": 8,
    "pages": ["CART"],
    "texts": {"en": "{{ product }}!"},
    "headings": {"en": "New"},
    "highlight_color": "#aabbcc",
    "included": {"products": [A]},
    "excluded": {"products": [B]},
    "order_statuses": ["FULFILLED"],
    "image": "NONE",
    "image_url": "https://x/y.png",
    "link": "NONE",
    "link_url": "https://x/y",
    "is_enabled": False,
}


def test_every_field_of_a_configuration_is_tried_here():
    fields = {field.name for field in NudgeConfig._meta.concrete_fields}
    assert fields - CONFIG.keys() == {"id", "created_at", "shop", "channel", "type"}


@pytest.mark.parametrize("field", sorted(CONFIG))
def test_the_stamp_says_whatever_is_configured(field, shop):
    before = build(shop).stamp
    mine = NudgeConfig.objects.of(shop).filter(type=NudgeType.ORDER)
    assert mine.update(**{field: CONFIG[field]}) == 1
    assert build(shop).stamp != before


@pytest.mark.parametrize(
    ("field", "value"), [("buyers_per_place", 9), ("devices", ["IOS"]), ("theme", "DARK")]
)
def test_the_stamp_says_how_nudges_look(field, value, shop):
    before = build(shop).stamp
    NudgeSettings.objects.of(shop).create(shop=shop, channel=CHANNEL, **{field: value})
    assert build(shop).stamp != before


def test_the_stamp_stays_while_nothing_is_changed(shop):
    before = build(shop).stamp
    deed(shop, NudgeType.ORDER, A, source_event=uuid7())
    assert (build(shop).stamp, build(shop, A).stamp) == (before, before)
