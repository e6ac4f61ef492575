"""Each thing a seller can set changes what a page is told: one row for each of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from saleor_nudges.models import (
    Nudge,
    NudgeConfig,
    NudgeSettings,
    NudgeType,
    OrderedProduct,
    Shop,
    ShopProduct,
)
from saleor_nudges.nudges import configs, measure
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.nudges.kinds.low_stock import DAYS_OF_SALES
from saleor_nudges.testing import CHANNEL, make_shop, switch_on_nudge
from tests.nudges.rows import MINUTE, a_person, ago, deed, known_product, number

pytestmark = pytest.mark.django_db

ORDER, VIEW, SUMMARY = NudgeType.ORDER, NudgeType.PRODUCT_VIEW, NudgeType.ORDER_SUMMARY
STOCK, VISITORS, REVIEW = NudgeType.LOW_STOCK, NudgeType.RECENT_VISITORS, NudgeType.PRODUCT_REVIEW

# Global ids, as Saleor writes them.
APPLE, PEAR, TENT = "UHJvZHVjdDox", "UHJvZHVjdDoy", "UHJvZHVjdDoz"
DRINKS, FOOD = "Q2F0ZWdvcnk6MQ==", "Q2F0ZWdvcnk6Mg=="
SUMMER = "Q29sbGVjdGlvbjox"
CART, HIKE = "https://cdn.example.com/sale.png", "https://shop.example.com/sale"

BY_SALES = {"stock_rule": "DAYS_OF_COVER"}

Look = Callable[[list[dict[str, Any]]], Any]


def products(nudges: list[dict[str, Any]]) -> Any:
    return [nudge["title"] for nudge in nudges if nudge["type"] == ORDER]


def types(nudges: list[dict[str, Any]]) -> Any:
    return sorted({nudge["type"] for nudge in nudges})


def of(kind: str, field: str) -> Look:
    """Return what says one field of the newest nudge of a kind; nothing if there is none."""
    return lambda nudges: next((one[field] for one in nudges if one["type"] == kind), None)


class Row(NamedTuple):
    """A setting, what it is changed to, and what a page reads before and after."""

    setting: str
    kind: NudgeType
    changes: dict[str, Any]
    look: Look
    before: Any
    after: Any


ALL = ["Tent", "Pear", "Apple"]
SLUG = "https://shop.example.com/default-channel/products/tent"

ROWS = [
    Row("is_enabled", ORDER, {"is_enabled": False}, products, ALL, []),
    Row("pages", ORDER, {"pages": ["CART"]}, products, ALL, []),
    Row(
        "is_anonymous",
        ORDER,
        {"is_anonymous": False},
        of(ORDER, "text"),
        "Someone bought Tent",
        "Anna bought Tent",
    ),
    Row(
        "has_header_tag",
        ORDER,
        {"has_header_tag": False},
        of(ORDER, "tag"),
        "Recently bought",
        None,
    ),
    Row("has_time", ORDER, {"has_time": False}, of(ORDER, "showTime"), True, False),
    Row(
        "priority",
        VIEW,
        {"priority": 1},
        lambda nudges: nudges[0]["type"],
        "LOW_STOCK",
        "PRODUCT_VIEW",
    ),
    Row("window_seconds", ORDER, {"window_seconds": 7200}, products, ALL, ["Tent", "Pear"]),
    Row("minimum", VIEW, {"minimum": 13}, of(VIEW, "text"), "12 people viewed this", None),
    Row("minimum", REVIEW, {"minimum": 5}, of(REVIEW, "category"), "RECENT_PURCHASE", None),
    Row("maximum", VIEW, {"maximum": 11}, of(VIEW, "text"), "12 people viewed this", None),
    Row(
        "texts",
        ORDER,
        {"texts": {"en": "{{ product }}: bought by someone"}},
        of(ORDER, "text"),
        "Someone bought Tent",
        "Tent: bought by someone",
    ),
    Row(
        "headings",
        ORDER,
        {"headings": {"en": "Bought here"}},
        of(ORDER, "tag"),
        "Recently bought",
        "Bought here",
    ),
    Row(
        "highlight_color",
        ORDER,
        {"highlight_color": "#aabbcc"},
        of(ORDER, "highlight"),
        "#16803c",
        "#aabbcc",
    ),
    Row("included", ORDER, {"included": {"products": [PEAR]}}, products, ALL, ["Pear"]),
    Row(
        "included", ORDER, {"included": {"categories": [DRINKS]}}, products, ALL, ["Pear", "Apple"]
    ),
    Row("included", ORDER, {"included": {"collections": [SUMMER]}}, products, ALL, ["Apple"]),
    Row(
        "included",
        ORDER,
        {"included": {"products": [TENT], "collections": [SUMMER]}},
        products,
        ALL,
        ["Tent", "Apple"],
    ),
    Row("excluded", ORDER, {"excluded": {"products": [PEAR]}}, products, ALL, ["Tent", "Apple"]),
    Row("excluded", ORDER, {"excluded": {"categories": [DRINKS]}}, products, ALL, ["Tent"]),
    Row(
        "excluded",
        ORDER,
        {"excluded": {"collections": [SUMMER]}},
        products,
        ALL,
        ["Tent", "Pear"],
    ),
    Row("order_statuses", ORDER, {"order_statuses": ["FULFILLED"]}, products, ALL, ["Pear"]),
    Row(
        "image",
        ORDER,
        {"image": "NONE"},
        of(ORDER, "image"),
        "https://cdn.example.com/tent.png",
        None,
    ),
    Row(
        "image_url",
        ORDER,
        {"image": "CUSTOM", "image_url": CART},
        of(ORDER, "image"),
        "https://cdn.example.com/tent.png",
        CART,
    ),
    Row("link", ORDER, {"link": "NONE"}, of(ORDER, "href"), SLUG, None),
    Row("link_url", ORDER, {"link": "CUSTOM", "link_url": HIKE}, of(ORDER, "href"), SLUG, HIKE),
    # Eight are left of a product of which one a day was sold.
    Row("maximum", STOCK, {"maximum": 7}, of(STOCK, "text"), "Only 8 left", None),
    Row("stock_rule", STOCK, BY_SALES, of(STOCK, "text"), "Only 8 left", None),
]


@pytest.fixture
def shop():
    shop = make_shop()
    for kind in (ORDER, SUMMARY, VISITORS):
        switch_on_nudge(shop, kind)
    switch_on_nudge(shop, REVIEW, minimum=4)
    switch_on_nudge(shop, VIEW, texts={"en": "{{ count }} people viewed this"})
    switch_on_nudge(shop, STOCK, maximum=10)
    _products(shop)
    anna = a_person(shop)
    who = {"name": "Anna", "city": "", "region": "", "country": ""}
    for minutes, (product, status) in enumerate(
        [(TENT, "UNFULFILLED"), (PEAR, "FULFILLED"), (APPLE, "UNFULFILLED")]
    ):
        at = ago((1 + minutes * 65) * MINUTE)
        deed(
            shop,
            ORDER,
            product,
            who=who,
            person=anna,
            occurred_at=at,
            details={"status": status},
        )
    deed(shop, REVIEW, TENT, who=who, details={"rating": 4, "excerpt": ""})
    number(shop, VIEW, APPLE, 12)
    number(shop, VISITORS, "", 480)
    return shop


def _products(shop: Shop) -> None:
    belongs = {
        APPLE: ("Apple", [DRINKS], [SUMMER]),
        PEAR: ("Pear", [DRINKS], []),
        TENT: ("Tent", [FOOD], []),
    }
    for product, (name, categories, collections) in belongs.items():
        known_product(
            shop,
            product,
            name=name,
            slug=name.lower(),
            image_url=f"https://cdn.example.com/{name.lower()}.png",
            categories=categories,
            collections=collections,
        )
    ShopProduct.objects.of(shop).filter(product_id=APPLE).update(stock=8)
    OrderedProduct.objects.of(shop).create(
        shop=shop,
        channel=CHANNEL,
        order_id="T3JkZXI6MQ==",
        product_id=APPLE,
        quantity=DAYS_OF_SALES,
        ordered_at=ago(timedelta(days=1)),
        status_at=ago(timedelta(days=1)),
    )


def feed(shop: Shop, **ask: Any) -> dict[str, Any]:
    # A number goes by the rules of the moment it was counted in.
    Nudge.objects.of(shop).filter(type=STOCK).delete()
    ShopProduct.objects.of(shop).update(asked_at=datetime.now(UTC))
    measure(shop.pk, STOCK, [(CHANNEL, APPLE)])
    asked = Ask(**{"channel": CHANNEL, "page": "PRODUCT", "product": APPLE, "count": 20} | ask)
    return choose(shop, asked, datetime.now(UTC)).as_json()


def read(shop: Shop, row: Row) -> Any:
    nudges = feed(shop)["nudges"]
    if row.look is products:
        nudges = feed(shop, product="", page="HOME")["nudges"]
    if row.look is not products and row.kind == ORDER:
        nudges = feed(shop, product=TENT)["nudges"]
    return row.look(nudges)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.kind}-{row.setting}")
def test_each_setting_of_a_kind_changes_what_a_page_reads(row, shop):
    assert read(shop, row) == row.before
    configs.change_config(shop, CHANNEL, row.kind, row.changes)
    assert read(shop, row) == row.after


def test_days_of_cover_change_how_few_are_few(shop):
    for days, text in ((7, None), (8, "Only 8 left")):
        configs.change_config(shop, CHANNEL, STOCK, {**BY_SALES, "cover_days": days})
        assert of(STOCK, "text")(feed(shop)["nudges"]) == text


def test_every_setting_of_a_kind_has_a_row():
    fields = {field.name for field in NudgeConfig._meta.concrete_fields}
    fields -= {"id", "created_at", "shop", "channel", "type"}
    assert fields - {"cover_days"} == {row.setting for row in ROWS}


# How nudges look, and how often they come.

DISPLAY: dict[str, tuple[Any, Look | Callable[[dict[str, Any]], Any], Any, Any]] = {
    "desktop_position": (
        "BOTTOM_RIGHT",
        lambda found: found["display"]["position"]["desktop"],
        "BOTTOM_LEFT",
        "BOTTOM_RIGHT",
    ),
    "mobile_position": (
        "TOP",
        lambda found: found["display"]["position"]["mobile"],
        "BOTTOM",
        "TOP",
    ),
    "theme": ("DARK", lambda found: found["display"]["theme"], "AUTO", "DARK"),
    "highlight_color": (
        "#aabbcc",
        lambda found: found["display"]["highlight"],
        None,
        "#aabbcc",
    ),
    "initial_delay": (9, lambda found: found["display"]["initialDelay"], 4, 9),
    "gap": (60, lambda found: found["display"]["gap"], 12, 60),
    "duration": (30, lambda found: found["display"]["duration"], 8, 30),
    "max_per_page": (1, lambda found: found["display"]["maxPerPage"], 3, 1),
    "max_per_session": (20, lambda found: found["display"]["maxPerSession"], 10, 20),
    "devices": (["IOS"], lambda found: found["display"]["enabled"], True, False),
    "is_quiet_in_checkout": (
        False,
        lambda found: found["display"]["quietInCheckout"],
        True,
        False,
    ),
    "consent_mode": (
        "OPT_IN",
        lambda found: found["display"]["consentMode"],
        "OPT_OUT",
        "OPT_IN",
    ),
    "captures_contact": (
        True,
        lambda found: found["display"]["capturesContact"],
        False,
        True,
    ),
    "buyers_per_place": (
        2,
        lambda found: of(ORDER, "text")(found["nudges"]),
        "Someone bought Tent",
        "Someone from Wroclaw bought Tent",
    ),
}


@pytest.mark.parametrize("setting", sorted(DISPLAY))
def test_each_setting_of_a_channel_changes_what_a_page_reads(setting, shop):
    value, look, before, after = DISPLAY[setting]
    who = {"name": "", "city": "Wroclaw", "region": "", "country": "PL"}
    for _ in range(2):
        deed(shop, ORDER, TENT, who=who, occurred_at=ago(MINUTE / 2))
    asked = {"device": "DESKTOP", "product": TENT}
    assert look(feed(shop, **asked)) == before
    configs.change_settings(shop, CHANNEL, {setting: value})
    assert look(feed(shop, **asked)) == after


def test_every_setting_of_a_channel_has_a_row():
    fields = {field.name for field in NudgeSettings._meta.concrete_fields}
    assert fields - {"id", "created_at", "shop", "channel"} == DISPLAY.keys()
