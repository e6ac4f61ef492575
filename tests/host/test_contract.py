"""What every host must do: one suite. The plugin's host is put through it inside a real Saleor.

Saleor behind `ServiceHost` is a stand-in here (tests/service/stand_in.py), which is ours; the
hosted suite asks a real one.
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
from django.conf import settings as django_settings

from demo.host import DemoHost
from demo.models import DemoCheckout, DemoOrder, DemoStock, line_json
from demo.shop import SHOP_KEY
from saleor_nudges.events import Cart, Contact, Line
from saleor_nudges.exceptions import HostUnavailable, NotFound
from saleor_nudges.host import Checkout, Host, NewVoucher, Order, ProductCard
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import Shop
from saleor_nudges.service.host import ServiceHost
from tests.service import stand_in

pytestmark = pytest.mark.django_db

CHANNEL = "default-channel"
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
JUICE = ProductCard("UHJvZHVjdDox", "Apple Juice", "apple-juice", "https://shop.example.com/a.png")
TEE = ProductCard("UHJvZHVjdDoy", "Tee", "tee")
MUG = ProductCard(
    "UHJvZHVjdDoz",
    "Mug",
    "mug",
    categories=("Q2F0ZWdvcnk6Mw==", "Q2F0ZWdvcnk6Mg==", "Q2F0ZWdvcnk6MQ=="),
    collections=("Q29sbGVjdGlvbjox", "Q29sbGVjdGlvbjoy"),
    stock=7,
)


class Harness(Protocol):
    """A shop to which a test can do things, and our host in front of it."""

    host: Host

    def hold_checkout(self, checkout: Checkout) -> None: ...
    def hold_order(self, order: Order) -> None: ...
    def sell(self, card: ProductCard) -> None: ...
    def unpublish(self, card: ProductCard) -> None: ...
    def leave(self, card: ProductCard, pieces: int) -> None: ...
    def go_away(self) -> None: ...
    def use(self, code: str) -> None: ...
    def made(self) -> list[str]: ...


class MemoryHarness:
    def __init__(self) -> None:
        self.host = MemoryHost(Shop.objects.create(key="memory.example.com"))

    def hold_checkout(self, checkout: Checkout) -> None:
        self.host.shelf.checkouts[checkout.id] = checkout

    def hold_order(self, order: Order) -> None:
        self.host.shelf.orders[order.id] = order

    def sell(self, card: ProductCard) -> None:
        self.host.shelf.products[card.id] = card
        self.host.shelf.variants[variant_of(card)] = card.id

    def unpublish(self, card: ProductCard) -> None:
        self.host.shelf.unpublished.add((CHANNEL, card.id))

    def leave(self, card: ProductCard, pieces: int) -> None:
        self.host.shelf.left[variant_of(card)] = pieces

    def go_away(self) -> None:
        self.host.shelf.is_away = True

    def use(self, code: str) -> None:
        self.host.shelf.used.add(code)

    def made(self) -> list[str]:
        return list(self.host.shelf.vouchers)


class ServiceHarness:
    def __init__(self, standing: stand_in.StandIn) -> None:
        self.standing = standing
        self.host = ServiceHost(stand_in.installed(standing))

    def hold_checkout(self, checkout: Checkout) -> None:
        self.standing.checkouts[checkout.id] = stand_in.checkout_json(checkout)

    def hold_order(self, order: Order) -> None:
        self.standing.orders[order.id] = stand_in.order_json(order)

    def sell(self, card: ProductCard) -> None:
        self.standing.products[card.id] = stand_in.product_json(card)
        self.standing.stock[variant_of(card)] = None
        self.standing.warehouses[variant_of(card)] = [(card.stock or 0, 0, 0)]

    def unpublish(self, card: ProductCard) -> None:
        self.standing.products[card.id]["isAvailableForPurchase"] = False

    def leave(self, card: ProductCard, pieces: int) -> None:
        self.standing.stock[variant_of(card)] = pieces

    def go_away(self) -> None:
        self.standing.instead = (503, {}, b"")

    def use(self, code: str) -> None:
        for voucher in self.standing.vouchers.values():
            voucher["used"] += voucher["code"] == code

    def made(self) -> list[str]:
        return [voucher["code"] for voucher in self.standing.vouchers.values()]


class DemoHarness:
    """The shop of `make demo`, with what a test sells in place of its catalogue."""

    def __init__(self, catalogue: dict[str, Any]) -> None:
        self.host = DemoHost(Shop.objects.create(key=SHOP_KEY))
        self.catalogue = catalogue

    def hold_checkout(self, checkout: Checkout) -> None:
        DemoCheckout.objects.create(
            **self._basket(checkout),
            changed_at=checkout.changed_at,
            is_payment_started=checkout.payment_started,
            marketing_consent=checkout.marketing_consent,
        )

    def hold_order(self, order: Order) -> None:
        DemoOrder.objects.create(
            **self._basket(order),
            changed_at=order.updated_at,
            status=order.status,
            checkout_id=order.checkout_id,
        )

    def sell(self, card: ProductCard) -> None:
        if card.collections:
            pytest.skip("The demo's shop has no collections.")
        self.catalogue[card.id] = SimpleNamespace(
            id=card.id,
            variant_id=variant_of(card),
            name=card.name,
            slug=card.slug,
            picture=card.image_url,
            price=Decimal("4.99"),
            categories=card.categories,
        )

    def unpublish(self, card: ProductCard) -> None:
        del self.catalogue[card.id]

    def leave(self, card: ProductCard, pieces: int) -> None:
        DemoStock.objects.create(product_id=card.id, left=pieces)

    def go_away(self) -> None:
        pytest.skip("The demo's shop lies in our own database: it cannot be away alone.")

    def _basket(self, held: Checkout | Order) -> dict[str, Any]:
        return {
            "id": held.id,
            "channel": held.channel,
            "currency": held.cart.currency,
            "language": held.cart.language,
            "lines": [line_json(line) for line in held.cart.lines],
            "contact": asdict(held.contact),
            "created_at": held.created_at,
        }


@pytest.fixture(params=["memory", "service", "demo"])
def harness(request: Any, settings: Any, monkeypatch: Any) -> Iterator[Harness]:
    if request.param == "memory":
        yield MemoryHarness()
        return
    if request.param == "demo":
        catalogue: dict[str, Any] = {}
        monkeypatch.setattr("demo.host.BY_ID", catalogue)
        yield DemoHarness(catalogue)
        return
    settings.SALEOR_NUDGES = django_settings.SALEOR_NUDGES | {
        "HOST": "saleor_nudges.service.host.ServiceHost",
        "ALLOW_PRIVATE_ADDRESSES": True,
    }
    with stand_in.standing_in() as standing:
        yield ServiceHarness(standing)


def variant_of(card: ProductCard) -> str:
    return f"{card.id}-variant"


def a_line(card: ProductCard = JUICE, quantity: int = 2) -> Line:
    price = Decimal("4.99")
    return Line(card.id, variant_of(card), quantity, card.name, card.slug, card.image_url, price)


def a_cart(*lines: Line) -> Cart:
    total = sum((line.unit_price * line.quantity for line in lines), Decimal(0))
    return Cart(lines, total, "EUR", "en-gb")


ANNA = Contact("anna@example.com", "+48221234567", "VXNlcjox", "Anna", "Wroclaw", "PL")


def a_checkout(name: str = "one", **fields: Any) -> Checkout:
    defaults = {
        "channel": CHANNEL,
        "created_at": NOON,
        "changed_at": NOON + timedelta(minutes=5),
        "contact": ANNA,
        "cart": a_cart(a_line()),
    }
    return Checkout(f"Checkout:{name}", **defaults | fields)


def an_order(name: str = "one", **fields: Any) -> Order:
    defaults = {
        "channel": CHANNEL,
        "created_at": NOON,
        "updated_at": NOON,
        "status": "UNFULFILLED",
        "contact": ANNA,
        "cart": a_cart(a_line()),
        "checkout_id": "Checkout:one",
    }
    return Order(f"Order:{name}", **defaults | fields)


@pytest.mark.parametrize(
    ("_case", "checkout"),
    [
        ("everything_known", a_checkout(marketing_consent=True)),
        ("nobody_known", a_checkout(contact=Contact())),
        ("nothing_in_it", a_checkout(cart=a_cart())),
        ("said_no", a_checkout(marketing_consent=False)),
        ("payment_started", a_checkout(payment_started=True)),
    ],
)
def test_checkout_is_read_whole(_case, checkout, harness):
    # given
    harness.hold_checkout(checkout)

    # when
    found = harness.host.checkouts([checkout.id])

    # then
    assert found == {checkout.id: checkout}


def test_checkouts_that_exist_are_found_among_many(harness):
    # given
    held = [a_checkout(str(number)) for number in range(45)]
    for checkout in held:
        harness.hold_checkout(checkout)

    # when
    found = harness.host.checkouts([*(c.id for c in held), held[0].id, "Checkout:gone"])

    # then
    assert found == {checkout.id: checkout for checkout in held}


def test_nothing_asked_is_nothing_found(harness):
    assert harness.host.checkouts([]) == {}
    assert harness.host.looks([]) == {}
    assert harness.host.orders([]) == {}
    assert harness.host.product_cards(CHANNEL, []) == {}
    assert harness.host.products_of([]) == {}


# What a host cannot tell of where a checkout stands is None. What it tells is true.


@pytest.mark.parametrize(
    ("_case", "checkout"),
    [
        ("everything_known", a_checkout()),
        ("nobody_known", a_checkout(contact=Contact())),
        ("nothing_in_it", a_checkout(cart=a_cart())),
        ("two_lines_of_one_variant", a_checkout(cart=a_cart(a_line(), a_line(quantity=1)))),
        ("no_price", a_checkout(cart=a_cart(replace(a_line(), unit_price=Decimal(0))))),
    ],
)
def test_look_tells_what_the_checkout_says(_case, checkout, harness):
    # given
    harness.sell(JUICE)
    harness.hold_checkout(checkout)

    # when
    look = harness.host.looks([checkout.id])[checkout.id]

    # then
    assert (look.id, look.changed_at) == (checkout.id, checkout.changed_at)
    assert (look.currency, look.country) == ("EUR", checkout.contact.country)
    assert look.has_contact is checkout.contact.is_known()
    assert [(line.variant_id, line.quantity, line.unit_price) for line in look.lines] == [
        (line.variant_id, line.quantity, line.unit_price or None) for line in checkout.cart.lines
    ]
    assert all(line.is_available is not False and line.left is None for line in look.lines)


@pytest.mark.parametrize(("left", "is_short"), [(0, True), (2, True), (3, False), (9, False)])
def test_look_never_calls_buyable_what_is_not(left, is_short, harness):
    # given: three pieces in two lines
    harness.sell(TEE)
    harness.leave(TEE, left)
    harness.hold_checkout(a_checkout(cart=a_cart(a_line(TEE, 2), a_line(TEE, 1))))

    # when
    lines = harness.host.looks(["Checkout:one"])["Checkout:one"].lines

    # then
    for line in lines:
        assert line.is_available in (None, not is_short)
        assert line.left == (left if line.is_available is False else None)


def test_many_are_looked_at_together(harness):
    # given
    held = [a_checkout(str(number)) for number in range(45)]
    for checkout in held:
        harness.hold_checkout(checkout)

    # when
    found = harness.host.looks([*(c.id for c in held), held[0].id, "Checkout:gone"])

    # then
    assert {key: look.id for key, look in found.items()} == {c.id: c.id for c in held}


def test_look_changes_nothing(harness):
    # given
    harness.hold_checkout(a_checkout())
    before = harness.host.checkouts(["Checkout:one"])

    # when
    harness.host.looks(["Checkout:one"])

    # then
    assert harness.host.checkouts(["Checkout:one"]) == before


@pytest.mark.parametrize(
    ("_case", "order"),
    [
        ("from_a_checkout", an_order()),
        ("from_no_checkout", an_order(checkout_id="")),
        ("cancelled", an_order(status="CANCELED")),
    ],
)
def test_order_is_read_whole(_case, order, harness):
    # given
    harness.hold_order(order)

    # when
    found = harness.host.orders([order.id, "Order:gone"])

    # then
    assert found == {order.id: order}


def test_changed_orders_come_page_by_page_oldest_change_first(harness):
    # given
    orders = [an_order(str(n), updated_at=NOON + timedelta(minutes=n)) for n in range(6)]
    for order in reversed(orders):
        harness.hold_order(order)

    # when
    first = harness.host.orders_changed(NOON + timedelta(minutes=1), 2)
    second = harness.host.orders_changed(NOON + timedelta(minutes=1), 2, first.next)
    third = harness.host.orders_changed(NOON + timedelta(minutes=1), 2, second.next)

    # then
    assert [first.items, second.items, third.items] == [
        (orders[1], orders[2]),
        (orders[3], orders[4]),
        (orders[5],),
    ]
    assert first.next
    assert second.next
    assert third.next == ""


def test_changed_checkouts_come_page_by_page_oldest_change_first(harness):
    # given
    found = [a_checkout(str(n), changed_at=NOON + timedelta(minutes=n)) for n in range(6)]
    for checkout in reversed(found):
        harness.hold_checkout(checkout)

    # when
    first = harness.host.checkouts_changed(NOON + timedelta(minutes=1), 2)
    second = harness.host.checkouts_changed(NOON + timedelta(minutes=1), 2, first.next)
    third = harness.host.checkouts_changed(NOON + timedelta(minutes=1), 2, second.next)

    # then
    assert [first.items, second.items, third.items] == [
        (found[1], found[2]),
        (found[3], found[4]),
        (found[5],),
    ]
    assert first.next
    assert second.next
    assert third.next == ""


@pytest.mark.parametrize("ask", ["orders_changed", "checkouts_changed"])
def test_nothing_changed_is_an_empty_page(ask, harness):
    # given
    harness.hold_checkout(a_checkout())
    harness.hold_order(an_order())

    # when
    page = getattr(harness.host, ask)(NOON + timedelta(days=3), 10)

    # then
    assert (page.items, page.next) == ((), "")


def test_changes_of_one_moment_are_each_read_once(harness):
    # given
    held = {f"Checkout:{n}" for n in range(5)}
    for key in held:
        harness.hold_checkout(a_checkout(key.partition(":")[2], changed_at=NOON))

    # when
    found = [
        checkout.id for page in pages(harness.host.checkouts_changed, 2) for checkout in page.items
    ]

    # then
    assert len(found) == 5
    assert set(found) == held


def test_checkout_that_comes_while_pages_are_read_is_read_too(harness):
    # given
    for number in range(4):
        harness.hold_checkout(a_checkout(str(number), changed_at=NOON + timedelta(seconds=number)))
    found = []

    # when
    for page in pages(harness.host.checkouts_changed, 2):
        if not found:
            harness.hold_checkout(a_checkout("late", changed_at=NOON + timedelta(hours=1)))
        found += [checkout.id for checkout in page.items]

    # then
    assert found == ["Checkout:0", "Checkout:1", "Checkout:2", "Checkout:3", "Checkout:late"]


def pages(ask: Any, size: int) -> Iterator[Any]:
    after = ""
    while True:
        page = ask(NOON, size, after)
        yield page
        if not (after := page.next):
            return


def test_cards_of_what_can_be_shown(harness):
    # given
    harness.sell(JUICE)

    # when
    found = harness.host.product_cards(CHANNEL, [JUICE.id, TEE.id])

    # then
    assert found == {JUICE.id: JUICE}


def test_card_says_where_a_product_belongs_and_what_is_left_of_it(harness):
    harness.sell(MUG)
    assert harness.host.product_cards(CHANNEL, [MUG.id]) == {MUG.id: MUG}


def test_what_is_sold_out_is_still_for_sale(harness):
    card = replace(MUG, stock=0)
    harness.sell(card)
    assert harness.host.product_cards(CHANNEL, [MUG.id]) == {MUG.id: card}


def test_what_is_not_for_sale_has_no_card(harness):
    # given
    harness.sell(JUICE)
    harness.sell(TEE)

    # when
    harness.unpublish(TEE)

    # then
    assert harness.host.product_cards(CHANNEL, [JUICE.id, TEE.id]) == {JUICE.id: JUICE}


def test_what_is_no_product_has_no_card(harness):
    # given
    harness.sell(JUICE)
    strange = ["", "nonsense", "Q2F0ZWdvcnk6MQ==", "UHJvZHVjdDphYmM=", JUICE.id + "A", "é"]
    strange.append(b64encode(b"Product:99999999999999999999").decode())

    # when / then
    assert harness.host.product_cards(CHANNEL, [*strange, JUICE.id]) == {JUICE.id: JUICE}


def test_variants_are_found_with_their_products(harness):
    # given
    harness.sell(JUICE)
    harness.sell(TEE)

    # when
    found = harness.host.products_of([variant_of(JUICE), variant_of(TEE), "gone"])

    # then
    assert found == {variant_of(JUICE): JUICE.id, variant_of(TEE): TEE.id}


def test_held_checkout_is_the_present_one(harness):
    # given
    harness.hold_checkout(a_checkout())

    # when
    with harness.host.holding("Checkout:one") as found:
        # then
        assert found == a_checkout()


def test_nothing_is_held_once_it_is_gone(harness):
    with harness.host.holding("Checkout:gone") as found:
        assert found is None


def test_new_checkout_has_what_can_be_bought_and_nobody_in_it(harness):
    # given
    harness.sell(JUICE)

    # when
    made = harness.host.new_checkout(CHANNEL, [a_line(JUICE, 3), a_line(TEE, 1)], "en-gb")

    # then
    fresh = harness.host.checkouts([made])[made]
    assert [(line.variant_id, line.quantity) for line in fresh.cart.lines] == [
        (variant_of(JUICE), 3)
    ]
    assert fresh.contact == Contact()
    assert fresh.channel == CHANNEL


def test_what_can_be_bought_is_never_more_than_is_asked_for_or_left(harness):
    # given
    harness.sell(JUICE)
    harness.sell(TEE)
    harness.leave(TEE, 2)
    lines = [a_line(JUICE, 1), a_line(JUICE, 3), a_line(TEE, 5), a_line(MUG, 1)]

    # when / then
    wanted = {variant_of(JUICE): 4, variant_of(TEE): 2}
    assert harness.host.buyable(CHANNEL, lines) == wanted
    made = harness.host.new_checkout(CHANNEL, lines, "en")
    fresh = harness.host.checkouts([made])[made]
    assert {line.variant_id: line.quantity for line in fresh.cart.lines} == wanted


def test_nothing_of_what_is_sold_out_can_be_bought(harness):
    harness.sell(JUICE)
    harness.leave(JUICE, 0)
    assert harness.host.buyable(CHANNEL, [a_line(JUICE), a_line(TEE)]) == {}
    assert harness.host.buyable(CHANNEL, []) == {}


def test_new_checkout_has_the_metadata_it_is_given(harness):
    # given
    if isinstance(harness, DemoHarness):
        pytest.skip("A basket of the demo's shop has no metadata.")
    harness.sell(JUICE)
    given = {"affiliate": "blog-7", "gift": "yes"}

    # when
    made = harness.host.new_checkout(CHANNEL, [a_line(JUICE)], "en", given)

    # then
    assert harness.host.metadata(made, ["gift", "missing"]) == {"gift": "yes"}
    assert harness.host.metadata(made, ["gift", "affiliate"]) == given


def test_no_metadata_is_known_where_there_is_none(harness):
    harness.sell(JUICE)
    made = harness.host.new_checkout(CHANNEL, [a_line(JUICE)], "en")
    assert harness.host.metadata(made, ["gift"]) == {}
    assert harness.host.metadata("Checkout:gone", ["gift"]) == {}


def test_no_new_checkout_when_nothing_can_be_bought(harness):
    with pytest.raises(NotFound):
        harness.host.new_checkout(CHANNEL, [a_line(TEE)], "en")


# Vouchers.

CODE = "BACK-0123-4567-89AB-CDEF"


def a_voucher(**fields: Any) -> NewVoucher:
    ends_at = datetime.now(UTC) + timedelta(days=1)
    return replace(NewVoucher(CODE, CHANNEL, "EUR", ends_at, percent=10), **fields)


@pytest.fixture
def giving(harness: Harness) -> Harness:
    """A shop in which vouchers can be made."""
    if isinstance(harness, DemoHarness):
        pytest.skip("The demo's shop knows no vouchers.")
    harness.hold_checkout(a_checkout())
    return harness


def test_shop_without_vouchers_says_so():
    # given
    host = DemoHost(Shop.objects.create(key=SHOP_KEY))

    # when, then
    assert host.may_make_vouchers() is False
    with pytest.raises(HostUnavailable):
        host.make_voucher(a_voucher())
    assert host.put_voucher("Checkout:one", CODE) is False
    assert host.end_voucher(CODE) is False
    assert host.code_of("Checkout:one") == ""


@pytest.mark.parametrize(
    "fields",
    [{}, {"percent": None, "amount": Decimal("5.00"), "floor": Decimal(9)}],
    ids=["percent", "amount"],
)
def test_voucher_is_made_once_and_put_on(fields, giving):
    # given
    assert giving.host.may_make_vouchers() is True
    assert giving.host.code_of("Checkout:one") == ""

    # when
    giving.host.make_voucher(a_voucher(**fields))
    giving.host.make_voucher(a_voucher(**fields))

    # then
    assert giving.made() == [CODE]
    assert giving.host.put_voucher("Checkout:one", CODE) is True
    assert giving.host.put_voucher("Checkout:one", CODE) is True
    assert giving.host.code_of("Checkout:one") == CODE


def test_code_that_is_none_is_not_put_on(giving):
    assert giving.host.put_voucher("Checkout:one", CODE) is False
    assert giving.host.code_of("Checkout:one") == ""
    assert giving.host.code_of("Checkout:gone") == ""


def test_voucher_that_was_not_used_is_ended(giving):
    # given
    giving.host.make_voucher(a_voucher())

    # when, then: as often as it is asked
    assert giving.host.end_voucher(CODE) is False
    assert giving.made() == []
    assert giving.host.end_voucher(CODE) is False
    assert giving.host.put_voucher("Checkout:one", CODE) is False


def test_voucher_that_was_used_stays(giving):
    # given
    giving.host.make_voucher(a_voucher())
    giving.use(CODE)

    # when, then
    assert giving.host.end_voucher(CODE) is True
    assert giving.made() == [CODE]
    assert giving.host.put_voucher("Checkout:one", CODE) is False


def holding(host: Host) -> None:
    with host.holding("Checkout:one"):
        pytest.fail("held a checkout of a shop that is away")


@pytest.mark.parametrize(
    ("_case", "ask"),
    [
        ("checkouts", lambda host: host.checkouts(["Checkout:one"])),
        ("looks", lambda host: host.looks(["Checkout:one"])),
        ("orders", lambda host: host.orders(["Order:one"])),
        ("orders_changed", lambda host: host.orders_changed(NOON, 10)),
        ("checkouts_changed", lambda host: host.checkouts_changed(NOON, 10)),
        ("product_cards", lambda host: host.product_cards(CHANNEL, [JUICE.id])),
        ("products_of", lambda host: host.products_of([variant_of(JUICE)])),
        ("buyable", lambda host: host.buyable(CHANNEL, [a_line()])),
        ("metadata", lambda host: host.metadata("Checkout:one", ["gift"])),
        ("make_voucher", lambda host: host.make_voucher(a_voucher())),
        ("put_voucher", lambda host: host.put_voucher("Checkout:one", CODE)),
        ("end_voucher", lambda host: host.end_voucher(CODE)),
        ("code_of", lambda host: host.code_of("Checkout:one")),
        ("holding", holding),
        ("new_checkout", lambda host: host.new_checkout(CHANNEL, [a_line()], "en")),
    ],
)
def test_shop_that_is_away_says_so(_case, ask, harness):
    # given
    harness.hold_checkout(a_checkout())
    harness.sell(JUICE)
    harness.go_away()

    # when / then
    with pytest.raises(HostUnavailable):
        ask(harness.host)
