"""The shop as `PluginHost` reads it, compared with what its public API says."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from saleor_nudges.events import Contact, Line
from saleor_nudges.exceptions import HostBusy, NotFound
from saleor_nudges.plugin.host import PluginHost, current_shop

from .conftest import ADDRESS, CHANNEL, Seller, Storefront


@pytest.fixture
def host(seller: Seller) -> Iterator[PluginHost]:
    """The host, with the permission the engine enters everywhere."""
    with PluginHost.writing():
        yield PluginHost(current_shop())


def lines_of(variants: dict[str, int]) -> list[Line]:
    return [Line("", variant, quantity) for variant, quantity in variants.items()]


def test_checkout_is_read_as_its_shopper_left_it(host: PluginHost, shopper: Storefront, email: str):
    # given
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"], email=email, quantity=2)
    shopper.ask(
        """mutation($id: ID!, $a: AddressInput!) {
          checkoutShippingAddressUpdate(id: $id, shippingAddress: $a) {
            checkout { id } errors { field message code } } }""",
        id=checkout,
        a=ADDRESS,
    )
    said = shopper.ask(
        """query($id: ID!) { checkout(id: $id) { updatedAt totalPrice { gross { amount currency } }
          lines { totalPrice { gross { amount } } } } }""",
        id=checkout,
    )
    # when
    found = host.checkouts([checkout])[checkout]
    # then
    assert found.channel == CHANNEL
    assert found.changed_at.isoformat() == said["updatedAt"]
    assert found.contact == Contact(
        email=email,
        phone="+12125550123",
        first_name="Anna",
        city="New York",
        country="US",
        region="NY",
    )
    assert float(found.cart.total) == said["totalPrice"]["gross"]["amount"]
    assert found.cart.currency == said["totalPrice"]["gross"]["currency"]
    [line] = found.cart.lines
    assert (line.product_id, line.variant_id) == (product["id"], product["variant"])
    assert (line.product_name, line.product_slug) == (product["name"], product["slug"])
    assert float(line.unit_price * 2) == said["lines"][0]["totalPrice"]["gross"]["amount"]
    assert (found.payment_started, found.marketing_consent) == (False, None)


def test_price_nobody_asked_for_is_not_told(host: PluginHost, shopper: Storefront):
    # given: Saleor has not calculated since the last change
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"])
    shopper.ask(
        """mutation($id: ID!, $lines: [CheckoutLineInput!]!) {
          checkoutLinesAdd(id: $id, lines: $lines) {
            checkout { id } errors { field message code } } }""",
        id=checkout,
        lines=[{"variantId": product["variant"], "quantity": 1}],
    )
    found = host.checkouts([checkout])[checkout]
    assert found.cart.total == 0
    assert [line.quantity for line in found.cart.lines] == [2]


@pytest.mark.parametrize(
    ("said", "understood"), [("true", True), ("false", False), ("perhaps", None)]
)
def test_marketing_consent_is_read_where_storefronts_keep_it(
    host: PluginHost, shopper: Storefront, said: str, understood: bool | None
):
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"])
    shopper.ask(
        """mutation($id: ID!, $value: String!) { updateMetadata(
          id: $id, input: [{ key: "paper.marketing_opt_in", value: $value }]) {
            item { __typename } errors { field message code } } }""",
        id=checkout,
        value=said,
    )
    assert host.checkouts([checkout])[checkout].marketing_consent is understood


@pytest.mark.parametrize(("said", "refuses"), [("true", True), ("false", False), ("", False)])
def test_who_wants_to_stay_unnamed_is_read_where_storefronts_keep_it(
    host: PluginHost, shopper: Storefront, said: str, refuses: bool
):
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"])
    assert host.checkouts([checkout])[checkout].refuses_featuring is False
    shopper.ask(
        """mutation($id: ID!, $value: String!) { updateMetadata(
          id: $id, input: [{ key: "saleor-nudges.stay_anonymous", value: $value }]) {
            item { __typename } errors { field message code } } }""",
        id=checkout,
        value=said,
    )
    assert host.checkouts([checkout])[checkout].refuses_featuring is refuses


def test_payment_under_way_is_not_left_behind(
    host: PluginHost, seller: Seller, shopper: Storefront
):
    # given: a payment app has reserved the money
    token = seller.ask(
        """mutation { appCreate(input: { name: "Till", permissions: [HANDLE_PAYMENTS] }) {
          authToken errors { field message code } } }"""
    )["authToken"]
    till = Seller(token)
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"])
    assert host.checkouts([checkout])[checkout].payment_started is False
    # when
    till.ask(
        """mutation($id: ID!) { transactionCreate(id: $id, transaction: {
          name: "Card", amountAuthorized: { amount: 1, currency: "USD" } }) {
            transaction { id } errors { field message code } } }""",
        id=checkout,
    )
    # then
    assert host.checkouts([checkout])[checkout].payment_started is True


def test_completing_is_payment_started(host: PluginHost, shopper: Storefront):
    from saleor.checkout.models import Checkout

    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"])
    Checkout.objects.filter(pk=pk_of(checkout)).update(completing_started_at=timezone.now())
    with host.holding(checkout) as held:
        assert held is not None
        assert held.payment_started is True


def test_order_is_read_with_the_checkout_it_came_from(
    host: PluginHost, shopper: Storefront, email: str
):
    [product] = shopper.products(1)
    checkout, order = shopper.buy(product["variant"], email=email)
    found = host.orders([order, "nonsense", checkout])
    assert list(found) == [order]
    assert found[order].checkout_id == checkout
    assert found[order].contact.email == email
    # Nothing was paid, so Saleor has not confirmed it yet.
    assert found[order].status == "UNCONFIRMED"
    assert [line.product_id for line in found[order].cart.lines] == [product["id"]]
    assert host.checkouts([checkout]) == {}


def test_refunded_order_says_so(host: PluginHost, seller: Seller, shopper: Storefront, email: str):
    token = seller.ask(
        """mutation { appCreate(input: { name: "Till", permissions: [HANDLE_PAYMENTS] }) {
          authToken errors { field message code } } }"""
    )["authToken"]
    till = Seller(token)
    [product] = shopper.products(1)
    _, order = shopper.buy(product["variant"], email=email)
    till.ask(
        """mutation($id: ID!) { transactionCreate(id: $id, transaction: {
          name: "Card", amountRefunded: { amount: 1, currency: "USD" } }) {
            transaction { id } errors { field message code } } }""",
        id=order,
    )
    assert host.orders([order])[order].status == "REFUNDED"


def test_changed_orders_come_page_by_page_and_each_once(host: PluginHost):
    since = timezone.now() - timedelta(days=3650)
    whole = host.orders_changed(since, 1000)
    assert whole.next == ""
    paged, after = [], ""
    while True:
        page = host.orders_changed(since, 3, after)
        paged += page.items
        if not (after := page.next):
            break
    assert [order.id for order in paged] == [order.id for order in whole.items]
    assert len(paged) > 3
    assert all(order.status != "DRAFT" for order in paged)


def test_changed_checkouts_come_page_by_page_oldest_change_first(
    host: PluginHost, shopper: Storefront, email: str
):
    # given: the first of five is changed after the others were opened
    products = shopper.products(5)
    opened = [shopper.start(product["variant"]) for product in products]
    since = host.checkouts(opened)[opened[0]].changed_at
    shopper.say_email(opened[0], email)
    # when
    paged, after = [], ""
    while True:
        page = host.checkouts_changed(since, 2, after)
        assert len(page.items) <= 2
        paged += page.items
        if not (after := page.next):
            break
    # then
    assert [checkout.id for checkout in paged] == [*opened[1:], opened[0]]
    assert paged[-1].contact.email == email
    assert [checkout.changed_at for checkout in paged] == sorted(c.changed_at for c in paged)


def test_checkout_that_became_an_order_has_not_changed_but_gone(
    host: PluginHost, shopper: Storefront, email: str
):
    [product] = shopper.products(1)
    since = timezone.now()
    _, order = shopper.buy(product["variant"], email=email)
    assert host.checkouts_changed(since, 10).items == ()
    assert [found.id for found in host.orders_changed(since, 10).items] == [order]


def test_only_published_products_have_a_card(host: PluginHost, seller: Seller, shopper: Storefront):
    shown, hidden = shopper.products(12)[10:]
    assert set(host.product_cards(CHANNEL, [shown["id"], hidden["id"]])) == {
        shown["id"],
        hidden["id"],
    }
    channel = seller.ask("query($slug: String!) { channel(slug: $slug) { id } }", slug=CHANNEL)[
        "id"
    ]
    seller.ask(
        """mutation($id: ID!, $channel: ID!) { productChannelListingUpdate(id: $id, input: {
          updateChannels: [{ channelId: $channel, isPublished: false }] }) {
            product { id } errors { field message code } } }""",
        id=hidden["id"],
        channel=channel,
    )
    cards = host.product_cards(CHANNEL, [shown["id"], hidden["id"], "UHJvZHVjdDo5OTk5OTk="])
    assert list(cards) == [shown["id"]]
    assert cards[shown["id"]].name == shown["name"]
    assert host.product_cards("no-such-channel", [shown["id"]]) == {}


def test_picture_has_an_absolute_address(host: PluginHost, shopper: Storefront, settings: Any):
    from saleor.product.models import ProductMedia

    [product] = shopper.products(1)
    media = ProductMedia.objects.create(product_id=int_of(product["id"]), image="products/a.jpg")
    try:
        card = host.product_cards(CHANNEL, [product["id"]])[product["id"]]
        assert card.image_url.startswith(f"{settings.PUBLIC_URL.rstrip('/')}/thumbnail/")
        assert card.image_url.endswith("/256/")
    finally:
        media.delete()


def seen_in(shopper: Storefront, checkout: str) -> dict[str, Any]:
    """Return what a storefront sees of a fresh checkout."""
    return shopper.ask(
        """query($id: ID!) { checkout(id: $id) {
          email languageCode lines { quantity variant { id quantityAvailable } } } }""",
        id=checkout,
    )


def test_fresh_checkout_has_as_much_as_can_be_bought(host: PluginHost, shopper: Storefront):
    # given
    one, other = shopper.products(2)
    wanted = {one["variant"]: 2, other["variant"]: 100_000, "UHJvZHVjdFZhcmlhbnQ6OTk5OTk5": 1}
    buyable = host.buyable(CHANNEL, lines_of(wanted))
    # when
    seen = seen_in(shopper, host.new_checkout(CHANNEL, lines_of(wanted), "de"))
    # then
    lines = seen.pop("lines")
    most = {line["variant"]["id"]: line["variant"]["quantityAvailable"] for line in lines}
    assert seen == {"email": None, "languageCode": "DE"}
    assert {line["variant"]["id"]: line["quantity"] for line in lines} == buyable
    assert buyable == {one["variant"]: 2, other["variant"]: most[other["variant"]]}
    assert 0 < most[other["variant"]] < 100_000


def test_fresh_checkout_is_opened_inside_a_transaction(host: PluginHost, shopper: Storefront):
    # given: nothing to buy, and then something
    [product] = shopper.products(1)
    with transaction.atomic():
        with pytest.raises(NotFound):
            host.new_checkout("no-such-channel", lines_of({product["variant"]: 1}), "en")
        # when
        fresh = host.new_checkout(CHANNEL, lines_of({product["variant"]: 1}), "en")
    # then
    [line] = seen_in(shopper, fresh)["lines"]
    assert line["quantity"] == 1


def test_fresh_checkout_has_the_metadata_it_is_given(host: PluginHost, shopper: Storefront):
    [product] = shopper.products(1)
    given = {"affiliate": "blog-7", "gift": "yes"}
    fresh = host.new_checkout(CHANNEL, lines_of({product["variant"]: 1}), "en", given)
    assert host.metadata(fresh, ["gift", "missing"]) == {"gift": "yes"}
    assert host.metadata(fresh, ["gift", "affiliate"]) == given
    assert host.metadata("Q2hlY2tvdXQ6bm8=", ["gift"]) == {}


@pytest.mark.parametrize(
    "variants", [{}, {"UHJvZHVjdFZhcmlhbnQ6OTk5OTk5": 1}], ids=["nothing", "unknown"]
)
def test_fresh_checkout_of_nothing_is_refused(host: PluginHost, variants: dict[str, int]):
    with pytest.raises(NotFound):
        host.new_checkout(CHANNEL, lines_of(variants), "en")


def test_held_checkout_keeps_still(host: PluginHost, shopper: Storefront, email: str):
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"], email=email)
    with host.holding(checkout) as held:
        assert held is not None
        assert held.contact.email == email
    with host.holding("Q2hlY2tvdXQ6bm8=") as held:
        assert held is None


def test_checkout_somebody_changes_is_busy(host: PluginHost, shopper: Storefront, email: str):
    # given: another process holds the row, as checkoutComplete does
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"], email=email)
    with locked_elsewhere(checkout), transaction.atomic():
        # then
        with pytest.raises(HostBusy), host.holding(checkout):
            pass
        # and the transaction around it can still be used
        assert current_shop().is_active
    with host.holding(checkout) as held:
        assert held is not None


@contextmanager
def locked_elsewhere(checkout: str) -> Iterator[None]:
    """Hold a checkout's row in another connection while the block lasts."""
    held, done = Event(), Event()

    def hold() -> None:
        from saleor.checkout.models import Checkout

        with PluginHost.writing(), transaction.atomic():
            Checkout.objects.select_for_update().get(pk=pk_of(checkout))
            held.set()
            done.wait(10)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        yield
    finally:
        done.set()
        thread.join(10)


def test_shop_outlives_a_new_domain(host: PluginHost):
    from django.contrib.sites.models import Site

    before = current_shop()
    site = Site.objects.get_current()
    old = site.domain
    try:
        Site.objects.filter(pk=site.pk).update(domain="new.example.com")
        Site.objects.clear_cache()
        assert current_shop().pk == before.pk
    finally:
        Site.objects.filter(pk=site.pk).update(domain=old)
        Site.objects.clear_cache()


def test_a_batch_costs_a_fixed_number_of_queries(
    host: PluginHost, shopper: Storefront, django_assert_max_num_queries: Any
):
    products = shopper.products(6)
    checkouts = [shopper.start(product["variant"]) for product in products]
    with django_assert_max_num_queries(8):
        assert len(host.checkouts(checkouts)) == 6
    with django_assert_max_num_queries(8):
        host.orders_changed(timezone.now() - timedelta(days=3650), 50)
    with django_assert_max_num_queries(8):
        host.checkouts_changed(timezone.now() - timedelta(days=3650), 50)


def pk_of(global_id: str) -> str:
    """Return the primary key inside a global id."""
    import graphene

    return str(graphene.Node.from_global_id(global_id)[1])


def int_of(global_id: str) -> int:
    return int(pk_of(global_id))
