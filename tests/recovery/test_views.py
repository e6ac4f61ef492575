"""The two links in a message: looking changes nothing, the shopper's own POST does."""

import re

import pytest
from django.apps import apps
from django.test import Client

from saleor_nudges import access, crypto
from saleor_nudges.host.memory import SHELVES, MemoryHost
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import Consent, Send, Shop, Suppression, TrackedCheckout
from saleor_nudges.recovery import links
from saleor_nudges.recovery import send as sending
from saleor_nudges.testing import consume, left_behind, make_shop, order_placed, switch_on_recovery

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    return shop


@pytest.fixture
def left(shop):
    checkout = left_behind(shop)
    assert sending.send_due() == 1
    return checkout


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


def path(shop, purpose):
    send = Send.objects.of(shop).get()
    url = {links.RETURN: links.return_url, links.UNSUBSCRIBE: links.unsubscribe_url}[purpose](send)
    return url.removeprefix("https://nudges.example.com")


def everything():
    models = [m for m in apps.get_app_config("saleor_nudges").get_models() if m is not Shop]
    return [list(m._base_manager.values().order_by("pk")) for m in models] + [
        list(Shop.objects.values()),
        {key: sorted(shelf.checkouts) for key, shelf in SHELVES.items()},
    ]


@pytest.mark.parametrize("purpose", [links.RETURN, links.UNSUBSCRIBE])
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(method, purpose, shop, left, client):
    # given
    before = everything()

    # when a mail scanner opens the link, thrice
    answers = [getattr(client, method)(path(shop, purpose)) for _ in range(3)]

    # then
    assert [answer.status_code for answer in answers] == [200] * 3
    assert everything() == before


@pytest.mark.parametrize("purpose", [links.RETURN, links.UNSUBSCRIBE])
def test_a_page_of_ours_is_not_kept_nor_told_of(purpose, shop, left, client):
    for answer in (client.get(path(shop, purpose)), client.post(path(shop, purpose))):
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Robots-Tag"] == "noindex"
        assert "anna@example.com" not in answer.content.decode()
        assert left.id not in answer.content.decode()


def test_both_links_are_in_the_message(shop, left):
    links_in_it = dict(re.findall(r"https://nudges\.example\.com/([ru])/(\S+)", SENT[0].text))
    send = Send.objects.of(shop).get()
    assert access.read_link(links.RETURN, links_in_it["r"]) == send.pk
    assert access.read_link(links.UNSUBSCRIBE, links_in_it["u"]) == send.pk
    unsubscribe = f"https://nudges.example.com/u/{links_in_it['u']}"
    assert SENT[0].headers["List-Unsubscribe"] == f"<{unsubscribe}>"
    assert SENT[0].headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


# Back.


def test_a_post_opens_a_fresh_checkout_without_the_person(shop, left, client):
    # when
    answer = client.post(path(shop, links.RETURN))

    # then
    shelf = MemoryHost(shop).shelf.checkouts
    [fresh] = [checkout for key, checkout in shelf.items() if key != left.id]
    assert answer.status_code == 303
    assert answer["Location"] == f"https://shop.example.com/checkout?checkout={fresh.id}"
    assert fresh.contact.is_known() is False
    assert [line.variant_id for line in fresh.cart.lines] == [
        line.variant_id for line in left.cart.lines
    ]
    parent = TrackedCheckout.objects.of(shop).get(parent__isnull=True)
    child = TrackedCheckout.objects.of(shop).get(parent=parent)
    assert child.checkout == crypto.checkout_hash(fresh.id)
    assert (child.person_id, child.next_due_at) == (None, None)
    consume()
    assert Send.objects.of(shop).get().returned_at is not None


def test_a_get_is_no_return(shop, left, client):
    client.get(path(shop, links.RETURN))
    consume()
    assert Send.objects.of(shop).get().returned_at is None


def test_who_bought_already_is_told_so(shop, left, client):
    order_placed(shop, left)
    before = everything()
    for answer in (client.get(path(shop, links.RETURN)), client.post(path(shop, links.RETURN))):
        assert answer.status_code == 200
        assert "You already bought this" in answer.content.decode()
    assert everything() == before


def test_sold_out(shop, left, client):
    MemoryHost(shop).shelf.products.clear()
    before = everything()
    answer = client.post(path(shop, links.RETURN))
    assert (answer.status_code, "Sold out" in answer.content.decode()) == (410, True)
    assert everything() == before


def test_while_the_shop_is_away_nothing_is_lost(shop, left, client):
    SHELVES[shop.key].is_away = True
    before = everything()
    answer = client.post(path(shop, links.RETURN))
    assert (answer.status_code, "try again" in answer.content.decode()) == (503, True)
    assert everything() == before
    SHELVES[shop.key].is_away = False
    assert client.post(path(shop, links.RETURN)).status_code == 303


# Out.


def test_a_post_without_login_ends_the_messages(shop, left, client):
    answer = client.post(
        path(shop, links.UNSUBSCRIBE),
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert Suppression.objects.of(shop).get().reason == "UNSUBSCRIBED"
    assert Consent.objects.of(shop).get().is_given is False


def test_a_second_click_says_the_same(shop, left, client):
    for _ in range(2):
        assert "Done" in client.post(path(shop, links.UNSUBSCRIBE)).content.decode()
    assert Suppression.objects.of(shop).count() == 1
    assert Consent.objects.of(shop).count() == 1


# Not valid.


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("_case", "token"),
    [
        ("nonsense", lambda _: "nonsense"),
        ("forged", lambda shop: path(shop, links.RETURN)[3:-1] + "x"),
        ("nul", lambda _: "a%00b"),
        ("strange", lambda _: "%F0%9F%8D%8E"),
        ("nobody", lambda shop: access.link_token(links.RETURN, shop.pk)),
        ("visitor", lambda shop: access.visitor_token(access.new_visitor(shop.pk))),
    ],
)
@pytest.mark.parametrize("door", ["r", "u"])
def test_a_bad_token_opens_nothing(door, _case, token, method, shop, left, client):
    before = everything()
    answer = getattr(client, method)(f"/{door}/{token(shop)}")
    assert answer.status_code == 404
    assert "not valid" in answer.content.decode()
    assert everything() == before


def test_one_links_token_is_worth_nothing_at_the_other(shop, left, client):
    before = everything()
    assert client.post("/u" + path(shop, links.RETURN)[2:]).status_code == 404
    assert client.post("/r" + path(shop, links.UNSUBSCRIBE)[2:]).status_code == 404
    assert everything() == before


def test_an_old_link_and_that_of_a_removed_shop_are_not_valid(shop, left, client, settings):
    url = path(shop, links.RETURN)
    Shop.objects.update(is_active=False)
    assert client.post(url).status_code == 404
    Shop.objects.update(is_active=True)
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"LINK_DAYS": -1}
    assert client.post(url).status_code == 404
    assert len(MemoryHost(shop).shelf.checkouts) == 1
