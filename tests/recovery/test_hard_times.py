"""Recovery in hard times: rules that cannot be read, workers side by side, large and old tables."""

import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from saleor_nudges import telemetry
from saleor_nudges.crypto import checkout_hash
from saleor_nudges.exceptions import DeliveryFailed
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging.channels.memory import SENT, MemoryChannel
from saleor_nudges.models import Campaign, Send, Shop, TrackedCheckout
from saleor_nudges.recovery import campaigns
from saleor_nudges.recovery.sending import detect, ledger
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.recovery.watching import cycles
from saleor_nudges.testing import (
    CHANNEL,
    a_cart,
    a_checkout,
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
    campaign_of,
    earlier,
    seen,
    sweep,
    written,
)

pytestmark = pytest.mark.django_db


def a_shop(*address):
    shop = make_shop(*address)
    switch_on_recovery(shop, since=LONG_AGO)
    caught_up(shop)
    return shop


@pytest.fixture
def shop():
    return a_shop()


# What is broken stops no other.


def test_a_campaign_that_cannot_be_read_stops_no_other_shop(shop):
    # given the shop that is looked at first has a campaign of the future
    other = a_shop("https://other.example.com/graphql/")
    broken, good = sorted([shop, other], key=lambda one: one.pk)
    Campaign.objects.of(broken).update(trigger={"of_the_future": 1})
    for one in (broken, good):
        checkout_seen(one, a_checkout(one, email="anna@example.com"))

    # when
    detect.detect()

    # then
    assert sending.send_due() == 1
    assert written(good) == [(1, "SENT", "")]


def test_a_campaign_that_cannot_be_read_cancels_nothing_in_the_ledger(shop):
    seen(shop)
    detect.detect()
    spare = campaigns.create(shop, CHANNEL, {"name": "Spare"})
    Campaign.objects.of(shop).filter(pk=spare.pk).update(
        state="ACTIVE", active_since=LONG_AGO, trigger={"of_the_future": 1}
    )
    assert sending.send_due() == 1
    assert written(shop) == [(1, "SENT", "")]


ALL_DAY = {"EMAIL": [{"opens": "00:00", "closes": "23:59"}]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_caps": [{"limit": 1, "seconds": 3600, "channels": None}]},
        {"timezone": "Mars/Base", "message_hours": ALL_DAY},
    ],
    ids=["caps", "zone"],
)
def test_a_rule_of_the_shop_that_cannot_be_read_cancels_nothing(wrong, shop):
    seen(shop)
    detect.detect()
    Shop.objects.update(**wrong)
    sending.send_due()
    assert written(shop) == [(1, "DUE", "TROUBLE")]


@pytest.mark.parametrize("back", [-2 * DAY, 800 * DAY], ids=["of the future", "of years ago"])
def test_a_change_at_an_impossible_time_stops_no_other_checkout(back, shop):
    # given a change that no news came of and that cannot be kept
    odd = seen(shop, email="odd@example.com")
    other = seen(shop, email="other@example.com", age=50 * MINUTE)
    moment = datetime.now(UTC) - back
    mine = TrackedCheckout.objects.of(shop).filter(checkout=checkout_hash(odd.id))
    mine.update(changed_at=min(odd.changed_at, moment - DAY))
    MemoryHost(shop).shelf.checkouts[odd.id] = replace(odd, changed_at=moment)

    # when
    detect.detect()

    # then
    assert Send.objects.of(shop).filter(checkout__checkout=checkout_hash(other.id)).exists()


def test_a_shop_that_cannot_say_where_a_checkout_stands_stops_no_other(shop, monkeypatch):
    # given messages of two shops, one of which stumbles
    other = a_shop("https://other.example.com/graphql/")
    seen(shop)
    seen(other, email="bert@example.com")
    detect.detect()
    looks = MemoryHost.looks

    def stumble(host, ids):
        if host.shop.pk == other.pk:
            raise RuntimeError
        return looks(host, ids)

    monkeypatch.setattr(MemoryHost, "looks", stumble)

    # then both leave: where a checkout stands is no condition, only what is told of it
    assert sending.send_due() == 2


# Side by side.


def test_what_another_worker_gave_up_as_doubtful_is_never_repeated(shop, monkeypatch):
    def hang(self, message):
        # The provider takes longer than the lease, and another worker gives up on the message.
        Send.objects.of(shop).update(lease_until=datetime.now(UTC) - HOUR)
        sending.give_up_on_the_doubtful()
        raise DeliveryFailed

    seen(shop)
    with monkeypatch.context() as patched:
        patched.setattr(MemoryChannel, "send", hang)
        sweep()
    assert sending.send_due() == 0
    assert written(shop)[0][1] == "IN_DOUBT"


def two_in_the_ledger(shop):
    """Enter the second message of an older cart, and another campaign's first of a newer cart."""
    campaigns.change(campaign_of(shop), {"trigger": {"items": {"to": 5}}})
    many = campaigns.create(shop, CHANNEL, {"name": "Many", "trigger": {"items": {"from": 6}}})
    campaigns.activate(many)
    Campaign.objects.of(shop).update(active_since=LONG_AGO)
    seen(shop)
    sweep()
    earlier(shop, DAY)
    detect.detect()
    seen(shop, age=40 * MINUTE, cart=a_cart(quantity=6))
    detect.detect()
    assert Send.objects.of(shop).filter(state="DUE").count() == 2
    SENT.clear()


def test_of_two_carts_of_one_person_only_the_newer_is_written_about(shop):
    two_in_the_ledger(shop)
    sending.send_due()
    assert len(SENT) == 1
    last = Send.objects.of(shop).filter(state="SENT").latest("sent_at")
    assert last.campaign.name == "Many"


def test_while_the_newer_message_is_handed_over_the_older_does_not_go(shop, monkeypatch):
    # given one worker has both
    two_in_the_ledger(shop)
    older, newer = sorted(sending.claim(), key=lambda send: send.checkout.changed_at)
    hand_over = MemoryChannel.send

    def meanwhile(self, message):
        monkeypatch.setattr(MemoryChannel, "send", hand_over)
        hand_over(self, message)
        sending.deliver(older)

    # when
    monkeypatch.setattr(MemoryChannel, "send", meanwhile)
    sending.deliver(newer)

    # then
    assert len(SENT) == 1


@contextmanager
def held_by_another(shop):
    """Hold the rows of all checkouts, as a worker beside us would."""
    held, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            list(TrackedCheckout.objects.of(shop).select_for_update())
            held.set()
            done.wait(timeout=10)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(timeout=10)
    try:
        yield
    finally:
        done.set()
        other.join(timeout=10)


@pytest.mark.django_db(transaction=True)
def test_a_message_whose_checkout_is_busy_time_and_again_is_not_given_up():
    shop = a_shop()
    seen(shop)
    detect.detect()
    for _ in range(3):
        with held_by_another(shop):
            assert sending.send_due() == 0
        Send.objects.of(shop).update(due_at=datetime.now(UTC) - timedelta(seconds=1))
    assert written(shop)[0][1] == "DUE"
    assert sending.send_due() == 1


@pytest.mark.django_db(transaction=True)
def test_waking_an_older_cart_waits_for_nobody_and_misses_nothing(monkeypatch):
    # given an older cart, silent because of a newer one that the shop no longer has, and a third
    shop = a_shop()
    older, newer = seen(shop, age=3 * HOUR), seen(shop)
    third = seen(shop, email="third@example.com")
    rows = TrackedCheckout.objects.of(shop)
    pks = {one.id: rows.get(checkout=checkout_hash(one.id)).pk for one in (older, third)}
    rows.filter(pk=pks[older.id]).update(next_due_at=None, reason="NEWER_CHECKOUT")
    del MemoryHost(shop).shelf.checkouts[newer.id]
    held, looking, errors = threading.Event(), threading.Event(), []

    def fold():
        """Hold the older one, and want one of those that the sweep holds."""
        try:
            with transaction.atomic():
                list(rows.select_for_update().filter(pk=pks[older.id]))
                held.set()
                looking.wait(5)
                list(rows.select_for_update().filter(pk=pks[third.id]))
        except OperationalError as error:
            errors.append(error)
        finally:
            connection.close()

    wake, trouble = cycles.look_again_at_others, []
    monkeypatch.setattr(
        cycles, "look_again_at_others", lambda *ended: looking.set() or wake(*ended)
    )
    monkeypatch.setattr(telemetry, "trouble", lambda *line, **_: trouble.append(line))

    # when
    other = threading.Thread(target=fold)
    other.start()
    assert held.wait(5)
    detect.detect()
    other.join()

    # then neither died of it, and the older one's message is in the ledger
    assert looking.is_set()
    assert (errors, trouble) == ([], [])
    assert Send.objects.of(shop).filter(checkout=pks[older.id]).exists()


# Large tables.


MANY_MORE = """
    INSERT INTO saleor_nudges_send
    SELECT (jsonb_populate_record(
        one, jsonb_build_object('id', gen_random_uuid(), 'cycle', number + 10))).*
    FROM saleor_nudges_send one, generate_series(1, 5000) number
"""


def test_the_newest_mark_is_found_without_reading_the_ledger(shop, monkeypatch):
    # given
    seen(shop)
    sweep()
    monkeypatch.setattr(ledger, "_record", lambda _: 0.0)
    with connection.cursor() as cursor:
        cursor.execute(MANY_MORE)
        cursor.execute("ANALYZE saleor_nudges_send")

    # when
    with CaptureQueriesContext(connection) as asked:
        assert not ledger.stop_if_behind(shop)

    # then
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + asked[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "nudges_send_marked" in plan
    assert "Seq Scan" not in plan


# An upgrade.


APP = "saleor_nudges"
STATES = ["DUE", "CLAIMED", "SENDING", "SENT", "IN_DOUBT", "REFUSED", "CANCELLED"]


def old_models(migration):
    apps = MigrationExecutor(connection).loader.project_state([(APP, migration)]).apps
    return lambda name: apps.get_model(APP, name)._base_manager


@contextmanager
def the_schema_of(migration):
    try:
        call_command("migrate", APP, migration, verbosity=0)
        yield old_models(migration)
    finally:
        call_command("migrate", APP, verbosity=0)


def fill(model, now):
    """Write, as it was done then, a message in each state and a checkout that waits."""
    shop = model("Shop").create(key="shop", name="shop")
    campaign = model("Campaign").create(
        shop=shop, channel="c", name="Old", state="ACTIVE", active_since=now
    )
    step = model("CampaignStep").create(shop=shop, campaign=campaign, number=1, delay_seconds=1800)
    person = model("Person").create(shop=shop, sealed_key=b"key")
    of_all = {"shop": shop, "channel": "c", "person": person}
    moments = {"started_at": now, "changed_at": now}
    for number, state in enumerate(STATES):
        checkout = model("TrackedCheckout").create(
            checkout=str(number), sealed_checkout_id=b"id", **of_all, **moments
        )
        model("Send").create(
            checkout=checkout,
            cycle=1,
            step=step,
            step_number=1,
            message_channel="EMAIL",
            state=state,
            due_at=now,
            **of_all,
        )
    model("TrackedCheckout").create(
        checkout="waits", sealed_checkout_id=b"id", next_due_at=now, **of_all, **moments
    )
    return campaign.pk


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_what_was_written_before_the_upgrade_is_gone_on_with(now):
    # given, when
    with the_schema_of("0007_storefront_widget") as model:
        campaign_id = fill(model, now)

    # then every message and every checkout has its campaign and its times
    sends = Send.objects.across_shops().order_by("checkout__checkout")
    assert [(row.state, row.campaign_id) for row in sends] == [
        (state, campaign_id) for state in STATES
    ]
    assert all(row.ready_at == row.due_at for row in sends)
    checkouts = TrackedCheckout.objects.across_shops().order_by("checkout")
    assert [row.campaign_id for row in checkouts] == [campaign_id] * len(STATES) + [None]
    assert all(row.seen_at == row.changed_at for row in checkouts)

    # and the campaign is the one that ships, and can be read
    campaign = Campaign.objects.across_shops().get()
    assert campaign.is_shipped
    assert campaigns.read(campaign, campaigns.steps_of(campaign))

    # and all of it goes back and forth once more
    with the_schema_of("0007_storefront_widget"):
        pass
    assert Send.objects.across_shops().count() == len(STATES)
