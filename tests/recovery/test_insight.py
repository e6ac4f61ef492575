"""Why nothing was sent, what a campaign would have done, and what a seller does by hand."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import (
    Campaign,
    Cursor,
    Send,
    Shop,
    Suppression,
    TrackedCheckout,
)
from saleor_nudges.people import email_hash
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.insight import explain, simulate
from saleor_nudges.recovery.insight.explain import Gate
from saleor_nudges.recovery.sending import by_hand, detect, sweeping
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.recovery.sending.sweeping import Wanted
from saleor_nudges.testing import (
    CHANNEL,
    a_checkout,
    caught_up,
    checkout_seen,
    make_shop,
    order_placed,
    switch_on_recovery,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANNA = "anna@example.com"


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop, since=datetime.now(UTC) - 60 * DAY)
    caught_up(shop)
    return shop


def seen(shop, age=HOUR, email=ANNA):
    checkout = a_checkout(shop, age=age, email=email)
    checkout_seen(shop, checkout)
    return checkout


def the_campaign(shop):
    return campaigns.campaign_of(shop, CHANNEL)


def run(*words):
    out = StringIO()
    call_command("nudges", *words, stdout=out)
    return out.getvalue()


# Explain.


def failed(shop, **named):
    first = explain.explain(shop, **(named or {"email": ANNA})).first_failed
    return first.gate if first else None


def test_every_gate_is_passed_by_what_goes(shop):
    seen(shop)
    detect.detect()
    sending.send_due()
    found = explain.explain(shop, email=ANNA)
    assert found.first_failed is None
    assert [one.gate for one in found.answers] == [
        *(gate for gate in Gate if gate is not Gate.SENT),
        Gate.SENT,
    ]
    assert "Message 2 goes at" in found.answers[-2].text


def switched_off(shop):
    Shop.objects.update(sending_since=None)


def elsewhere(shop):
    Shop.objects.update(sending_installation="another")


def no_worker(shop):
    Cursor.objects.of(shop).filter(kind="alive").update(position=datetime.now(UTC) - HOUR)


def behind(shop):
    Cursor.objects.of(shop).filter(kind="orders").update(caught_up_at=datetime.now(UTC) - HOUR)


def paused(shop):
    campaigns.pause(the_campaign(shop))


def bought(shop):
    TrackedCheckout.objects.of(shop).update(state="ORDERED")


def anonymous(shop):
    TrackedCheckout.objects.of(shop).update(person=None)


def needs_consent(shop):
    Shop.objects.update(legal_basis="CONSENT")


def unsubscribed(shop):
    Suppression.objects.of(shop).create(
        shop=shop, message_channel="EMAIL", address_hash=email_hash(ANNA), reason="UNSUBSCRIBED"
    )


def not_for_them(shop):
    campaigns.change(the_campaign(shop), {"trigger": {"lines": {"from": 9}}})


@pytest.mark.parametrize(
    ("wrong", "gate"),
    [
        (switched_off, Gate.ACTIVE),
        (elsewhere, Gate.INSTALLATION),
        (no_worker, Gate.WORKER),
        (behind, Gate.RECONCILED),
        (paused, Gate.CAMPAIGN),
        (bought, Gate.OPEN),
        (needs_consent, Gate.CONSENT),
        (unsubscribed, Gate.SUPPRESSED),
        (not_for_them, Gate.PLANNED),
    ],
)
def test_the_first_gate_that_keeps_a_message_back_comes_on_top(wrong, gate, shop):
    seen(shop)
    detect.detect()
    wrong(shop)
    shop.refresh_from_db()
    assert failed(shop) == gate


def test_a_checkout_of_nobody_is_explained_by_its_own_name(shop):
    checkout = seen(shop)
    detect.detect()
    anonymous(shop)
    assert failed(shop, checkout=checkout.id) == Gate.CONTACT
    ours = TrackedCheckout.objects.of(shop).get().pk
    assert failed(shop, checkout=str(ours)) == Gate.CONTACT


def test_an_order_is_explained_by_the_checkout_it_was(shop):
    order = order_placed(shop, seen(shop))
    detect.detect()
    assert failed(shop, order=order.id) == Gate.OPEN


@pytest.mark.parametrize("named", [{"email": "x@example.com"}, {"checkout": "?"}, {"order": "?"}])
def test_who_is_not_known_is_told_so(named, shop):
    seen(shop)
    detect.detect()
    assert failed(shop, **named) == Gate.TRACKED


def test_the_command_says_the_first_failed_gate_first(shop):
    seen(shop)
    detect.detect()
    unsubscribed(shop)
    lines = run("explain", "--email", ANNA).splitlines()
    assert lines[0].startswith("SUPPRESSED: ")
    assert any(line.startswith("+ ACTIVE") for line in lines)


def test_explaining_changes_nothing(shop):
    seen(shop)
    before = list(TrackedCheckout.objects.of(shop).values())
    explain.explain(shop, email=ANNA)
    assert list(TrackedCheckout.objects.of(shop).values()) == before
    assert Send.objects.of(shop).count() == 0


# Simulate.


def test_a_draft_is_run_over_the_past_and_sends_nothing(shop):
    # given one who never bought, one who bought after two hours, and one nobody knows
    seen(shop, age=10 * DAY, email="never@example.com")
    slow = seen(shop, age=5 * DAY, email="slow@example.com")
    order_placed(shop, slow, at=slow.changed_at + 2 * HOUR)
    checkout_seen(shop, a_checkout(shop, age=4 * DAY))
    draft = campaigns.create(shop, CHANNEL, {"name": "Draft"})
    one = campaigns.read(draft, campaigns.steps_of(draft))
    told = []

    # when
    found = simulate.simulate(one, datetime.now(UTC), 30, told.append)

    # then
    assert found.checkouts == 3
    assert dict(found.sent) == {1: 2, 2: 1, 3: 1}
    assert dict(found.kept) == {"ORDERED": 1, "NO_CONTACT": 1}
    assert found.recovered == 1
    assert sum(found.days.values()) == 4
    assert told == [3]
    assert SENT == []
    assert Send.objects.of(shop).count() == 0


def test_a_simulation_obeys_caps_and_the_trigger(shop):
    Shop.objects.update(message_caps=[{"limit": 1, "seconds": 30 * 24 * 3600}])
    shop.refresh_from_db()
    seen(shop, age=10 * DAY)
    draft = campaigns.create(shop, CHANNEL, {"name": "Draft"})
    draft.shop = shop
    one = campaigns.read(draft, campaigns.steps_of(draft))
    found = simulate.simulate(one, datetime.now(UTC), 30)
    assert dict(found.sent) == {1: 1}
    campaigns.change(draft, {"trigger": {"lines": {"from": 5}}})
    one = campaigns.read(draft, campaigns.steps_of(draft))
    assert dict(simulate.simulate(one, datetime.now(UTC), 30).kept) == {"TRIGGER_NOT_MET": 1}


def test_the_command_simulates_by_name_and_says_which_there_are(shop):
    seen(shop, age=10 * DAY)
    campaigns.create(shop, CHANNEL, {"name": "Draft"})
    assert "message 3: 1 would have gone" in run("simulate", "--campaign", "Draft")
    with pytest.raises(CommandError, match="Draft"):
        run("simulate", "--campaign", "none")
    with pytest.raises(CommandError, match="1 to 365"):
        run("simulate", "--campaign", "Draft", "--days", "0")


# A sweep by hand.


def test_a_sweep_goes_batch_by_batch_and_misses_nobody(shop):
    for number in range(5):
        seen(shop, email=f"shopper{number}@example.com")
    seen(shop, age=timedelta(minutes=1), email="fresh@example.com")
    cursor, entered, batches = "", 0, 0
    while True:
        swept = sweeping.sweep(the_campaign(shop), Wanted(), cursor=cursor, size=2)
        entered += swept.entered.get(1, 0)
        batches += 1
        cursor = swept.cursor
        if not cursor:
            break
    assert (entered, batches) == (5, 3)
    assert sending.send_due() == 5
    again = sweeping.sweep(the_campaign(shop), Wanted())
    assert again.entered == {}


def test_a_dry_sweep_counts_and_enters_nothing(shop):
    seen(shop)
    swept = sweeping.sweep(the_campaign(shop), Wanted(), is_dry=True)
    assert swept.entered == {1: 1}
    assert Send.objects.of(shop).count() == 0
    assert "message 1: 1 would be entered" in run(
        "sweep", "--campaign", the_campaign(shop).name, "--dry-run"
    )
    assert SENT == []


def test_a_sweep_takes_only_the_steps_that_are_wanted(shop):
    seen(shop)
    assert sweeping.sweep(the_campaign(shop), Wanted(delays=[86400])).entered == {}
    assert sweeping.sweep(the_campaign(shop), Wanted(message_channels=["SMS"])).entered == {}
    assert sweeping.sweep(the_campaign(shop), Wanted(delays=[1800])).entered == {1: 1}


def test_one_checkout_that_cannot_be_looked_at_stops_no_other(shop, monkeypatch):
    for number in range(3):
        seen(shop, email=f"shopper{number}@example.com")
    broken = TrackedCheckout.objects.of(shop).order_by("pk").first()
    TrackedCheckout.objects.of(shop).filter(pk=broken.pk).update(lines=[{"quantity": 1}])
    swept = sweeping.sweep(the_campaign(shop), Wanted())
    assert (swept.entered, swept.errors) == ({1: 2}, [str(broken.pk)])
    detect.detect()
    broken.refresh_from_db()
    assert broken.reason == "TROUBLE"
    assert broken.next_due_at > datetime.now(UTC)


@pytest.mark.parametrize(
    ("given", "field"), [({"size": 0}, "batchSize"), ({"cursor": "x"}, "cursor")]
)
def test_a_bad_sweep_is_refused(given, field, shop):
    with pytest.raises(InvalidInput) as caught:
        sweeping.sweep(the_campaign(shop), Wanted(), **given)
    assert caught.value.field == field


# By hand.


def test_the_seller_sends_the_next_message_now(shop):
    seen(shop, age=timedelta(minutes=1))
    tracked = TrackedCheckout.objects.of(shop).get()
    by_hand.send_now(tracked, the_campaign(shop))
    assert sending.send_due() == 1
    by_hand.send_now(tracked, the_campaign(shop))
    assert sending.send_due() == 1
    rows = Send.objects.of(shop).order_by("step_number")
    assert [(row.step_number, row.state, row.is_manual) for row in rows] == [
        (1, "SENT", True),
        (2, "SENT", True),
    ]


def test_what_keeps_any_message_back_keeps_this_one_back(shop):
    seen(shop, age=timedelta(minutes=1))
    unsubscribed(shop)
    by_hand.send_now(TrackedCheckout.objects.of(shop).get(), the_campaign(shop))
    assert sending.send_due() == 0
    assert Send.objects.of(shop).get().reason == "UNSUBSCRIBED"


def test_a_cap_keeps_back_what_the_seller_asks_for_too(shop):
    Shop.objects.update(message_caps=[{"limit": 1, "seconds": 3600}])
    seen(shop, age=timedelta(minutes=1))
    tracked = TrackedCheckout.objects.of(shop).get()
    for _ in range(2):
        by_hand.send_now(tracked, the_campaign(shop))
        sending.send_due()
    assert len(SENT) == 1
    assert Send.objects.of(shop).get(step_number=2).reason == "CAP"


def test_what_waits_is_hurried_and_not_doubled(shop):
    seen(shop)
    detect.detect()
    Send.objects.of(shop).update(due_at=datetime.now(UTC) + DAY)
    by_hand.send_now(TrackedCheckout.objects.of(shop).get(), the_campaign(shop))
    assert sending.send_due() == 1
    assert Send.objects.of(shop).count() == 1


def test_what_cannot_be_sent_now_is_refused_with_its_reason(shop):
    seen(shop)
    tracked = TrackedCheckout.objects.of(shop).get()
    draft = campaigns.create(shop, CHANNEL, {"name": "Draft"})
    with pytest.raises(InvalidInput, match="that is on"):
        by_hand.send_now(tracked, draft)
    Campaign.objects.of(shop).filter(pk=draft.pk).delete()
    TrackedCheckout.objects.of(shop).update(person=None)
    with pytest.raises(InvalidInput, match="Nobody knows"):
        by_hand.send_now(tracked, the_campaign(shop))
    TrackedCheckout.objects.of(shop).update(state="ORDERED")
    with pytest.raises(InvalidInput, match="not open"):
        by_hand.send_now(tracked, the_campaign(shop))


# Another installation.


def test_sending_goes_on_here_only_once_somebody_says_so(shop, settings):
    # given a copy of the database on another host
    seen(shop)
    detect.detect()
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"INSTALLATION_ID": "a copy"}
    assert sending.send_due() == 0

    # when
    assert "would be bound" in run("resume-sending", "--dry-run")
    assert sending.send_due() == 0
    assert "goes on here" in run("resume-sending")
    caught_up(shop)
    Send.objects.of(shop).update(due_at=datetime.now(UTC))

    # then what was left before is let be, and what is left from now on is not
    assert sending.send_due() == 0
    assert Send.objects.of(shop).get().reason == "BEFORE_ACTIVATION"
    assert "already" in run("resume-sending")
