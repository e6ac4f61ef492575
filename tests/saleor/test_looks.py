"""Where a real checkout stands and what blocks it, each made so by Saleor's own mutations."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from saleor_nudges.host import CheckoutLook, PaymentOutcome
from saleor_nudges.models import TrackedCheckout
from saleor_nudges.plugin import delivery
from saleor_nudges.plugin.facts import global_id
from saleor_nudges.plugin.host import PluginHost, current_shop
from saleor_nudges.recovery.watching import standing, watch

from .conftest import ADDRESS, CHANNEL, Seller, Storefront
from .test_host import pk_of

CHECKED = {
    "PAYMENT_REFUSED",
    "NO_DELIVERY_METHOD",
    "LINE_UNAVAILABLE",
    "VOUCHER_REJECTED",
    "PRICE_CHANGED",
}


@dataclass
class Cart:
    """A shopper's checkout, what we saw of it when they were last there, and what we see now."""

    host: PluginHost
    shopper: Storefront
    id: str
    product: dict[str, Any]
    seen: TrackedCheckout | None = None

    def tell(self, mutation: str, **variables: Any) -> Any:
        """Do something to it, and let the page ask for the new prices."""
        types = {"address": "AddressInput!", "code": "String!", "method": "ID!"}
        given = "".join(f", ${name}: {types[name]}" for name in variables)
        name, _, arguments = mutation.partition(" ")
        return self.shopper.ask(
            f"""mutation($id: ID!{given}) {{ {name}(id: $id, {arguments}) {{
              checkout {{ id totalPrice {{ gross {{ amount }} }} }}
              errors {{ field message code }} }} }}""",
            id=self.id,
            **variables,
        )

    def goes_to(self, **changes: Any) -> None:
        """Say where to."""
        address = ADDRESS | changes
        self.tell("checkoutShippingAddressUpdate shippingAddress: $address", address=address)

    def is_billed(self) -> None:
        """Say who pays."""
        self.tell("checkoutBillingAddressUpdate billingAddress: $address", address=ADDRESS)

    def methods(self) -> list[str]:
        """Return the ids of the methods Saleor offers."""
        found = self.shopper.ask(
            "query($id: ID!) { checkout(id: $id) { shippingMethods { id } } }", id=self.id
        )
        return [method["id"] for method in found["shippingMethods"]]

    def comes_by(self, method: str) -> None:
        """Choose how it comes."""
        self.tell("checkoutDeliveryMethodUpdate deliveryMethodId: $method", method=method)

    def code(self, code: str) -> None:
        """Type a code."""
        self.tell("checkoutAddPromoCode promoCode: $code", code=code)

    def look(self) -> CheckoutLook:
        """Return what is told of it now."""
        return self.host.looks([self.id])[self.id]

    def leave(self) -> None:
        """Take down what its shopper has seen last."""
        found = self.host.checkouts([self.id])[self.id]
        self.seen = TrackedCheckout(shop=self.host.shop, channel=CHANNEL)
        watch.look(self.seen, found.cart, found.changed_at, payment_started=False)

    def stands(self) -> tuple[str, list[str]]:
        """Return the stage and the blockers that are written down of it now."""
        if self.seen is None:
            self.leave()
        tracked = self.seen
        assert tracked is not None
        found = standing.note(tracked, self.look())
        assert found.is_certain
        assert tracked.is_stage_certain
        return tracked.stage, tracked.blockers


@pytest.fixture
def host(seller: Seller) -> Iterator[PluginHost]:
    with PluginHost.writing():
        yield PluginHost(current_shop())


@pytest.fixture
def cart(host: PluginHost, shopper: Storefront) -> Cart:
    [product] = shopper.products(1)
    return Cart(host, shopper, shopper.start(product["variant"], quantity=3), product)


@pytest.fixture
def changed() -> Iterator[Callable[..., None]]:
    """Change rows of Saleor's and put them back afterwards."""
    with ExitStack() as stack:
        yield lambda rows, **fields: stack.enter_context(_changed(rows, **fields))


@contextmanager
def _changed(rows: Any, **fields: Any) -> Iterator[None]:
    before = list(rows.all())
    assert before
    rows.model.objects.filter(pk__in=[row.pk for row in before]).update(**fields)
    try:
        yield
    finally:
        with PluginHost.writing():
            for row in before:
                row.save(update_fields=list(fields))


@pytest.fixture
def _no_place_to_fetch_it(changed: Callable[..., None], host: PluginHost) -> None:
    from saleor.warehouse.models import Warehouse

    changed(Warehouse.objects.all(), click_and_collect_option="disabled")


# The stage, step by step.


def test_each_step_a_shopper_does_is_the_next_stage(cart: Cart, email: str):
    assert cart.stands() == ("CART", [])
    cart.shopper.say_email(cart.id, email)
    assert cart.stands() == ("CONTACT", [])
    cart.goes_to()
    assert cart.stands() == ("ADDRESS", [])
    cart.comes_by(cart.methods()[0])
    assert cart.stands() == ("DELIVERY", [])


def test_all_is_known_of_a_checkout_nothing_is_wrong_with(cart: Cart, email: str):
    # given
    cart.shopper.say_email(cart.id, email)
    cart.goes_to()
    methods = cart.methods()
    cart.comes_by(methods[0])
    cart.leave()

    # when
    look = cart.look()
    found = standing.note(cart.seen, look)

    # then
    assert (look.country, look.has_contact, look.has_address) == ("US", True, True)
    assert (look.needs_delivery, look.has_delivery) == (True, True)
    assert look.delivery_methods is not None
    assert look.delivery_methods >= len(methods)
    assert (look.payments, look.voucher, look.voucher_counts) == ((), "", None)
    [line] = look.lines
    assert (line.variant_id, line.quantity) == (cart.product["variant"], 3)
    assert (line.is_available, line.left) == (True, None)
    assert set(found.ruled_out) == CHECKED
    assert cart.seen.country == "US"


def test_what_is_not_sent_needs_a_bill_and_no_way(
    cart: Cart, email: str, changed: Callable[..., None]
):
    from saleor.product.models import ProductType

    # given
    changed(
        ProductType.objects.filter(products=pk_of(cart.product["id"])), is_shipping_required=False
    )
    cart.shopper.say_email(cart.id, email)
    assert cart.stands() == ("CONTACT", [])

    # when
    cart.is_billed()

    # then
    assert cart.look().needs_delivery is False
    assert cart.stands() == ("DELIVERY", [])


def test_method_that_is_offered_no_more_is_not_chosen(
    cart: Cart, email: str, changed: Callable[..., None]
):
    from saleor.shipping.models import ShippingMethodChannelListing

    # given
    cart.shopper.say_email(cart.id, email)
    cart.goes_to()
    chosen, *others = cart.methods()
    assert others
    cart.comes_by(chosen)
    cart.leave()
    method = pk_of(chosen)

    # when: it is for larger orders only
    listings = ShippingMethodChannelListing.objects.filter(shipping_method_id=method)
    changed(listings, minimum_order_price_amount=Decimal(100_000))

    # then
    assert cart.stands() == ("ADDRESS", [])


# The blockers, one by one.


@pytest.mark.usefixtures("_no_place_to_fetch_it")
def test_nothing_can_be_sent_to_that_country(cart: Cart, email: str, changed: Callable[..., None]):
    from saleor.shipping.models import ShippingMethod, ShippingMethodChannelListing

    # given
    cart.shopper.say_email(cart.id, email)
    cart.goes_to()
    methods = ShippingMethod.objects.filter(shipping_zone__countries__contains="US")
    listings = ShippingMethodChannelListing.objects.filter(shipping_method__in=methods)

    # when: every method of the country's zone is for larger orders
    changed(methods, type="price")
    changed(listings, minimum_order_price_amount=Decimal(100_000))

    # then
    assert cart.look().delivery_methods == 0
    assert cart.stands() == ("ADDRESS", ["NO_DELIVERY_METHOD"])


@pytest.mark.usefixtures("_no_place_to_fetch_it")
def test_country_of_no_zone_has_neither_way_nor_stock(
    cart: Cart, email: str, changed: Callable[..., None]
):
    from saleor.shipping.models import ShippingZone

    cart.shopper.say_email(cart.id, email)
    cart.goes_to()
    for zone in ShippingZone.objects.filter(countries__contains="US"):
        left = [country for country in zone.countries if country.code != "US"]
        changed(ShippingZone.objects.filter(pk=zone.pk), countries=left)
    stage, blockers = cart.stands()
    assert stage == "ADDRESS"
    assert "NO_DELIVERY_METHOD" in blockers


@pytest.fixture
def _stock_is_counted(changed: Callable[..., None], host: PluginHost) -> None:
    from saleor.product.models import ProductVariant

    changed(ProductVariant.objects.filter(track_inventory=False), track_inventory=True)


@pytest.mark.usefixtures("_stock_is_counted")
@pytest.mark.parametrize(("there", "left"), [(0, 0), (2, 2)], ids=["sold out", "too few"])
def test_line_of_which_there_is_too_little(
    cart: Cart, changed: Callable[..., None], there: int, left: int
):
    from saleor.warehouse.models import Reservation, Stock

    # given: nobody else has any of it in a cart
    Reservation.objects.exclude(checkout_line__checkout_id=pk_of(cart.id)).delete()
    held = Stock.objects.filter(product_variant_id=pk_of(cart.product["variant"]))
    first = held.filter(
        pk__in=Stock.objects.for_channel_and_country(CHANNEL, "US").values("pk")
    ).first()
    changed(held.exclude(pk=first.pk), quantity=F("quantity_allocated"))

    # when
    changed(held.filter(pk=first.pk), quantity=F("quantity_allocated") + there)

    # then
    [line] = cart.look().lines
    assert (line.is_available, line.left) == (False, left)
    assert cart.stands() == ("CART", ["LINE_UNAVAILABLE"])
    assert cart.seen is not None
    still = standing.buyable(cart.seen.lines, cart.look())
    assert [found["quantity"] for found in still] == ([left] if left else [])


@pytest.mark.usefixtures("_stock_is_counted")
@pytest.mark.parametrize("is_own", [True, False], ids=["the shopper's own", "somebody else's"])
def test_pieces_that_a_cart_holds(
    cart: Cart, visitor: Storefront, changed: Callable[..., None], is_own: bool
):
    from saleor.checkout.models import Checkout
    from saleor.warehouse.models import Reservation, Stock

    # given: three pieces, all of them held for a while
    held = Stock.objects.filter(product_variant_id=pk_of(cart.product["variant"]))
    stock = held.filter(
        pk__in=Stock.objects.for_channel_and_country(CHANNEL, "US").values("pk")
    ).first()
    changed(held.exclude(pk=stock.pk), quantity=F("quantity_allocated"))
    changed(held.filter(pk=stock.pk), quantity=F("quantity_allocated") + 3)
    other = visitor.start(cart.product["variant"])
    holder = Checkout.objects.get(pk=pk_of(cart.id if is_own else other))
    Reservation.objects.filter(stock__in=held).delete()
    reservation = Reservation.objects.create(
        checkout_line=holder.lines.get(),
        stock=stock,
        quantity_reserved=3,
        reserved_until=timezone.now() + timedelta(hours=1),
    )

    # when / then
    assert cart.look().lines[0].is_available is is_own
    reservation.delete()


def test_line_that_is_not_tracked_is_never_sold_out(cart: Cart, changed: Callable[..., None]):
    from saleor.product.models import ProductVariant
    from saleor.warehouse.models import Stock

    variant = pk_of(cart.product["variant"])
    changed(ProductVariant.objects.filter(pk=variant), track_inventory=False)
    changed(Stock.objects.filter(product_variant_id=variant), quantity=0)
    assert cart.look().lines[0].is_available is True


def test_line_of_which_one_person_may_have_fewer(cart: Cart, changed: Callable[..., None]):
    from saleor.product.models import ProductVariant

    variant = pk_of(cart.product["variant"])
    changed(ProductVariant.objects.filter(pk=variant), quantity_limit_per_customer=2)
    [line] = cart.look().lines
    assert (line.is_available, line.left) == (False, 2)


def test_line_that_is_for_sale_no_more(cart: Cart, changed: Callable[..., None]):
    from saleor.product.models import ProductChannelListing

    listings = ProductChannelListing.objects.filter(
        product_id=pk_of(cart.product["id"]), channel__slug=CHANNEL
    )
    changed(listings, is_published=False)
    [line] = cart.look().lines
    assert (line.is_available, line.left) == (False, 0)
    assert cart.stands() == ("CART", ["LINE_UNAVAILABLE"])


@pytest.mark.usefixtures("_stock_is_counted")
def test_only_the_line_that_is_gone_is_left_out(
    host: PluginHost, shopper: Storefront, changed: Callable[..., None]
):
    from saleor.warehouse.models import Stock

    # given
    one, other = shopper.products(2)
    cart = Cart(host, shopper, shopper.start(one["variant"], other["variant"]), one)
    cart.leave()

    # when
    changed(Stock.objects.filter(product_variant_id=pk_of(one["variant"])), quantity=0)

    # then
    assert cart.seen is not None
    still = standing.buyable(cart.seen.lines, cart.look())
    assert [line["variant_id"] for line in still] == [other["variant"]]


@pytest.fixture
def voucher(staff: Seller) -> str:
    """A code for ten percent off."""
    code = f"TEN-{timezone.now().timestamp()}"
    channel = staff.ask("query($slug: String!) { channel(slug: $slug) { id } }", slug=CHANNEL)
    made = staff.ask(
        """mutation($code: String!) { voucherCreate(input: { code: $code, type: ENTIRE_ORDER,
          discountValueType: PERCENTAGE }) { voucher { id } errors { field message code } } }""",
        code=code,
    )["voucher"]
    staff.ask(
        """mutation($id: ID!, $channel: ID!) { voucherChannelListingUpdate(id: $id, input: {
          addChannels: [{ channelId: $channel, discountValue: 10 }] }) {
            voucher { id } errors { field message code } } }""",
        id=made["id"],
        channel=channel["id"],
    )
    return code


@pytest.mark.parametrize(
    ("_case", "spoil"),
    [
        (
            "over",
            lambda found: found.__class__.objects.filter(pk=found.pk).update(
                end_date=timezone.now() - timedelta(minutes=1)
            ),
        ),
        ("deleted", lambda found: found.delete()),
        (
            "for larger orders",
            lambda found: found.channel_listings.update(min_spent_amount=Decimal(100_000)),
        ),
    ],
)
def test_code_that_counts_no_more(cart: Cart, voucher: str, _case: str, spoil: Any):
    from saleor.discount.models import Voucher

    # given
    cart.code(voucher)
    look = cart.look()
    assert look.voucher
    assert voucher not in look.voucher
    assert look.voucher_counts is True
    assert cart.stands() == ("CART", [])

    # when
    with PluginHost.writing():
        spoil(Voucher.objects.get(codes__code=voucher))

    # then
    assert cart.look().voucher_counts is False
    assert cart.stands() == ("CART", ["VOUCHER_REJECTED"])


@pytest.fixture
def till(staff: Seller) -> Seller:
    """A payment app."""
    token = staff.ask(
        """mutation { appCreate(input: { name: "Till", permissions: [HANDLE_PAYMENTS] }) {
          authToken errors { field message code } } }"""
    )["authToken"]
    return Seller(token)


def test_payments_are_told_try_by_try(cart: Cart, till: Seller):
    # given: the payment app has begun
    made = till.ask(
        """mutation($id: ID!) { transactionCreate(id: $id, transaction: { name: "Card" }) {
          transaction { id } errors { field message code } } }""",
        id=cart.id,
    )["transaction"]["id"]
    assert [one.outcome for one in cart.look().payments or ()] == [PaymentOutcome.OPEN]
    assert cart.stands() == ("PAYMENT", [])

    def report(kind: str) -> None:
        till.ask(
            """mutation($id: ID!, $type: TransactionEventTypeEnum!, $ref: String!) {
              transactionEventReport(id: $id, type: $type, amount: 1, pspReference: $ref) {
                transactionEvent { id } errors { field message code } } }""",
            id=made,
            type=kind,
            ref=kind,
        )

    # when / then
    report("CHARGE_FAILURE")
    assert [one.outcome for one in cart.look().payments or ()] == [PaymentOutcome.REFUSED]
    assert cart.stands() == ("PAYMENT", ["PAYMENT_REFUSED"])
    report("AUTHORIZATION_SUCCESS")
    assert cart.stands() == ("PAYMENT", [])
    report("REFUND_REQUEST")
    assert len(cart.look().payments or ()) == 2


@pytest.mark.parametrize(
    ("kind", "is_success", "outcome"),
    [
        ("auth", False, PaymentOutcome.REFUSED),
        ("capture", True, PaymentOutcome.SUCCEEDED),
        ("action_to_confirm", True, PaymentOutcome.OPEN),
        ("void", True, PaymentOutcome.OPEN),
    ],
)
def test_older_payments_are_told_too(
    cart: Cart, kind: str, is_success: bool, outcome: PaymentOutcome
):
    from saleor.payment.models import Payment, Transaction

    payment = Payment.objects.create(
        gateway="mirumee.payments.dummy", checkout_id=pk_of(cart.id), currency="USD"
    )
    Transaction.objects.create(
        payment=payment, kind=kind, is_success=is_success, currency="USD", gateway_response={}
    )
    assert [one.outcome for one in cart.look().payments or ()] == [outcome]


def times(seller: Seller, listing: Any, factor: Decimal) -> None:
    """Make a variant so many times as dear; what a promotion takes off it grows alike."""
    cents = Decimal("0.01")
    seller.ask(
        """mutation($id: ID!, $channel: ID!, $price: PositiveDecimal!) {
          productVariantChannelListingUpdate(id: $id, input: [
            { channelId: $channel, price: $price }]) {
              variant { id } errors { field message code } } }""",
        id=global_id("ProductVariant", listing.variant_id),
        channel=global_id("Channel", listing.channel_id),
        price=str((listing.price_amount * factor).quantize(cents)),
    )
    # Beat works that out, a little later.
    type(listing).objects.filter(pk=listing.pk).update(
        discounted_price_amount=(listing.discounted_price_amount * factor).quantize(cents)
    )


@pytest.mark.parametrize(
    ("factor", "blockers"),
    [(Decimal(2), ["PRICE_CHANGED"]), (Decimal("0.5"), []), (Decimal(1), [])],
    ids=["dearer", "cheaper", "the same"],
)
def test_price_the_shopper_has_not_seen(
    cart: Cart,
    seller: Seller,
    changed: Callable[..., None],
    factor: Decimal,
    blockers: list[str],
):
    from saleor.product.models import ProductVariantChannelListing

    # given
    listings = ProductVariantChannelListing.objects.filter(
        variant_id=pk_of(cart.product["variant"]), channel__slug=CHANNEL
    )
    listing = listings.get()
    changed(listings, discounted_price_amount=listing.discounted_price_amount)
    changed(listings, price_amount=listing.price_amount)
    cart.leave()
    [seen] = cart.look().lines

    # when
    times(seller, listing, factor)

    # then
    [line] = cart.look().lines
    assert line.unit_price is not None
    assert seen.unit_price is not None
    assert abs(line.unit_price - seen.unit_price * factor) < Decimal("0.01")
    assert cart.stands() == ("CART", blockers)


def test_price_nobody_has_asked_for_is_not_known(cart: Cart):
    cart.shopper.ask(
        """mutation($id: ID!, $lines: [CheckoutLineInput!]!) {
          checkoutLinesAdd(id: $id, lines: $lines) {
            checkout { id } errors { field message code } } }""",
        id=cart.id,
        lines=[{"variantId": cart.product["variant"], "quantity": 1}],
    )
    assert [line.unit_price for line in cart.look().lines] == [None]


# What a look must not do.


def test_look_leaves_no_trace(cart: Cart, voucher: str, email: str):
    from saleor.checkout.models import Checkout
    from saleor.discount.models import Voucher

    def row() -> list[Any]:
        lines = Checkout.objects.get(pk=pk_of(cart.id)).lines.order_by("pk")
        return [*Checkout.objects.filter(pk=pk_of(cart.id)).values(), *lines.values()]

    # given: a code that Saleor would take out if anybody asked for the price
    cart.shopper.say_email(cart.id, email)
    cart.goes_to()
    cart.comes_by(cart.methods()[0])
    cart.code(voucher)
    with PluginHost.writing():
        Voucher.objects.get(codes__code=voucher).delete()
    before = row()

    # when
    cart.look()

    # then
    assert row() == before


def test_code_on_delivery_is_checked_without_a_trace(
    cart: Cart, voucher: str, email: str, changed: Callable[..., None]
):
    from saleor.checkout.models import Checkout
    from saleor.discount.models import Voucher
    from saleor.shipping.models import ShippingMethodChannelListing

    # given: it waits for a way to send things
    cart.shopper.say_email(cart.id, email)
    cart.goes_to()
    cart.code(voucher)
    with PluginHost.writing():
        Voucher.objects.filter(codes__code=voucher).update(type="shipping")
    assert cart.look().voucher_counts is None
    method = cart.methods()[0]
    cart.comes_by(method)
    rows = Checkout.objects.filter(pk=pk_of(cart.id))
    rows.update(voucher_code=voucher)

    # when: the way has become dearer, which Saleor up to 3.22 writes down when it is asked
    listings = ShippingMethodChannelListing.objects.filter(shipping_method_id=pk_of(method))
    changed(listings.filter(channel__slug=CHANNEL), price_amount=Decimal("123.45"))
    before = list(rows.values())
    look = cart.look()

    # then
    assert look.voucher_counts is True
    assert list(rows.values()) == before


@pytest.mark.parametrize(
    "event", ["shipping_list_methods_for_checkout", "checkout_filter_shipping_methods"]
)
def test_where_apps_deliver_they_are_not_asked(
    cart: Cart, email: str, event: str, monkeypatch: pytest.MonkeyPatch
):
    from saleor.app.models import App
    from saleor.webhook.models import Webhook, WebhookEvent

    # given
    cart.shopper.say_email(cart.id, email)
    cart.goes_to()
    cart.comes_by(cart.methods()[0])
    with PluginHost.writing():
        app = App.objects.create(name="Courier", is_active=True)
        webhook = Webhook.objects.create(
            app=app, name="Courier", target_url="https://courier.invalid/", is_active=True
        )
        WebhookEvent.objects.create(webhook=webhook, event_type=event)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("somebody was asked"))
    try:
        # when: what Saleor keeps is too old to go by
        from saleor.checkout.models import Checkout

        if delivery.KEEPS_DELIVERIES:
            Checkout.objects.filter(pk=pk_of(cart.id)).update(
                delivery_methods_stale_at=timezone.now() - timedelta(days=1)
            )
        look = cart.look()

        # then
        assert look.delivery_methods is None
        assert look.has_delivery is None
        found = standing.note(TrackedCheckout(lines=[], voucher=""), look)
        assert (found.stage, found.is_certain) == ("ADDRESS", False)
        assert "NO_DELIVERY_METHOD" not in (*found.blockers, *found.ruled_out)
    finally:
        with PluginHost.writing():
            app.delete()


def test_shop_whose_app_sleeps_delivers_itself(cart: Cart):
    from saleor.app.models import App
    from saleor.webhook.models import Webhook, WebhookEvent

    with PluginHost.writing():
        app = App.objects.create(name="Courier", is_active=False)
        webhook = Webhook.objects.create(app=app, name="Courier", target_url="https://x.invalid/")
        WebhookEvent.objects.create(
            webhook=webhook, event_type="shipping_list_methods_for_checkout"
        )
    try:
        assert cart.look().delivery_methods is not None
    finally:
        with PluginHost.writing():
            app.delete()


@pytest.mark.breaks
def test_checkout_saleor_stumbles_over_costs_no_other(
    host: PluginHost, shopper: Storefront, monkeypatch: pytest.MonkeyPatch
):
    from saleor_nudges.plugin import looks

    # given
    [product] = shopper.products(1)
    good, bad = shopper.start(product["variant"]), shopper.start(product["variant"])
    whole = looks._whole

    def stumble(row: Any, *rest: Any, **named: Any) -> Any:
        if str(row.pk) == pk_of(bad):
            raise KeyError("no tax configuration")
        return whole(row, *rest, **named)

    monkeypatch.setattr(looks, "_whole", stumble)

    # when
    found = host.looks([good, bad, "nonsense"])

    # then
    assert set(found) == {good, bad}
    assert found[good].needs_delivery is True
    assert found[bad].needs_delivery is None
    assert found[bad].lines[0].variant_id == product["variant"]


def test_look_costs_so_many_queries(cart: Cart, host: PluginHost):
    with CaptureQueriesContext(connection) as asked:
        cart.look()
    assert len(asked) <= 60


def test_nobody_asked_for_is_nobody_found(host: PluginHost):
    assert host.looks([]) == {}
    assert host.looks(["nonsense", "Q2hlY2tvdXQ6bm8="]) == {}
