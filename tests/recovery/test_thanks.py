"""After the order: who came back and bought is thanked, once per step, if the seller wants it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from saleor_nudges.capture import capture
from saleor_nudges.events import OrderCancelled
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.facts import facts_of
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging import consents
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import (
    Campaign,
    MessageChannel,
    Person,
    RecoveredOrder,
    SeenOrder,
    Send,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.sending import detect
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import (
    consume,
    left_behind,
    make_shop,
    order_placed,
    switch_on_recovery,
)
from tests.recovery.test_sequences import earlier as sequences_earlier

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
THANKS = {"kind": "THANK_YOU", "delaySeconds": 3600}


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    thanked_by(shop, THANKS)
    return shop


def thanked_by(shop, *thanks):
    """Let the campaign thank with these steps."""
    campaign = Campaign.objects.of(shop).get()
    reminder = campaigns.fields_of(campaign)["steps"][0]
    campaigns.change(campaign, {"steps": [reminder, *thanks]})


def won_back(shop, **contact):
    """Return the order of somebody who was written to and bought then."""
    checkout = left_behind(shop, **contact)
    assert sending.send_due() == 1
    return order_placed(shop, checkout)


def order_cancelled(shop, order):
    """Let us hear that an order was cancelled."""
    capture(
        OrderCancelled(
            shop=shop.pk,
            channel=order.channel,
            occurred_at=datetime.now(UTC),
            order_id=order.id,
        )
    )
    consume()


def earlier(shop, by):
    """Let time pass, for orders too."""
    sequences_earlier(shop, by)
    for name in ("placed_at", "thanks_due_at"):
        SeenOrder.objects.of(shop).update(**{name: F(name) - by})
    Campaign.objects.of(shop).update(active_since=F("active_since") - by)
    Shop.objects.filter(pk=shop.pk).update(sending_since=F("sending_since") - by)


def sweep():
    detect.detect()
    return sending.send_due()


def thanks_of(shop):
    return list(Send.objects.of(shop).filter(order__isnull=False).order_by("id"))


def test_who_came_back_and_bought_is_thanked_once(shop):
    # given
    won_back(shop)
    assert sweep() == 0

    # when an hour is over
    earlier(shop, HOUR + timedelta(minutes=1))
    assert sweep() == 1

    # then
    message = SENT[-1]
    assert message.subject.startswith("Thank you, Anna")
    assert "/r/" not in message.text + message.html
    assert "/u/" in message.text
    [row] = thanks_of(shop)
    assert (row.state, row.link_hash) == ("SENT", None)
    earlier(shop, HOUR)
    assert sweep() == 0
    assert len(SENT) == 2


def test_who_bought_without_a_message_is_not(shop):
    checkout = left_behind(shop)
    order_placed(shop, checkout)
    earlier(shop, 2 * HOUR)
    assert sweep() == 0
    assert thanks_of(shop) == []


def test_without_such_a_step_nobody_is(shop):
    thanked_by(shop)
    won_back(shop)
    earlier(shop, 2 * HOUR)
    assert sweep() == 0
    assert SeenOrder.objects.of(shop).filter(thanks_due_at__isnull=False).count() == 0


def test_an_order_that_was_cancelled_is_not_thanked_for(shop):
    order = won_back(shop)
    order_cancelled(shop, order)
    earlier(shop, 2 * HOUR)
    assert sweep() == 0
    assert thanks_of(shop) == []


def test_an_order_cancelled_after_the_thanks_were_due_stops_them(shop):
    # given a thank-you in the ledger
    order = won_back(shop)
    earlier(shop, HOUR + timedelta(minutes=1))
    detect.detect()

    # when
    order_cancelled(shop, order)
    assert sending.send_due() == 0

    # then
    [row] = thanks_of(shop)
    assert (row.state, row.reason) == ("CANCELLED", "ORDER_VOID")


def test_who_said_no_is_not_thanked(shop):
    won_back(shop)
    person = Person.objects.of(shop).get()
    consents.unsubscribe(shop, person, MessageChannel.EMAIL, datetime.now(UTC))
    earlier(shop, 2 * HOUR)
    assert sweep() == 0
    assert [row.reason for row in thanks_of(shop)] == ["UNSUBSCRIBED"]


def test_two_thanks_keep_their_distance(shop):
    thanked_by(shop, THANKS, {"kind": "THANK_YOU", "delaySeconds": 24 * 3600})
    won_back(shop)
    earlier(shop, 2 * HOUR)
    assert sweep() == 1
    earlier(shop, HOUR)
    assert sweep() == 0
    earlier(shop, 22 * HOUR)
    assert sweep() == 1
    assert [row.step_number for row in thanks_of(shop)] == [2, 3]


def test_while_the_campaign_is_off_thanks_wait(shop):
    # given
    won_back(shop)
    campaign = Campaign.objects.of(shop).get()
    campaigns.pause(campaign)
    other = campaigns.create(shop, campaign.channel, {"name": "Another"})
    campaigns.activate(other)
    earlier(shop, 2 * HOUR)

    # when
    assert sweep() == 0
    campaigns.activate(campaign)
    earlier(shop, HOUR)

    # then
    assert sweep() == 1


def test_a_thank_you_earns_no_order(shop):
    won_back(shop)
    earlier(shop, HOUR + timedelta(minutes=1))
    assert sweep() == 1
    before = RecoveredOrder.objects.of(shop).count()
    order_placed(shop, left_behind(shop))
    thanks = [row.pk for row in thanks_of(shop)]
    assert RecoveredOrder.objects.of(shop).filter(send__in=thanks).count() == 0
    assert RecoveredOrder.objects.of(shop).count() >= before


def test_the_news_of_an_order_told_again_thanks_nobody_twice(shop):
    order = won_back(shop)
    earlier(shop, HOUR + timedelta(minutes=1))
    assert sweep() == 1
    SeenOrder.objects.of(shop).update(placed_at=F("placed_at"))
    capture(*facts_of(shop, order))
    consume()
    assert sweep() == 0
    assert len(thanks_of(shop)) == 1


def test_the_shop_no_longer_has_the_checkout_and_is_not_asked(shop):
    won_back(shop)
    MemoryHost(shop).shelf.checkouts.clear()
    TrackedCheckout.objects.of(shop).update(next_due_at=None)
    earlier(shop, HOUR + timedelta(minutes=1))
    assert sweep() == 1


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([THANKS], "steps[0].kind"),
        (
            [
                {"delaySeconds": 60},
                THANKS
                | {
                    "voucher": {
                        "percent": 10,
                        "expiresSeconds": 86400,
                        "dailyBudget": {"EUR": "100"},
                    }
                },
            ],
            "steps[1].voucher",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(shop, steps, field):
    with pytest.raises(InvalidInput) as refused:
        campaigns.change(Campaign.objects.of(shop).get(), {"steps": steps})
    assert refused.value.field == field


def test_the_seller_s_hours_hold_for_thanks_too(shop):
    # given a step that goes at no hour that is now
    now = datetime.now(UTC)
    opens, closes = now + 5 * HOUR, now + 6 * HOUR
    window = [{"opens": f"{opens:%H}:00", "closes": f"{closes:%H}:00"}]
    thanked_by(shop, THANKS | {"sendWindow": window})
    won_back(shop)
    earlier(shop, HOUR + timedelta(minutes=1))
    assert sweep() == 0
    assert SeenOrder.objects.of(shop).filter(thanks_due_at__gt=Now()).count() == 1
