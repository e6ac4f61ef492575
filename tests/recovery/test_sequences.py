"""A campaign of several messages, told with the database's clock standing where a test puts it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from saleor_nudges.capture import capture
from saleor_nudges.events import Contact
from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.facts import full_checkout
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import Attempt, Campaign, Cursor, Send, Shop, TrackedCheckout
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.campaigns import presets
from saleor_nudges.recovery.sending import detect, ledger
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    a_checkout,
    caught_up,
    checkout_seen,
    consume,
    make_shop,
    order_placed,
    switch_on_recovery,
)

pytestmark = pytest.mark.django_db

PEAR = ProductCard("UHJvZHVjdDoy", "Pear Juice", "pear-juice")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONG_AGO = datetime.now(UTC) - 30 * DAY


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop, since=LONG_AGO)
    caught_up(shop)
    return shop


def campaign_of(shop):
    return campaigns.campaign_of(shop, CHANNEL)


def seen(shop, age=HOUR, email="anna@example.com", **fields):
    checkout = a_checkout(shop, age=age, email=email, **fields)
    checkout_seen(shop, checkout)
    return checkout


def sweep():
    caught_up(Shop.objects.get())
    detect.detect()
    return sending.send_due()


def earlier(shop, by):
    """Let time pass: everything that has happened lies so much longer back."""
    # Kept outside the database, it cannot be moved with the rest.
    ledger.forget(shop.pk)
    for name in ("started_at", "changed_at", "seen_at", "next_due_at"):
        for row in TrackedCheckout.objects.of(shop).exclude(**{name: None}):
            moved = getattr(row, name) - by
            TrackedCheckout.objects.of(shop).filter(pk=row.pk).update(**{name: moved})
    for name in ("due_at", "ready_at", "marked_at", "sent_at", "lease_until"):
        for row in Send.objects.of(shop).exclude(**{name: None}):
            moved = getattr(row, name) - by
            Send.objects.of(shop).filter(pk=row.pk).update(**{name: moved})
    shelf = MemoryHost(shop).shelf.checkouts
    for key, checkout in list(shelf.items()):
        shelf[key] = replace(checkout, changed_at=checkout.changed_at - by)


def written(shop):
    rows = Send.objects.of(shop).order_by("id")
    return [(row.step_number, row.state, row.reason) for row in rows]


def waits_until(shop):
    return TrackedCheckout.objects.of(shop).get().next_due_at


def test_the_three_messages_that_ship_go_after_30_minutes_a_day_and_three_days(shop):
    checkout = seen(shop)
    assert (sweep(), sweep()) == (1, 0)
    # then the second is planned from the last sign of life
    assert waits_until(shop) == checkout.changed_at + DAY

    for step, (by, expected) in enumerate([(DAY, 1), (2 * DAY, 1), (10 * DAY, 0)], start=2):
        earlier(shop, by)
        assert sweep() == expected, step
    assert written(shop) == [(1, "SENT", ""), (2, "SENT", ""), (3, "SENT", "")]
    assert len(SENT) == 3
    tracked = TrackedCheckout.objects.of(shop).get()
    assert (tracked.next_due_at, tracked.reason) == (None, "ALL_SENT")


def test_an_order_ends_the_sequence(shop):
    checkout = seen(shop)
    sweep()
    order_placed(shop, checkout)
    earlier(shop, DAY)
    assert sweep() == 0
    assert written(shop) == [(1, "SENT", "")]
    assert TrackedCheckout.objects.of(shop).get().state == "RECOVERED"


def test_a_change_moves_the_next_message_and_repeats_none(shop):
    # given the first message is out
    checkout = seen(shop, age=2 * HOUR)
    sweep()

    # when the shopper comes back and changes the cart
    fresh = replace(checkout, cart=a_cart(quantity=2), changed_at=datetime.now(UTC) - HOUR)
    MemoryHost(shop).shelf.checkouts[checkout.id] = fresh
    checkout_seen(shop, fresh)
    sweep()

    # then
    assert written(shop) == [(1, "SENT", "")]
    assert waits_until(shop) == fresh.changed_at + DAY
    assert TrackedCheckout.objects.of(shop).get().cycle == 1


def test_after_the_cool_down_a_changed_cart_begins_a_new_cycle(shop):
    checkout = seen(shop)
    sweep()
    earlier(shop, 8 * DAY)
    sweep()  # the later steps are too old by now

    # when
    fresh = replace(checkout, cart=a_cart(quantity=2), changed_at=datetime.now(UTC) - HOUR)
    MemoryHost(shop).shelf.checkouts[checkout.id] = fresh
    checkout_seen(shop, fresh)
    sweep()

    # then
    assert TrackedCheckout.objects.of(shop).get().cycle == 2
    sent = Send.objects.of(shop).filter(state="SENT").order_by("id")
    assert [(row.cycle, row.step_number) for row in sent] == [(1, 1), (2, 1)]


def test_after_ten_days_of_silence_the_rest_is_too_old_and_says_so(shop):
    seen(shop)
    sweep()
    earlier(shop, 10 * DAY)
    assert sweep() == 0
    reasons = Attempt.objects.of(shop).order_by("step_number").values_list("step_number", "reason")
    assert {(2, "TOO_OLD"), (3, "TOO_OLD")} <= set(reasons)


def test_the_newest_checkout_of_a_person_wins(shop):
    # given two carts of one person, both left behind
    old = seen(shop, age=3 * HOUR)
    new = seen(shop, age=HOUR)

    # when
    sweep()

    # then only the newer one is written about, and the older says why
    by_age = TrackedCheckout.objects.of(shop).order_by("changed_at")
    assert [row.reason for row in by_age] == ["NEWER_CHECKOUT", ""]
    assert [send.checkout.changed_at for send in Send.objects.of(shop)] == [new.changed_at]
    assert len(SENT) == 1
    assert old.changed_at < new.changed_at


def test_when_the_newer_cart_is_emptied_the_older_counts_again(shop):
    seen(shop, age=3 * HOUR)
    new = seen(shop, age=40 * MINUTE)
    Campaign.objects.of(shop).update(trigger={"lines": {"from": 1}})
    detect.detect()
    older = TrackedCheckout.objects.of(shop).order_by("changed_at").first()
    assert (older.reason, older.next_due_at) == ("NEWER_CHECKOUT", None)
    Send.objects.of(shop).update(state="CANCELLED", reason="EMPTIED")

    # when
    emptied = replace(new, cart=replace(new.cart, lines=()), changed_at=datetime.now(UTC))
    MemoryHost(shop).shelf.checkouts[new.id] = emptied
    checkout_seen(shop, emptied)

    # then
    assert sweep() == 1
    assert Send.objects.of(shop).get(state="SENT").checkout_id == older.pk


def test_when_the_newer_cart_is_not_for_any_campaign_the_older_counts_again(shop):
    campaigns.change(campaign_of(shop), {"trigger": {"items": {"to": 2}}})
    seen(shop, age=3 * HOUR)
    newer = seen(shop, age=29 * MINUTE, cart=a_cart(quantity=3))
    assert sweep() == 0
    older = TrackedCheckout.objects.of(shop).order_by("changed_at").first()
    assert older.reason == "NEWER_CHECKOUT"

    # when it is the newer one's turn
    TrackedCheckout.objects.of(shop).exclude(pk=older.pk).update(next_due_at=datetime.now(UTC))
    assert sweep() == 1

    # then
    assert Send.objects.of(shop).get().checkout_id == older.pk
    assert newer.changed_at > older.changed_at


# Whom a campaign is for.


def test_the_campaign_that_goes_first_and_fits_is_taken(shop):
    dear = campaigns.create(
        shop,
        CHANNEL,
        {"name": "Dear", "priority": 1, "trigger": {"value": {"EUR": {"from": "100"}}}},
    )
    cheap = campaigns.create(
        shop, CHANNEL, {"name": "Cheap", "priority": 2, "trigger": {"value": {"EUR": {"to": "99"}}}}
    )
    for one in (dear, cheap):
        campaigns.activate(one)
        Campaign.objects.of(shop).filter(pk=one.pk).update(active_since=LONG_AGO)
    seen(shop)
    assert sweep() == 1
    assert Send.objects.of(shop).get().campaign_id == cheap.pk


def test_nobody_who_does_not_fit_is_written_to_and_it_says_why(shop):
    campaigns.change(campaign_of(shop), {"trigger": {"lines": {"from": 5}}})
    seen(shop)
    assert sweep() == 0
    tracked = TrackedCheckout.objects.of(shop).get()
    assert (tracked.reason, tracked.next_due_at) == ("TRIGGER_NOT_MET", None)
    assert Attempt.objects.of(shop).get().reason == "TRIGGER_NOT_MET"


def test_who_did_not_fit_is_looked_at_again_when_the_trigger_changes(shop):
    campaigns.change(campaign_of(shop), {"trigger": {"lines": {"from": 5}}})
    seen(shop)
    assert sweep() == 0
    campaigns.change(campaign_of(shop), {"trigger": {}})
    assert sweep() == 1


def test_a_campaign_that_cannot_be_read_stops_no_other(shop):
    broken = campaigns.create(shop, CHANNEL, {"name": "Broken", "priority": 1})
    Campaign.objects.of(shop).filter(pk=broken.pk).update(
        state="ACTIVE", active_since=LONG_AGO, trigger={"of_the_future": 1}
    )
    seen(shop)
    assert sweep() == 1
    assert Send.objects.of(shop).get().campaign_id == campaign_of(shop).pk


def test_a_shop_that_cannot_be_swept_stops_no_other(shop):
    other = make_shop("https://other.example.com/graphql/")
    switch_on_recovery(other, since=LONG_AGO)
    Shop.objects.filter(pk=other.pk).update(message_caps="of the future")
    checkout_seen(other, a_checkout(other, email="bert@example.com"))
    caught_up(other)
    seen(shop)
    detect.detect()
    assert sending.send_due() == 1


def test_a_campaign_started_is_gone_on_with_though_another_would_go_first_now(shop):
    seen(shop)
    sweep()
    first = campaigns.create(shop, CHANNEL, {"name": "First", "priority": 1})
    campaigns.activate(first)
    Campaign.objects.of(shop).update(active_since=LONG_AGO)
    earlier(shop, DAY)
    assert sweep() == 1
    assert {row.campaign_id for row in Send.objects.of(shop)} == {campaign_of(shop).pk}


def test_when_the_trigger_no_longer_holds_the_sequence_ends(shop):
    seen(shop)
    sweep()
    campaigns.change(campaign_of(shop), {"trigger": {"lines": {"from": 5}}})
    earlier(shop, DAY)
    assert sweep() == 0
    assert TrackedCheckout.objects.of(shop).get().reason == "SEQUENCE_ENDED"


def test_a_step_whose_condition_does_not_hold_is_passed_over(shop):
    listed = campaigns.fields_of(campaign_of(shop))["steps"]
    listed[0]["condition"] = {"lines": {"from": 5}}
    campaigns.change(campaign_of(shop), {"steps": listed})
    checkout = seen(shop)
    assert sweep() == 0
    assert waits_until(shop) == checkout.changed_at + DAY
    kept = Attempt.objects.of(shop).get(step_number=1)
    assert kept.reason == "STEP_CONDITION_NOT_MET"
    earlier(shop, DAY)
    assert sweep() == 1
    assert written(shop) == [(2, "SENT", "")]


def test_a_manual_campaign_starts_nothing_by_itself(shop):
    campaigns.change(campaign_of(shop), {"mode": "MANUAL"})
    seen(shop)
    assert sweep() == 0
    assert Send.objects.of(shop).count() == 0


# How often and when.


def test_a_cap_puts_a_message_off_and_drops_it_when_it_would_come_too_late(shop):
    Shop.objects.update(message_caps=[{"limit": 1, "seconds": 3 * 24 * 3600}])
    seen(shop)
    sweep()
    earlier(shop, DAY)
    assert sweep() == 0
    assert Attempt.objects.of(shop).filter(step_number=2, reason="CAPPED").exists()


def test_hours_of_the_shop_put_a_message_off_to_the_morning_of_its_reader(shop):
    # given mail only goes in one hour of the day, twelve hours from now where the reader is
    there = datetime.now(UTC) + 12 * HOUR
    window = {"opens": f"{there:%H}:00", "closes": f"{there + HOUR:%H}:00"}
    Shop.objects.update(message_hours={"EMAIL": [window]})
    seen(shop)

    # when
    assert sweep() == 0

    # then
    tracked = TrackedCheckout.objects.of(shop).get()
    assert tracked.reason == "QUIET_HOURS"
    assert tracked.next_due_at == there.replace(minute=0, second=0, microsecond=0)
    kept = Attempt.objects.of(shop).get()
    assert (kept.reason, kept.until, kept.zone) == ("QUIET_HOURS", tracked.next_due_at, "UTC")


def test_hours_that_close_between_plan_and_mark_are_kept(shop):
    # given a message in the ledger, planned while everything was allowed
    seen(shop)
    detect.detect()
    there = datetime.now(UTC) + 12 * HOUR
    window = {"opens": f"{there:%H}:00", "closes": f"{there + HOUR:%H}:00"}
    Shop.objects.update(message_hours={"EMAIL": [window]})

    # when
    assert sending.send_due() == 0

    # then
    send = Send.objects.of(shop).get()
    assert (send.state, send.reason) == ("DUE", "QUIET_HOURS")
    assert send.due_at == send.ready_at == there.replace(minute=0, second=0, microsecond=0)


def test_after_an_outage_what_is_overdue_goes_bit_by_bit(shop):
    # given sweeps, and then none for a day while checkouts were left behind
    sweep()
    began = datetime.now(UTC) - DAY
    Cursor.objects.of(shop).filter(kind="sweep").update(position=began)
    for number in range(20):
        seen(shop, age=2 * HOUR, email=f"shopper{number}@example.com")

    # when
    assert sweep() == 0

    # then they are spread over the two hours after it
    due = TrackedCheckout.objects.of(shop).values_list("next_due_at", flat=True)
    late = sorted((moment - datetime.now(UTC)).total_seconds() for moment in due)
    assert late[-1] - late[0] > HOUR.total_seconds()
    assert late[0] > -5
    assert late[-1] < 2 * HOUR.total_seconds()
    assert set(TrackedCheckout.objects.of(shop).values_list("reason", flat=True)) == {"OUTAGE"}


# What can still be bought.


def test_what_is_sold_out_is_left_out_of_the_message(shop):
    seen(shop, cart=a_cart(JUICE, PEAR))
    MemoryHost(shop).shelf.products[PEAR.id] = PEAR
    MemoryHost(shop).shelf.unpublished.add((CHANNEL, JUICE.id))
    assert sweep() == 1
    [mail] = SENT
    assert PEAR.name in mail.text
    assert JUICE.name not in mail.text
    assert "10.00" not in mail.text


def test_while_everything_is_sold_out_the_sequence_waits_and_goes_on_when_it_is_back(shop):
    # given
    seen(shop)
    shelf = MemoryHost(shop).shelf
    shelf.unpublished.add((CHANNEL, JUICE.id))

    # when
    assert sweep() == 0

    # then
    tracked = TrackedCheckout.objects.of(shop).get()
    assert tracked.reason == "OUT_OF_STOCK"
    assert tracked.next_due_at > datetime.now(UTC)
    assert tracked.blockers == ["LINE_UNAVAILABLE"]
    assert Attempt.objects.of(shop).get().reason == "OUT_OF_STOCK"

    # when it is back
    shelf.unpublished.clear()
    TrackedCheckout.objects.of(shop).update(next_due_at=datetime.now(UTC))
    assert sweep() == 1
    assert JUICE.name in SENT[0].text


def test_a_campaign_may_ask_what_stood_in_the_way(shop):
    campaigns.change(campaign_of(shop), {"trigger": {"blocker": ["NO_DELIVERY_METHOD"]}})
    checkout = seen(shop)
    assert sweep() == 0
    MemoryHost(shop).shelf.looks[checkout.id] = {
        "needs_delivery": True,
        "has_address": True,
        "has_delivery": False,
        "delivery_methods": 0,
    }
    TrackedCheckout.objects.of(shop).update(next_due_at=datetime.now(UTC))
    assert sweep() == 1
    assert TrackedCheckout.objects.of(shop).get().blockers == ["NO_DELIVERY_METHOD"]


# Tried out.


def test_in_the_sandbox_every_message_goes_to_a_tester_and_says_so(shop, settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {
        "SANDBOX_RECIPIENTS": ["tester@shop.example.com"],
        "SANDBOX_TIME_FACTOR": 60.0,
    }
    checkout = seen(shop, age=timedelta(seconds=40))
    assert sweep() == 1
    [mail] = SENT
    assert mail.to == "tester@shop.example.com"
    assert mail.subject.startswith("[Sandbox, for a…@example.com] ")
    # A day lasts 24 minutes.
    detect.detect()
    assert waits_until(shop) == checkout.changed_at + 24 * MINUTE


# The seller's changes.


def test_a_campaign_is_made_from_a_preset_and_read_back_whole(shop):
    preset = presets.PRESETS["UNHURRIED"]
    campaign = campaigns.create(shop, CHANNEL, {"name": "Slow"}, preset)
    read = campaigns.read(campaign, campaigns.steps_of(campaign))
    assert read.sequence == preset.sequence
    assert (campaign.state, campaign.is_shipped) == ("DRAFT", False)


def test_taking_a_step_out_keeps_its_row_for_the_ledger_and_putting_it_back_uses_it(shop):
    campaign = campaign_of(shop)
    whole = campaigns.fields_of(campaign)["steps"]
    campaigns.change(campaign, {"steps": whole[:1]})
    assert [row.number for row in campaigns.steps_of(campaign)] == [1]
    campaigns.change(campaign, {"steps": whole})
    assert campaigns.fields_of(campaign)["steps"] == whole


GIFT = {"percent": 5, "expiresSeconds": 86400, "dailyBudget": {"EUR": "20"}}


def test_voucher_is_kept_and_taken_out_again(shop):
    campaign = campaign_of(shop)
    whole = campaigns.fields_of(campaign)["steps"]
    campaigns.change(campaign, {"steps": [whole[0] | {"voucher": GIFT}, *whole[1:]]})
    kept = campaigns.fields_of(campaign)["steps"]
    assert kept[0]["voucher"] == GIFT | {"oncePerSeconds": 90 * 86400}
    assert [step["voucher"] for step in kept[1:]] == [None] * (len(whole) - 1)
    campaigns.change(campaign, {"steps": whole})
    assert campaigns.fields_of(campaign)["steps"] == whole


@pytest.mark.parametrize(
    ("_case", "changes", "is_refused"),
    [
        ("not_allowed", {"may_make_vouchers": False}, True),
        ("not_known", {"is_away": True}, False),
    ],
)
def test_voucher_is_refused_where_the_shop_lets_us_make_none(_case, changes, is_refused, shop):
    # given
    campaign = campaign_of(shop)
    before = campaigns.fields_of(campaign)
    shelf = MemoryHost(shop).shelf
    for name, value in changes.items():
        setattr(shelf, name, value)
    wanted = {"steps": [before["steps"][0] | {"voucher": GIFT}]}

    # when, then
    if is_refused:
        with pytest.raises(InvalidInput, match="MANAGE_DISCOUNTS") as refused:
            campaigns.change(campaign, wanted)
        assert refused.value.field == "steps[0].voucher"
        assert campaigns.fields_of(campaign) == before
    else:
        campaigns.change(campaign, wanted)
        assert campaigns.fields_of(campaign)["steps"][0]["voucher"]


def test_what_is_wrong_is_named_and_nothing_is_saved(shop):
    campaign = campaign_of(shop)
    before = campaigns.fields_of(campaign)
    step = before["steps"][0]
    wrong = {
        "steps[0].kind": [step | {"kind": "THANK_YOU"}],
        "steps[0].messageChannels": [step | {"messageChannels": ["SMS"]}],
        "steps[0].text": [step | {"text": "{% if %}"}],
        "steps[0].subject": [step | {"subject": "x" * 256}],
        "steps[0].template": [step | {"template": "second"}],
        "steps[1].delaySeconds": [step, step],
        "steps[0]": ["no object"],
        "steps": [],
    }
    for field, listed in wrong.items():
        with pytest.raises(InvalidInput) as caught:
            campaigns.change(campaign, {"name": "Changed", "steps": listed})
        assert caught.value.field == field
    assert campaigns.fields_of(campaign_of(shop)) == before


def test_only_what_never_wrote_is_deleted(shop):
    seen(shop)
    sweep()
    with pytest.raises(InvalidInput):
        campaigns.delete(campaign_of(shop))
    spare = campaigns.create(shop, CHANNEL, {"name": "Spare"})
    campaigns.delete(spare)
    assert Campaign.objects.of(shop).count() == 1


def test_a_paused_campaign_goes_on_where_it_stood(shop):
    seen(shop)
    sweep()
    campaigns.pause(campaign_of(shop))
    earlier(shop, DAY)
    assert sweep() == 0
    campaigns.activate(campaign_of(shop))
    assert sweep() == 1
    assert written(shop) == [(1, "SENT", ""), (2, "SENT", "")]


def test_contact_corrected_after_the_first_message_gets_the_second_once(shop):
    # given a first message to an address that was wrong
    checkout = seen(shop, age=2 * HOUR, email="ana@example.com")
    sweep()

    # when
    fresh = replace(
        checkout, contact=Contact(email="anna@example.com"), changed_at=datetime.now(UTC) - HOUR
    )
    MemoryHost(shop).shelf.checkouts[checkout.id] = fresh
    capture(full_checkout(shop, fresh))
    consume()
    assert sweep() == 0
    earlier(shop, DAY)
    assert sweep() == 1

    # then
    assert [mail.to for mail in SENT] == ["ana@example.com", "anna@example.com"]
    assert written(shop) == [(1, "SENT", ""), (2, "SENT", "")]
