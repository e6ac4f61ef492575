"""The demo shop as a host: what is its own. What every host must do is tests/host."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

import demo
from demo import shop
from demo.catalogue import BY_SLUG, CHANNEL, PRODUCTS
from demo.host import DemoHost
from demo.load import REVIEWS, load
from demo.models import DemoCheckout, DemoOrder, DemoStock, line_of
from saleor_nudges.events import Contact
from saleor_nudges.exceptions import HostBusy, NotFound, UnknownShop
from saleor_nudges.models import (
    CheckoutState,
    NudgeConfig,
    NudgeType,
    ProductReview,
    SeenOrder,
    Shop,
    ShopEvent,
    TrackedCheckout,
)
from saleor_nudges.testing import consume

BEN = Contact(email="ben@example.com", first_name="Ben", city="Lisbon")
JUICE, TEAPOT = BY_SLUG["apple-juice"], BY_SLUG["small-teapot"]


@pytest.fixture
def demo_shop(db: None, settings: Any) -> Shop:
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"HOST": "demo.host.DemoHost"}
    load()
    return shop.the_shop()


@pytest.fixture
def someone_else(transactional_db: None) -> Iterator[psycopg.Connection]:
    """Another connection to the same database."""
    parameters = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    given = {name: parameters[name] for name in names if parameters.get(name)}
    with psycopg.connect(**given) as other:
        yield other


def test_load_switches_on_and_can_be_repeated(demo_shop):
    # when
    load()
    # then
    assert Shop.objects.count() == 1
    assert demo_shop.legal_basis == "SOFT_OPT_IN"
    enabled = NudgeConfig.objects.of(demo_shop).filter(channel=CHANNEL, is_enabled=True)
    assert sorted(enabled.values_list("type", flat=True)) == sorted(NudgeType)
    assert DemoStock.objects.count() == len(PRODUCTS)
    assert ProductReview.objects.of(demo_shop).filter(state="APPROVED").count() == len(REVIEWS)


def test_what_a_shopper_does_reaches_the_engine(demo_shop, django_capture_on_commit_callbacks):
    # when
    with django_capture_on_commit_callbacks(execute=True):
        checkout = shop.put_in("", JUICE)
        shop.put_in(checkout.pk, JUICE)
        shop.put_in(checkout.pk, TEAPOT)
        shop.introduce(checkout.pk, BEN)
    consume()
    # then
    tracked = TrackedCheckout.objects.of(demo_shop).get()
    assert tracked.state == CheckoutState.OPEN
    assert tracked.person is not None
    assert [(line["product_name"], line["quantity"]) for line in tracked.lines] == [
        ("Apple Juice", 2),
        ("Small Teapot", 1),
    ]
    assert str(tracked.total.normalize()) == "57.8"
    # when
    with django_capture_on_commit_callbacks(execute=True):
        order = shop.buy(checkout.pk)
    consume()
    # then
    assert SeenOrder.objects.of(demo_shop).get().order_id == order.pk
    tracked.refresh_from_db()
    assert tracked.state == CheckoutState.ORDERED
    assert not DemoCheckout.objects.exists()


def test_what_is_bought_is_gone_from_the_shelf(demo_shop, django_capture_on_commit_callbacks):
    # given four teapots
    checkout = shop.put_in("", TEAPOT)
    shop.put_in(checkout.pk, TEAPOT)
    shop.introduce(checkout.pk, BEN)
    assert left_of(demo_shop, TEAPOT) == 4
    # when
    with django_capture_on_commit_callbacks(execute=True):
        shop.buy(checkout.pk)
    consume()
    # then
    assert left_of(demo_shop, TEAPOT) == 2
    told = ShopEvent.objects.of(demo_shop).get(kind="stock_changed")
    assert told.subject == TEAPOT.variant_id


def test_a_shelf_is_filled_before_it_is_empty(demo_shop):
    # given
    DemoStock.objects.filter(pk=TEAPOT.id).update(left=1)
    checkout = shop.put_in("", TEAPOT)
    shop.introduce(checkout.pk, BEN)
    # when
    shop.buy(checkout.pk)
    # then
    assert left_of(demo_shop, TEAPOT) == shop.DELIVERY


@pytest.mark.parametrize(
    ("_case", "contact", "lines"),
    [
        ("nobody_known", Contact(), [line_of(JUICE)]),
        ("nothing_in_it", BEN, []),
    ],
)
def test_nothing_is_bought(_case, contact, lines, demo_shop):
    # given
    checkout = shop.open_checkout(lines)
    shop.introduce(checkout.pk, contact)
    # when, then
    with pytest.raises(NotFound):
        shop.buy(checkout.pk)
    assert not DemoOrder.objects.exists()
    assert DemoCheckout.objects.filter(pk=checkout.pk).exists()


def test_same_checkout_is_bought_once(demo_shop):
    # given
    checkout = shop.put_in("", JUICE)
    shop.introduce(checkout.pk, BEN)
    shop.buy(checkout.pk)
    # when, then
    with pytest.raises(NotFound):
        shop.buy(checkout.pk)
    assert DemoOrder.objects.count() == 1


def test_checkout_somebody_changes_is_busy(someone_else, settings):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"HOST": "demo.host.DemoHost"}
    load()
    checkout = shop.put_in("", JUICE)
    someone_else.execute("SELECT 1 FROM demo_checkout FOR UPDATE")
    # when, then
    with pytest.raises(HostBusy), transaction.atomic():
        DemoHost(shop.the_shop()).holding(checkout.pk).__enter__()


def test_before_it_is_loaded_there_is_no_shop(db):
    with pytest.raises(UnknownShop):
        DemoHost.shop_of(None)


def left_of(demo_shop, product):
    return DemoHost(demo_shop).product_cards(CHANNEL, [product.id])[product.id].stock


def test_every_product_has_a_picture_and_a_name_of_its_own():
    assert len(BY_SLUG) == len(PRODUCTS) == 12
    for product in PRODUCTS:
        drawing = Path(demo.__file__).parent / product.picture.removeprefix("/")
        assert f"<title>{product.name}</title>" in drawing.read_text(encoding="utf-8")
