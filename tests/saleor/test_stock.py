"""What is left and what is for sale, heard by asking: Saleor's own mutations, and no webhook."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from saleor.plugins.manager import PluginsManager

from saleor_nudges import tasks
from saleor_nudges.nudges import asking
from saleor_nudges.plugin.host import PluginHost, current_shop
from saleor_nudges.service import catalogue

from .conftest import ADDRESS, CHANNEL, Api, Seller, Storefront
from .test_story import view, work

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36"
# Since 3.23 hooks do not speak of stock.
HEARS_OF_STOCK = hasattr(PluginsManager, "product_variant_stocks_updated")

Product = dict[str, Any]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What beat does after the half minute in which an answer is good enough."""

    def pass_by() -> None:
        work()
        with monkeypatch.context() as patch:
            patch.setattr(asking, "ASKED_LATELY", -asking.ASKED_LATELY)
            tasks.products()

    return pass_by


@pytest.fixture
def visitor() -> Storefront:
    visitor = Storefront()
    visitor.client.defaults["HTTP_USER_AGENT"] = AGENT
    return visitor


def look_at(visitor: Storefront, product: Product) -> None:
    """Be somebody who looks at a product."""
    token = visitor.post("v1/session", {}).json()["token"]
    answer = visitor.post("v1/events", {"token": token, "events": [view(product["id"])]})
    assert answer.json() == {"accepted": 1, "rejected": []}


def texts(visitor: Storefront, product: Product) -> list[str]:
    return [nudge["text"] for nudge in visitor.nudges(page="PRODUCT", product=product["id"])]


def stocks_of(
    seller: Seller, product: Product, channel: str | None, country: str | None = None
) -> list[dict[str, Any]]:
    """Return every stock of a product, or those from which a channel or country can be served."""
    found = seller.ask(
        """query($id: ID!, $channel: String, $country: CountryCode) {
          product(id: $id, channel: $channel) { variants { id stocks(countryCode: $country) {
            quantity quantityAllocated quantityReserved warehouse { id } } } } }""",
        id=product["id"],
        channel=channel,
        country=country,
    )
    return [
        stock | {"variant": variant["id"]}
        for variant in found["variants"]
        for stock in variant["stocks"]
    ]


def leave(seller: Seller, product: Product, pieces: int) -> None:
    """Let so many pieces be left in one warehouse of the channel, and none in any other."""
    # Of the sample products hardly one is counted.
    count(seller, product)
    first = near(seller, product)
    for stock in stocks_of(seller, product, None):
        is_first = (stock["variant"], stock["warehouse"]) == (first["variant"], first["warehouse"])
        quantity = stock["quantityAllocated"] + (pieces if is_first else 0)
        set_stock(seller, stock, quantity)


def count(seller: Seller, product: Product, *, is_counted: bool = True) -> None:
    found = seller.ask("query($id: ID!) { product(id: $id) { variants { id } } }", id=product["id"])
    for variant in found["variants"]:
        seller.ask(
            """mutation($id: ID!, $on: Boolean!) {
              productVariantUpdate(id: $id, input: { trackInventory: $on }) {
                productVariant { id } errors { field message code } } }""",
            id=variant["id"],
            on=is_counted,
        )


def set_stock(seller: Seller, stock: dict[str, Any], quantity: int) -> None:
    seller.ask(
        """mutation($id: ID!, $stocks: [StockInput!]!) {
          productVariantStocksUpdate(variantId: $id, stocks: $stocks) {
            productVariant { id } errors { field message code } } }""",
        id=stock["variant"],
        stocks=[{"warehouse": stock["warehouse"]["id"], "quantity": quantity}],
    )


def list_it(seller: Seller, product: Product, **listing: bool) -> None:
    channel = seller.ask("query($slug: String!) { channel(slug: $slug) { id } }", slug=CHANNEL)
    seller.ask(
        """mutation($id: ID!, $input: ProductChannelListingUpdateInput!) {
          productChannelListingUpdate(id: $id, input: $input) {
            product { id } errors { field message code } } }""",
        id=product["id"],
        input={"updateChannels": [{"channelId": channel["id"], **listing}]},
    )


def some_product(shopper: Storefront, place: int) -> Product:
    """Return a product of which this test buys one first: what `leave` leaves can be bought."""
    return shopper.products(place + 1)[place]


def near(seller: Seller, product: Product) -> dict[str, Any]:
    """Return a stock from which our shoppers can be served."""
    return stocks_of(seller, product, CHANNEL, ADDRESS["country"])[0]


def test_few_left_are_told_while_it_is_so(
    seller: Seller,
    shopper: Storefront,
    visitor: Storefront,
    email: str,
    later: Callable[[], None],
):
    # given
    seller.track("LOW_STOCK")
    product = some_product(shopper, 3)
    look_at(visitor, product)
    later()
    assert texts(visitor, product) == []
    # when
    leave(seller, product, 3)
    later()
    # then
    [nudge] = visitor.nudges(page="PRODUCT", product=product["id"])
    assert (nudge["type"], nudge["category"]) == ("LOW_STOCK", "FRICTION")
    assert nudge["text"] == "Only 3 left"
    assert nudge["evidence"]["metric"] == "stock"
    assert nudge["evidence"]["value"] == 3
    # when: an order holds one of them
    shopper.buy(near(seller, product)["variant"], email=email)
    later()
    assert texts(visitor, product) == ["Only 2 left"]
    # when: more have come
    leave(seller, product, 40)
    later()
    assert texts(visitor, product) == []


def test_stock_is_heard_of_at_once_where_hooks_tell(
    seller: Seller, shopper: Storefront, visitor: Storefront, later: Callable[[], None]
):
    # given
    seller.track("LOW_STOCK")
    product = some_product(shopper, 4)
    leave(seller, product, 2)
    look_at(visitor, product)
    later()
    assert texts(visitor, product) == ["Only 2 left"]
    # when
    leave(seller, product, 40)
    work()
    # then
    assert texts(visitor, product) == ([] if HEARS_OF_STOCK else ["Only 2 left"])


def test_what_is_reserved_is_not_left(
    seller: Seller, shopper: Storefront, visitor: Storefront, later: Callable[[], None]
):
    # given
    seller.track("LOW_STOCK")
    product = some_product(shopper, 5)
    leave(seller, product, 4)
    look_at(visitor, product)
    reserve(seller, minutes=5)
    try:
        # when
        shopper.start(near(seller, product)["variant"], quantity=3)
        later()
        # then
        assert texts(visitor, product) == ["Only 1 left"]
    finally:
        reserve(seller, minutes=None)
        leave(seller, product, 40)


def reserve(seller: Seller, *, minutes: int | None) -> None:
    """Let what is put into a checkout be reserved for so long, or not at all."""
    seller.ask(
        """mutation($minutes: Int) { shopSettingsUpdate(input: {
          reserveStockDurationAnonymousUser: $minutes,
          reserveStockDurationAuthenticatedUser: $minutes }) {
            shop { name } errors { field message code } } }""",
        minutes=minutes,
    )


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ({"isPublished": False}, {"isPublished": True}),
        ({"isAvailableForPurchase": False}, {"isAvailableForPurchase": True}),
        ({"visibleInListings": False}, {"visibleInListings": True}),
    ],
    ids=["published", "for_sale", "listed"],
)
def test_product_that_cannot_be_bought_leaves_the_feed_and_comes_back(
    seller: Seller,
    shopper: Storefront,
    visitor: Storefront,
    email: str,
    hidden: dict[str, bool],
    shown: dict[str, bool],
):
    # given
    seller.track("ORDER")
    [product] = shopper.products(1)
    shopper.buy(product["variant"], email=email)
    work()
    tasks.products()
    assert len(visitor.nudges(page="HOME")) == 1
    # when
    list_it(seller, product, **hidden)
    work()
    # then
    try:
        assert visitor.nudges(page="HOME") == []
        assert visitor.nudges(page="PRODUCT", product=product["id"]) == []
    finally:
        list_it(seller, product, **shown)
    work()
    assert len(visitor.nudges(page="HOME")) == 1


def test_host_counts_as_saleor_does(seller: Seller, shopper: Storefront):
    # given: some are kept in several warehouses, and orders hold some
    products = shopper.products(12)
    for product in products:
        count(seller, product)
    products = shopper.products(12)
    # when
    with PluginHost.writing():
        cards = PluginHost(current_shop()).product_cards(CHANNEL, [p["id"] for p in products])
    # then
    assert len(cards) == 12
    ahead = [product for product in products if is_sold_ahead(seller, product)]
    assert [cards[product["id"]].stock for product in ahead] == [None] * len(ahead)
    assert len(ahead) < 6
    for product in (one for one in products if one not in ahead):
        stocks = stocks_of(seller, product, CHANNEL)
        held = ("quantityAllocated", "quantityReserved")
        left = sum(stock["quantity"] - sum(stock[name] for name in held) for stock in stocks)
        told = sum(variant["quantityAvailable"] for variant in product["variants"])
        assert cards[product["id"]].stock == left
        assert left >= told > 0


def test_app_counts_as_the_plugin_does(seller: Seller, shopper: Storefront):
    """The questions of the other way to run, asked of this Saleor."""
    # given
    products = shopper.products(12)
    ids = [product["id"] for product in products]
    leave(seller, products[7], 3)
    leave(seller, products[8], 0)
    token = seller.ask(
        """mutation { appCreate(input: { name: "Nudges", permissions: [MANAGE_PRODUCTS] }) {
          authToken errors { field message code } } }"""
    )["authToken"]
    # when
    as_anyone, as_app = asking_as(shopper), asking_as(Seller(token))
    told = dict(catalogue.cards(as_anyone, as_app, CHANNEL, ids))
    with PluginHost.writing():
        cards = PluginHost(current_shop()).product_cards(CHANNEL, ids)
    # then
    assert told.keys() == cards.keys()
    for key, card in cards.items():
        plenty = card.stock is None or card.stock > catalogue.FEW
        assert told[key].stock == (None if plenty else card.stock)
        assert replace(told[key], image_url="", stock=None) == replace(
            card, image_url="", stock=None
        )
    assert (told[ids[7]].stock, told[ids[8]].stock) == (3, 0)
    variants = {product["variant"]: product["id"] for product in products}
    assert catalogue.products_of(as_app, list(variants)) == variants


def asking_as(api: Api) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """Return how our App asks, over this connection."""

    def ask(query: str, variables: dict[str, Any]) -> dict[str, Any]:
        answer = api.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    return ask


def is_sold_ahead(seller: Seller, product: Product) -> bool:
    found = seller.ask(
        "query($id: ID!) { product(id: $id) { variants { preorder { endDate } } } }",
        id=product["id"],
    )
    return any(variant["preorder"] for variant in found["variants"])


def test_variant_that_is_not_tracked_is_not_counted(seller: Seller, shopper: Storefront):
    product = some_product(shopper, 6)
    for is_counted in (True, False):
        count(seller, product, is_counted=is_counted)
        with PluginHost.writing():
            cards = PluginHost(current_shop()).product_cards(CHANNEL, [product["id"]])
        assert (cards[product["id"]].stock is not None) is is_counted


def test_host_knows_where_a_product_belongs(seller: Seller, shopper: Storefront):
    products = shopper.products(12)
    with PluginHost.writing():
        host = PluginHost(current_shop())
        cards = host.product_cards(CHANNEL, [product["id"] for product in products])
    for product in products:
        said = seller.ask(
            """query($id: ID!) { product(id: $id, channel: "default-channel") {
              collections { id }
              category { id ancestors(first: 20) { edges { node { id } } } } } }""",
            id=product["id"],
        )
        above = [edge["node"]["id"] for edge in said["category"]["ancestors"]["edges"]]
        card = cards[product["id"]]
        assert card.categories == (said["category"]["id"], *reversed(above))
        assert set(card.collections) == {one["id"] for one in said["collections"]}
    assert any(len(card.categories) > 1 for card in cards.values())


def test_host_finds_the_product_of_a_variant(shopper: Storefront, seller: Seller):
    one, other = shopper.products(2)
    with PluginHost.writing():
        found = PluginHost(current_shop()).products_of(
            [
                one["variant"],
                other["variant"],
                one["id"],
                "nonsense",
                "UHJvZHVjdFZhcmlhbnQ6OTk5OTk5",
            ]
        )
    assert found == {one["variant"]: one["id"], other["variant"]: other["id"]}


def test_any_number_of_products_costs_the_same_queries(
    seller: Seller, shopper: Storefront, django_assert_num_queries: Any
):
    # Variants, products, pictures, categories, collections, settings, stock.
    ids = [product["id"] for product in shopper.products(12)]
    with PluginHost.writing():
        host = PluginHost(current_shop())
        for some in (ids[:1], ids):
            with django_assert_num_queries(7):
                assert len(host.product_cards(CHANNEL, some)) == len(some)


def test_what_is_no_product_does_not_hide_the_others(seller: Seller, shopper: Storefront):
    [product] = shopper.products(1)
    strange = ["", "nonsense", "UHJvZHVjdDphYmM=", "UHJvZHVjdDo5OTk5OTk5OTk5OTk5OTk5OTk5OQ=="]
    with PluginHost.writing():
        cards = PluginHost(current_shop()).product_cards(CHANNEL, [*strange, product["id"]])
    assert list(cards) == [product["id"]]
