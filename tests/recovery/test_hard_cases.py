"""The hard cases of recovery: carts that change at a bad moment, and what the seller does by hand.

What is broken, held or old meanwhile stands in `test_hard_times`.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from saleor_nudges.events import Contact
from saleor_nudges.exceptions import DeliveryRefused
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging.channels.memory import SENT, TROUBLE
from saleor_nudges.models import Attempt, Send, Shop, TrackedCheckout
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.planning import attempts
from saleor_nudges.recovery.sending import by_hand, detect, sweeping
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.recovery.sending.sweeping import Wanted
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    caught_up,
    checkout_seen,
    make_shop,
    switch_on_recovery,
)
from tests.recovery.test_sequences import (
    DAY,
    HOUR,
    LONG_AGO,
    MINUTE,
    PEAR,
    campaign_of,
    earlier,
    seen,
    sweep,
    waits_until,
    written,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop, since=LONG_AGO)
    caught_up(shop)
    return shop


def ago(by):
    return datetime.now(UTC) - by


def again(shop, checkout, **changes):
    """Let a shopper come back and change a checkout."""
    fresh = replace(checkout, **changes)
    MemoryHost(shop).shelf.checkouts[checkout.id] = fresh
    checkout_seen(shop, fresh)
    return fresh


def emptied(shop, checkout):
    again(shop, checkout, cart=replace(checkout.cart, lines=()), changed_at=datetime.now(UTC))


def sell_no_more(shop, product):
    MemoryHost(shop).shelf.unpublished.add((CHANNEL, product.id))


def of_one_message(shop):
    steps = campaigns.fields_of(campaign_of(shop))["steps"]
    campaigns.change(campaign_of(shop), {"steps": steps[:1]})


def send_now(shop):
    by_hand.send_now(TrackedCheckout.objects.of(shop).get(), campaign_of(shop))


# The older cart and the newer.


def test_the_older_counts_when_the_newer_fits_no_campaign(shop):
    campaigns.change(campaign_of(shop), {"trigger": {"items": {"from": 5}}})
    seen(shop, age=40 * MINUTE, cart=a_cart(quantity=6))
    seen(shop, age=20 * MINUTE, cart=a_cart(quantity=1))
    sweep()
    for _ in range(6):
        earlier(shop, 10 * MINUTE)
        sweep()
    assert len(SENT) == 1


def test_the_older_counts_when_the_newer_is_gone_at_the_send(shop):
    seen(shop, age=3 * HOUR)
    newer = seen(shop, age=HOUR)
    detect.detect()
    del MemoryHost(shop).shelf.checkouts[newer.id]
    sending.send_due()
    detect.detect()
    assert sending.send_due() == 1


def test_the_older_counts_when_the_newer_turns_out_to_be_somebody_elses(shop):
    # given the newer one is in the ledger
    seen(shop, age=3 * HOUR)
    newer = seen(shop, age=50 * MINUTE)
    detect.detect()

    # when its address is corrected to another's
    again(shop, newer, contact=Contact(email="bob@example.com"), changed_at=ago(40 * MINUTE))
    sweep()
    sweep()

    # then
    assert sorted(message.to for message in SENT) == ["anna@example.com", "bob@example.com"]


def test_a_first_message_that_gave_way_to_a_newer_cart_goes_once_that_is_emptied(shop):
    # given the message is in the ledger when a newer cart comes
    seen(shop, age=3 * HOUR)
    detect.detect()
    newer = seen(shop, age=10 * MINUTE)
    sending.send_due()
    assert written(shop) == [(1, "CANCELLED", "NEWER_CHECKOUT")]
    detect.detect()

    # when
    emptied(shop, newer)

    # then
    assert sweep() == 1


def test_the_older_counts_when_the_newer_of_the_same_account_is_emptied(shop):
    # given two addresses of one account
    seen(shop, age=3 * HOUR, user_id="VXNlcjox")
    newer = seen(shop, age=40 * MINUTE, email="anna@work.example.com", user_id="VXNlcjox")
    detect.detect()
    Send.objects.of(shop).update(state="CANCELLED")

    # when
    emptied(shop, newer)

    # then
    assert sweep() == 1


# A cart that changes.


def test_a_cart_changed_while_its_campaign_was_paused_is_gone_on_with(shop):
    checkout = seen(shop, age=2 * HOUR)
    sweep()
    detect.detect()
    campaigns.pause(campaign_of(shop))
    again(shop, checkout, cart=a_cart(quantity=2), changed_at=ago(HOUR))
    campaigns.activate(campaign_of(shop))
    earlier(shop, DAY)
    assert sweep() == 1


def test_what_was_in_the_cart_before_it_changed_is_not_written_about(shop):
    # given a message in the ledger
    checkout = seen(shop)
    detect.detect()
    MemoryHost(shop).shelf.products[PEAR.id] = PEAR

    # when
    again(shop, checkout, cart=a_cart(PEAR), changed_at=ago(5 * MINUTE))
    sending.send_due()
    earlier(shop, HOUR)

    # then
    assert sweep() == 1
    assert PEAR.name in SENT[0].text
    assert JUICE.name not in SENT[0].text


def test_a_change_first_noticed_at_the_send_is_not_written_about_as_it_was(shop):
    # given a change that no news came of
    checkout = seen(shop)
    detect.detect()
    shelf = MemoryHost(shop).shelf
    shelf.products[PEAR.id] = PEAR
    changed = replace(checkout, cart=a_cart(PEAR), changed_at=ago(5 * MINUTE))
    shelf.checkouts[checkout.id] = changed

    # when
    sending.send_due()
    earlier(shop, HOUR)

    # then
    assert sweep() == 1
    assert JUICE.name not in SENT[0].text


def test_a_payment_that_was_started_and_left_is_not_asked_about_for_ever(shop):
    checkout = seen(shop)
    detect.detect()
    MemoryHost(shop).shelf.checkouts[checkout.id] = replace(checkout, payment_started=True)
    sending.send_due()
    assert written(shop) == [(1, "DUE", "PAYMENT_STARTED")]
    earlier(shop, 5 * DAY)
    sending.send_due()
    assert written(shop)[0][1] == "CANCELLED"


def test_who_corrects_a_refused_address_is_written_to(shop):
    # given
    of_one_message(shop)
    checkout = seen(shop, age=2 * HOUR, email="ana@exampel.com")
    TROUBLE.append(DeliveryRefused())
    sweep()
    assert written(shop) == [(1, "REFUSED", "PROVIDER_REFUSED")]

    # when
    again(shop, checkout, contact=Contact(email="anna@example.com"), changed_at=ago(HOUR))

    # then
    assert sweep() == 1


def test_a_changed_cart_begins_a_new_cycle_after_one_in_which_nothing_went(shop):
    # given the only message was too old when its time came
    of_one_message(shop)
    checkout = seen(shop)
    detect.detect()
    earlier(shop, 2 * DAY)
    sweep()
    assert written(shop)[0][1] == "CANCELLED"
    earlier(shop, 20 * DAY)

    # when
    again(shop, checkout, cart=a_cart(quantity=2), changed_at=ago(HOUR))

    # then
    assert sweep() == 1


# The seller's hand.


def test_what_the_seller_sends_now_is_not_too_old(shop):
    campaigns.change(campaign_of(shop), {"mode": "MANUAL"})
    seen(shop, age=2 * DAY)
    send_now(shop)
    sending.send_due()
    assert written(shop) == [(1, "SENT", "")]


def test_a_message_that_waits_for_the_morning_still_waits_when_it_is_hurried(shop):
    # given the third message waits for the only hour that mail goes in
    seen(shop)
    sweep()
    earlier(shop, DAY)
    sweep()
    earlier(shop, 2 * DAY)
    detect.detect()
    there = datetime.now(UTC) + 12 * HOUR
    window = {"opens": f"{there:%H}:00", "closes": f"{there + HOUR:%H}:00"}
    Shop.objects.update(message_hours={"EMAIL": [window]})
    sending.send_due()
    assert written(shop)[2] == (3, "DUE", "QUIET_HOURS")

    # when
    send_now(shop)
    sending.send_due()

    # then
    assert written(shop)[2] == (3, "DUE", "QUIET_HOURS")


def test_a_manual_campaign_goes_on_after_the_cart_was_changed(shop):
    # given the seller has sent the first message
    campaigns.change(campaign_of(shop), {"mode": "MANUAL"})
    checkout = seen(shop, age=2 * HOUR)
    send_now(shop)
    sweep()
    detect.detect()
    assert written(shop) == [(1, "SENT", "")]
    assert waits_until(shop) is not None

    # when
    again(shop, checkout, cart=a_cart(quantity=2), changed_at=ago(HOUR))

    # then
    assert waits_until(shop) is not None


def test_a_sweep_by_hand_leaves_out_what_our_own_link_has_opened(shop):
    # given the newer checkout was made when its shopper came back by our link
    seen(shop, age=3 * HOUR)
    seen(shop, age=HOUR)
    old, fresh = TrackedCheckout.objects.of(shop).order_by("changed_at")
    TrackedCheckout.objects.of(shop).filter(pk=fresh.pk).update(parent=old, next_due_at=None)

    # when
    sweeping.sweep(campaign_of(shop), Wanted())

    # then
    assert [row.checkout_id for row in Send.objects.of(shop)] == [old.pk]


def swept(shop):
    sweeping.sweep(campaign_of(shop), Wanted())


@pytest.mark.parametrize("entered", [send_now, swept])
def test_what_is_sold_out_is_not_written_about_by_hand_either(entered, shop):
    seen(shop)
    sell_no_more(shop, JUICE)
    entered(shop)
    assert Send.objects.of(shop).count() == 1
    assert sending.send_due() == 0


def test_what_is_sold_out_while_the_message_waits_is_not_written_about(shop):
    seen(shop)
    detect.detect()
    sell_no_more(shop, JUICE)
    assert Send.objects.of(shop).count() == 1
    assert sending.send_due() == 0


def test_a_new_name_of_a_campaign_has_nothing_looked_at_again(shop):
    seen(shop, age=MINUTE)
    campaigns.change(campaign_of(shop), {"name": "New name"})
    assert waits_until(shop) > datetime.now(UTC) + 10 * MINUTE


ODD = ["", None, "x" * 10000, "de_DE@euro", "../../etc", "de-DE-1996", "\0", "zh_Hant", "-", "_"]


@pytest.mark.parametrize("language", ODD, ids=range(len(ODD)))
def test_a_reason_is_told_whatever_language_is_asked_for(language, shop):
    campaigns.change(campaign_of(shop), {"trigger": {"lines": {"from": 5}}})
    seen(shop)
    sweep()
    assert attempts.say(Attempt.objects.of(shop).get(), language)
