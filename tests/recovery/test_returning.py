"""The fresh checkout of who comes back: what it holds, whose it is, and that it is one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test import Client

from saleor_nudges import crypto, people
from saleor_nudges.events import Contact
from saleor_nudges.exceptions import HostUnavailable
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.models import FreshCheckout, Send, TrackedCheckout
from saleor_nudges.recovery.way_back import returning
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_cart,
    a_checkout,
    checkout_seen,
    consume,
    make_shop,
)
from tests.recovery.letters import a_letter, everything, followed, way_back

pytestmark = pytest.mark.django_db

TEE = ProductCard("UHJvZHVjdDoy", "Tee", "tee")
MUG = ProductCard("UHJvZHVjdDoz", "Mug", "mug")
ANNA = {"email": "anna@example.com"}


@pytest.fixture
def shop():
    shop = make_shop()
    MemoryHost(shop).shelf.products.update({TEE.id: TEE, MUG.id: MUG})
    return shop


@pytest.fixture
def left(shop):
    return a_checkout(shop, cart=a_cart(JUICE, TEE, quantity=2), first_name="Anna", **ANNA)


@pytest.fixture
def send(shop, left):
    return a_letter(shop, left)


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


def variant_of(card):
    return f"{card.id}-variant"


def opened(shop, send, present=""):
    """Come back; return the fresh checkout."""
    found = returning.open_checkout(send, present)
    return MemoryHost(shop).shelf.checkouts[found.checkout_id]


def pieces(checkout):
    return {line.variant_id: line.quantity for line in checkout.cart.lines}


def touch(shop, checkout, **changes):
    """Let the shopper do something to a checkout."""
    later = checkout.changed_at + timedelta(seconds=1)
    changed = replace(checkout, changed_at=later, **changes)
    MemoryHost(shop).shelf.checkouts[checkout.id] = changed
    return changed


PLAIN = {variant_of(JUICE): 2, variant_of(TEE): 2}


# What it is.


def test_it_has_the_same_things_and_nothing_of_the_person(shop, left, send):
    fresh = opened(shop, send)
    assert pieces(fresh) == PLAIN
    assert (fresh.contact, fresh.channel) == (Contact(), left.channel)
    assert fresh.id != left.id


@pytest.mark.parametrize("language", ["de", "pt-br", ""])
def test_it_speaks_the_language_of_the_old(language, shop, send):
    send.checkout.language = language
    assert opened(shop, send).cart.language == language


def test_it_has_as_much_as_is_left(shop, send):
    MemoryHost(shop).shelf.left |= {variant_of(JUICE): 1, variant_of(TEE): 0}
    assert pieces(opened(shop, send)) == {variant_of(JUICE): 1}


def test_it_is_a_child_of_the_old_and_starts_no_cycle(shop, left, send):
    # when
    fresh = opened(shop, send)
    known = TrackedCheckout.objects.of(shop).get(checkout=crypto.checkout_hash(fresh.id))

    # then
    assert known.parent == send.checkout
    assert (known.person_id, known.next_due_at) == (None, None)
    assert crypto.unseal(bytes(known.sealed_checkout_id)) == fresh.id

    # when its shopper says who they are, and leaves it as well
    checkout_seen(shop, touch(shop, fresh, contact=Contact(**ANNA)))

    # then
    known.refresh_from_db()
    assert known.person_id == send.person_id
    assert known.next_due_at is None


def test_news_of_it_may_come_first(shop, send, monkeypatch):
    # given: the shop tells of it before it answers, and a message would be due
    real = MemoryHost.new_checkout

    def told_first(self, *args):
        fresh = real(self, *args)
        tracked = followed(shop, self.shelf.checkouts[fresh])
        tracked.next_due_at = datetime.now(UTC)
        tracked.save()
        return fresh

    monkeypatch.setattr(MemoryHost, "new_checkout", told_first)

    # when
    fresh = opened(shop, send)

    # then
    known = TrackedCheckout.objects.of(shop).get(checkout=crypto.checkout_hash(fresh.id))
    assert (known.parent, known.next_due_at) == (send.checkout, None)


def test_nothing_of_it_is_written_where_the_sale_failed(shop, send, monkeypatch):
    def away(*_):
        raise HostUnavailable

    monkeypatch.setattr(MemoryHost, "new_checkout", away)
    before = everything()
    with pytest.raises(HostUnavailable):
        opened(shop, send)
    assert everything() == before


def test_it_is_opened_even_if_it_cannot_be_read_back(shop, send, monkeypatch):
    def away(*_):
        raise HostUnavailable

    monkeypatch.setattr(MemoryHost, "checkouts", away)
    assert returning.open_checkout(send).pieces is None


# One, however often.


def test_a_second_tap_finds_the_first_ones(shop, send):
    first, second = opened(shop, send), opened(shop, send)
    assert first.id == second.id
    assert FreshCheckout.objects.of(shop).count() == 1
    consume()
    assert TrackedCheckout.objects.of(shop).filter(parent__isnull=False).count() == 1


@pytest.mark.parametrize(
    "changes",
    [{}, {"contact": Contact(**ANNA)}, {"contact": Contact(first_name="Anna")}],
    ids=["anything", "address", "name"],
)
def test_what_its_shopper_touched_is_theirs_alone(changes, shop, send):
    first = opened(shop, send)
    touch(shop, first, **changes)
    second = opened(shop, send)
    assert second.id != first.id
    assert second.contact == Contact()


def test_whose_address_is_in_it_counts_before_the_clock(shop, send):
    first = opened(shop, send)
    named = replace(first, contact=Contact(**ANNA))
    MemoryHost(shop).shelf.checkouts[first.id] = named
    assert opened(shop, send).id != first.id


def test_what_is_gone_is_opened_anew(shop, send):
    first = opened(shop, send)
    del MemoryHost(shop).shelf.checkouts[first.id]
    assert opened(shop, send).id != first.id


def test_what_asks_for_more_is_opened_anew(shop, send):
    present = a_checkout(shop, cart=a_cart(MUG))
    first = opened(shop, send)
    second = opened(shop, send, present.id)
    assert (first.id == second.id, pieces(second)) == (False, PLAIN | {variant_of(MUG): 1})
    assert opened(shop, send, present.id).id == second.id


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_once_open_one(shop, send, client, monkeypatch):
    # given: a shop that takes its time
    real = MemoryHost.new_checkout

    def slow(self, *args):
        import time

        time.sleep(0.3)
        return real(self, *args)

    monkeypatch.setattr(MemoryHost, "new_checkout", slow)
    path = way_back(send)

    def tap(_):
        try:
            return Client().post(path)["Location"]
        finally:
            connections.close_all()

    # when
    with ThreadPoolExecutor(4) as taps:
        found = set(taps.map(tap, range(4)))

    # then
    assert len(found) == 1
    assert FreshCheckout.objects.of(shop).count() == 1
    assert len(MemoryHost(shop).shelf.checkouts) == 2


def test_another_message_opens_its_own(shop, left, send):
    other = Send.objects.of(shop).get()
    other.pk, other.step_number, other.cycle = None, 2, 2
    other._state.adding = True
    other.save()
    assert opened(shop, send).id != opened(shop, other).id


# With what the shopper has now.


@pytest.mark.parametrize("contact", [{}, ANNA], ids=["nobody", "the_same"])
@pytest.mark.parametrize("way", ["form", "json"])
def test_what_the_shopper_has_now_is_added(way, contact, shop, left, send, client):
    # given
    present = a_checkout(shop, cart=a_cart(TEE, MUG, quantity=3), **contact)
    body = {"checkout": present.id}

    # when
    as_json = {"content_type": "application/json"} if way == "json" else {}
    answer = client.post(way_back(send), body, **as_json)

    # then: the larger number of each, and nothing of the person
    fresh_id = answer["Location"].partition("checkout=")[2]
    fresh = MemoryHost(shop).shelf.checkouts[fresh_id]
    assert pieces(fresh) == {variant_of(JUICE): 2, variant_of(TEE): 3, variant_of(MUG): 3}
    assert fresh.contact == Contact()
    assert MemoryHost(shop).shelf.checkouts[present.id] == present
    assert present.id not in str(answer.headers)


def test_what_the_storefront_keeps_in_a_cookie_is_added(shop, send, client, settings):
    # given: its own cookie, and one that nobody has named
    present = a_checkout(shop, cart=a_cart(MUG))
    client.cookies[f"checkoutId-{CHANNEL}"] = present.id
    before = returning.open_checkout(send).checkout_id
    assert client.post(way_back(send))["Location"].endswith(before)

    # when
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"CHECKOUT_COOKIE": "checkoutId-{channel}"}
    answer = client.post(way_back(send))

    # then
    fresh_id = answer["Location"].partition("checkout=")[2]
    assert pieces(MemoryHost(shop).shelf.checkouts[fresh_id]) == PLAIN | {variant_of(MUG): 1}
    assert answer.cookies == {}


def test_fewer_in_hand_than_left_behind_takes_nothing_away(shop, send):
    present = a_checkout(shop, cart=a_cart(TEE, quantity=1))
    assert pieces(opened(shop, send, present.id)) == PLAIN


def test_the_old_checkout_itself_is_no_second_helping(shop, left, send):
    assert pieces(opened(shop, send, left.id)) == PLAIN


def somebody_elses(shop):
    return a_checkout(shop, cart=a_cart(MUG), email="ben@example.com")


def known_somebody_elses(shop):
    found = somebody_elses(shop)
    people.resolve(shop, found.contact)
    return found


def typed_by_somebody_else(shop):
    found = a_checkout(shop, cart=a_cart(MUG))
    tracked = followed(shop, found)
    tracked.person = people.resolve(shop, Contact(email="ben@example.com"))
    tracked.save()
    return found


def of_another_channel(shop):
    found = replace(a_checkout(shop, cart=a_cart(MUG)), channel="other")
    MemoryHost(shop).shelf.checkouts[found.id] = found
    return found


def of_another_shop(_):
    return a_checkout(make_shop("other.example.com"), cart=a_cart(MUG))


def being_paid(shop):
    found = replace(a_checkout(shop, cart=a_cart(MUG)), payment_started=True)
    MemoryHost(shop).shelf.checkouts[found.id] = found
    return found


@pytest.mark.parametrize(
    "whose",
    [
        somebody_elses,
        known_somebody_elses,
        typed_by_somebody_else,
        of_another_channel,
        of_another_shop,
        being_paid,
    ],
)
def test_what_is_not_surely_theirs_is_left_alone_without_a_word(whose, shop, left, send, client):
    # given
    present = whose(shop)
    path = way_back(send)

    # when
    answer = client.post(path, {"checkout": present.id})

    # then: as if nothing had been said
    fresh_id = answer["Location"].partition("checkout=")[2]
    assert answer.status_code == 303
    assert pieces(MemoryHost(shop).shelf.checkouts[fresh_id]) == PLAIN
    assert client.post(path)["Location"] == answer["Location"]


@pytest.mark.parametrize(
    "said",
    ["", "nonsense", "Q2hlY2tvdXQ6", "x" * 300, "a\nb", "\0", None, 1, ["a"], {"a": 1}, True],
)
def test_what_is_no_checkout_is_ignored(said, shop, send, client):
    answer = client.post(way_back(send), {"checkout": said}, content_type="application/json")
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{", "application/json"),
        ("[1]", "application/json"),
        ("null", "application/json"),
        ("[" * 4_000, "application/json"),
        ("checkout=%ff%00", "application/x-www-form-urlencoded"),
        ("x", "multipart/form-data"),
        ('{"checkout": "%s"}' % ("x" * 100_000), "application/json"),
        ("checkout=x", "text/plain"),
        ("a&" * 2_000, "application/x-www-form-urlencoded"),
    ],
    ids=range(9),
)
def test_what_cannot_be_read_says_nothing(body, kind, shop, send, client):
    assert client.post(way_back(send), body, content_type=kind).status_code == 303


def test_a_shop_that_refuses_strange_ids_opens_one_all_the_same(shop, send, monkeypatch):
    real = MemoryHost.checkouts

    def picky(self, ids):
        if "strange" in ids:
            raise HostUnavailable
        return real(self, ids)

    monkeypatch.setattr(MemoryHost, "checkouts", picky)
    assert pieces(opened(shop, send, "strange")) == PLAIN


def test_an_erased_shoppers_message_takes_only_what_is_nobodys(shop, left, send):
    people.erase(send.person)
    send.refresh_from_db()
    present = a_checkout(shop, cart=a_cart(MUG), **ANNA)
    assert pieces(opened(shop, send, present.id)) == PLAIN


# Metadata.


@pytest.fixture
def said(shop, left):
    said = MemoryHost(shop).shelf.metadata.setdefault(left.id, {})
    said |= {"affiliate": "blog-7", "gift": "yes", "email": "anna@example.com"}
    return said


def carried(shop, send):
    return MemoryHost(shop).shelf.metadata[opened(shop, send).id]


def test_no_metadata_goes_along_unasked(shop, send, said):
    assert carried(shop, send) == {}


def test_metadata_the_seller_names_goes_along(shop, send, said, settings):
    names = ["affiliate", "missing"]
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"CARRIED_METADATA": names}
    assert carried(shop, send) == {"affiliate": "blog-7"}


@pytest.mark.parametrize(
    "value",
    [
        "anna@example.com",
        "for Anna, with love",
        "call +48 600-700-800",
        "0048600700800",
        "somebody@example.org",
        "x" * 300,
    ],
)
def test_metadata_about_the_person_stays(value, shop, settings):
    # given
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"CARRIED_METADATA": ["note", "gift"]}
    left = a_checkout(shop, first_name="Anna", phone="600 700 800", **ANNA)
    MemoryHost(shop).shelf.metadata[left.id] = {"note": value, "gift": "yes"}

    # when / then
    assert carried(shop, a_letter(shop, left)) == {"gift": "yes"}


def test_no_metadata_is_no_reason_to_fail(shop, send, said, settings, monkeypatch):
    def away(*_):
        raise HostUnavailable

    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"CARRIED_METADATA": ["gift"]}
    monkeypatch.setattr(MemoryHost, "metadata", away)
    assert carried(shop, send) == {}
