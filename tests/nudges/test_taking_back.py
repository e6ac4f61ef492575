"""What is undone is taken back, whatever the seller and the page did meanwhile."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from saleor_nudges import crypto
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.live import Place
from saleor_nudges.models import Nudge, NudgeType, OrderedProduct
from saleor_nudges.nudges import configs, shelf
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.nudges.preview import preview
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    a_checkout,
    checkout_seen,
    make_shop,
    switch_on_nudge,
)
from tests.nudges.test_order_summary import heard, measured_again, orders, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


def test_what_was_undone_while_a_kind_was_off_is_not_told_when_it_is_on_again(shop):
    # given
    switch_on_nudge(shop, NudgeType.ORDER_SUMMARY)
    last = orders(shop, 5)[-1]
    configs.change_config(shop, CHANNEL, NudgeType.ORDER_SUMMARY, {"is_enabled": False})
    # when
    heard(shop, last, status="CANCELED")
    configs.change_config(shop, CHANNEL, NudgeType.ORDER_SUMMARY, {"is_enabled": True})
    # then
    assert shown(shop) == []


def test_an_order_that_lost_its_last_line_is_no_purchase(shop):
    # given
    switch_on_nudge(shop, NudgeType.ORDER_SUMMARY)
    switch_on_nudge(shop, NudgeType.ORDER)
    last = orders(shop, 5, status="UNCONFIRMED")[-1]
    # when
    heard(shop, last, status="UNCONFIRMED", cart=replace(last.cart, lines=()))
    # then
    rows = OrderedProduct.objects.of(shop).filter(order_id=last.id)
    assert set(rows.values_list("product_id", "quantity")) == {(JUICE.id, 0), ("", 0)}
    standing = Nudge.objects.of(shop).filter(withdrawn_at__isnull=True, type="ORDER")
    assert (standing.count(), standing.filter(source_subject=last.id).count()) == (4, 0)
    assert [text for text in shown(shop) if "times" in text] == []


def test_a_number_on_an_open_page_is_told_anew_though_another_nudge_is_chosen(shop):
    # given a page that shows 7 orders
    switch_on_nudge(shop, NudgeType.ORDER_SUMMARY)
    switch_on_nudge(shop, NudgeType.CART_SUMMARY, minimum=1, priority=1)
    last = orders(shop, 7)[-1]
    measured_again(shop)
    now = datetime.now(UTC)
    [mine] = [
        nudge.card.id
        for nudge in choose(shop, Ask(CHANNEL, "PRODUCT", JUICE.id), now).nudges
        if nudge.card.type == "ORDER_SUMMARY" and nudge.card.product
    ]
    # when one is cancelled, and carts would be told of first
    heard(shop, last, status="CANCELED")
    measured_again(shop)
    checkout_seen(shop, a_checkout(shop, cart=a_cart(), email="zoe@example.com"))
    ask = Ask(CHANNEL, "PRODUCT", JUICE.id, shown=(mine,), exclude=(mine,), count=1)
    feed = choose(shop, ask, datetime.now(UTC))
    # then
    assert [(nudge.card.type, nudge.value) for nudge in feed.nudges] == [
        ("CART_SUMMARY", 1),
        ("ORDER_SUMMARY", 6),
    ]
    assert feed.withdrawn == ()


def test_ones_own_cart_is_not_told_to_who_has_no_token(shop):
    switch_on_nudge(shop, NudgeType.CART_SUMMARY, minimum=1)
    checkout = a_checkout(shop, cart=a_cart(), email="anna@example.com")
    checkout_seen(shop, checkout)
    assert shown(shop, checkout=crypto.checkout_hash(checkout.id)) == []
    assert len(shown(shop)) == 1


def test_what_a_page_names_is_never_the_key_of_something_else(shop):
    boards = shelf.keys_of(shop.pk, "c", "")
    for product in (":mark", "mark:", "x:mark"):
        assert set(shelf.keys_of(shop.pk, "c", product)[2:]).isdisjoint(boards)
    live = Place(shop.pk, "c", "q}:board:").key()
    assert live not in shelf.keys_of(shop.pk, "c}:live:q", "")


def test_what_could_never_be_shown_is_refused_by_the_limit_that_is_in_force(shop):
    never = {"maximum": None, "minimum": 6, "is_enabled": True}
    with pytest.raises(InvalidInput) as refused:
        configs.change_config(shop, CHANNEL, NudgeType.LOW_STOCK, never)
    assert refused.value.field == "minimum"
    draft = configs.draft_of(shop, CHANNEL, NudgeType.LOW_STOCK, {"maximum": None})
    assert preview(shop, draft, "en", datetime.now(UTC)).body
