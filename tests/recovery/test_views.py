"""The two links in a message: looking changes nothing, the shopper's own POST does."""

import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client, override_settings

from saleor_nudges import access
from saleor_nudges.host import ProductCard
from saleor_nudges.host.memory import SHELVES, MemoryHost
from saleor_nudges.models import (
    CheckoutState,
    Consent,
    Send,
    Shop,
    Suppression,
    TrackedCheckout,
)
from saleor_nudges.recovery.way_back import links, returning
from saleor_nudges.recovery.way_back.words import ENGLISH, GERMAN, WORDS
from saleor_nudges.testing import JUICE, a_cart, a_checkout, consume, make_shop, order_placed
from tests.recovery.letters import a_letter, everything, way_back, way_out

pytestmark = pytest.mark.django_db

TEE = ProductCard("UHJvZHVjdDoy", "Tee", "tee", "https://shop.example.com/tee.png")
DOORS = pytest.mark.parametrize("way", [way_back, way_out])


@pytest.fixture
def shop():
    shop = make_shop()
    MemoryHost(shop).shelf.products[TEE.id] = TEE
    return shop


@pytest.fixture
def left(shop):
    cart = a_cart(JUICE, TEE, quantity=2)
    return a_checkout(shop, email="anna@example.com", first_name="Anna", cart=cart)


@pytest.fixture
def send(shop, left):
    return a_letter(shop, left)


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


def fresh_ones(shop, left):
    found = MemoryHost(shop).shelf.checkouts
    return [checkout for key, checkout in found.items() if key != left.id]


# Looking.


@DOORS
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_a_hundred_times_changes_nothing(method, way, send, client):
    # given
    path = way(send)
    before = everything()

    # when
    answers = [getattr(client, method)(path) for _ in range(100)]

    # then
    assert {answer.status_code for answer in answers} == {200}
    consume()
    assert everything() == before


@DOORS
@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_other_methods_are_refused(method, way, send, client):
    path = way(send)
    before = everything()
    assert getattr(client, method)(path).status_code == 405
    assert everything() == before


@DOORS
def test_no_page_tells_its_address_or_whose_it_is(way, left, send, client):
    for method in ("get", "post"):
        answer = getattr(client, method)(way(send))
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
        whole = answer.content.decode() + str(answer.headers)
        assert [word for word in (left.id, "anna", "Anna") if word in whole] == []


@DOORS
def test_a_page_runs_nothing(way, send, client):
    answer = client.get(way(send))
    policy = answer["Content-Security-Policy"]
    nonce = re.search("style-src 'nonce-([^']+)'", policy)[1]
    page = answer.content.decode()
    assert policy.startswith("default-src 'none'; style-src")
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script|javascript:|\son\w+=|\sstyle=", page) == []
    assert re.findall("<style[^>]*>", page) == [f'<style nonce="{nonce}">']
    assert client.get(way(send))["Content-Security-Policy"] != policy


# The page of the items.


def test_the_items_are_shown_and_no_price_is_promised(shop, send, client):
    page = client.get(way_back(send)).content.decode()
    assert ENGLISH["ask"] in page
    assert re.findall(r"<bdi>([^<]+)</bdi>", page) == [shop.name, "Apple Juice", "Tee"]
    assert re.findall(r"<img src=\"([^\"]+)\"", page) == ["https://shop.example.com/tee.png"]
    assert page.count("Quantity: </span>2<") == 2
    assert "5.00" not in page
    assert "20.00" not in page
    assert page.count("<form") == 1
    assert page.count("<button") == 1


@pytest.mark.parametrize("url", ["http://shop.example.com/a.png", "javascript:alert(1)", "//x/y"])
def test_only_safe_pictures_are_shown(url, send, client):
    send.checkout.lines[1]["image_url"] = url
    send.checkout.save()
    assert "<img" not in client.get(way_back(send)).content.decode()


def test_what_a_shop_says_is_text(shop, send, client):
    send.checkout.lines[0]["product_name"] = "<script>alert(1)</script>"
    send.checkout.save()
    shop.name = "<b>Shop</b>"
    shop.save()
    page = client.get(way_back(send)).content.decode()
    assert "<script" not in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("pieces", "notes"),
    [
        ({}, []),
        ({f"{TEE.id}-variant": 1}, ["Only 1 left"]),
        ({f"{TEE.id}-variant": 0}, ["Sold out"]),
    ],
)
def test_what_is_left_is_said_before(pieces, notes, shop, send, client):
    MemoryHost(shop).shelf.left |= pieces
    page = client.get(way_back(send)).content.decode()
    assert re.findall('class="note">([^<]+)<', page) == notes
    assert (ENGLISH["some"] in page) is bool(notes)


def test_while_the_shop_does_not_answer_the_page_does(shop, send, client):
    SHELVES[shop.key].is_away = True
    answer = client.get(way_back(send))
    assert answer.status_code == 200
    assert ENGLISH["ask"] in answer.content.decode()


def button(page):
    """Return what the page's one button would send."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w*)">', page))


def test_who_was_told_is_one_tap_from_the_checkout(shop, left, send, client):
    MemoryHost(shop).shelf.left[f"{TEE.id}-variant"] = 1
    path = way_back(send)
    answer = client.post(path, button(client.get(path).content.decode()))
    assert answer.status_code == 303
    [fresh] = fresh_ones(shop, left)
    assert [line.quantity for line in fresh.cart.lines] == [2, 1]


def test_who_was_not_told_is_told_after(shop, left, send, client):
    # given: a page that promised it all
    path = way_back(send)
    form = button(client.get(path).content.decode())
    MemoryHost(shop).shelf.left[f"{TEE.id}-variant"] = 1

    # when
    told = client.post(path, form)

    # then
    page = told.content.decode()
    assert (told.status_code, ENGLISH["changed"] in page, "Only 1 left" in page) == (
        200,
        True,
        True,
    )
    [fresh] = fresh_ones(shop, left)
    assert fresh.id not in page

    # when
    answer = client.post(path, button(page))

    # then: the same one
    assert answer.status_code == 303
    assert fresh.id in answer["Location"]
    assert len(fresh_ones(shop, left)) == 1


# Back.


def test_a_post_opens_a_fresh_checkout_without_the_person(shop, left, send, client):
    # when
    answer = client.post(way_back(send))

    # then
    [fresh] = fresh_ones(shop, left)
    assert answer.status_code == 303
    assert answer["Location"] == f"https://shop.example.com/checkout?checkout={fresh.id}"
    assert fresh.contact.is_known() is False
    assert [line.variant_id for line in fresh.cart.lines] == [
        line.variant_id for line in left.cart.lines
    ]
    assert answer.cookies == {}
    consume()
    assert Send.objects.of(shop).get().returned_at is not None


def test_a_get_is_no_return(shop, send, client):
    client.get(way_back(send))
    consume()
    assert Send.objects.of(shop).get().returned_at is None


def test_what_says_where_somebody_is_from_goes_along(shop, send, client):
    path = (
        way_back(send) + "?utm_source=a%26b&utm_medium=email&next=https://evil.example.com&utm_X=1"
    )
    location = client.post(path)["Location"]
    assert re.sub("checkout=[^&]+", "checkout=_", location) == (
        "https://shop.example.com/checkout?checkout=_&utm_source=a%26b&utm_medium=email"
    )


@pytest.mark.parametrize(
    "query",
    [
        "checkout_url=https://evil.example.com/",
        "next=//evil.example.com",
        "utm_source=https://evil.example.com/&utm_medium=//evil.example.com",
        "utm_source=%0d%0aLocation:%20https://evil.example.com",
        "utm_source=%23&utm_campaign=@evil.example.com",
    ],
)
def test_nobody_is_sent_anywhere_else(query, send, client):
    answer = client.post(
        f"{way_back(send)}?{query}", {"url": "https://evil.example.com", "next": "//evil"}
    )
    assert answer["Location"].startswith("https://shop.example.com/checkout?checkout=Checkout:")
    assert "\n" not in answer["Location"]


# The other ends.


@pytest.mark.parametrize("state", [CheckoutState.ORDERED, CheckoutState.RECOVERED])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_bought_already_is_told_so(method, state, shop, left, send, client):
    TrackedCheckout.objects.of(shop).update(state=state)
    path = way_back(send)
    before = everything()
    answer = getattr(client, method)(path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert ENGLISH["bought"] in page
    assert 'href="https://shop.example.com/"' in page
    assert "Apple Juice" not in page
    assert everything() == before


def test_who_bought_the_fresh_one_has_bought(shop, left, send, client):
    path = way_back(send)
    client.post(path)
    [fresh] = fresh_ones(shop, left)
    order_placed(shop, fresh, email="anna@example.com")
    assert ENGLISH["bought"] in client.post(path).content.decode()
    assert fresh_ones(shop, left) == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_sold_out(method, shop, send, client):
    MemoryHost(shop).shelf.products.clear()
    path = way_back(send)
    before = everything()
    answer = getattr(client, method)(path)
    page = answer.content.decode()
    assert (answer.status_code, ENGLISH["sold_out_text"] in page) == (410, True)
    assert page.count('class="note">Sold out<') == 2
    assert "<form" not in page
    assert everything() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_expired(method, shop, send, client):
    path = way_back(send)
    Send.objects.of(shop).update(link_expires_at=datetime.now(UTC) - timedelta(seconds=1))
    before = everything()
    answer = getattr(client, method)(path)
    page = answer.content.decode()
    assert (answer.status_code, ENGLISH["expired"] in page) == (410, True)
    assert "Apple Juice" not in page
    assert 'href="https://shop.example.com/"' in page
    assert everything() == before


def test_a_link_lasts_as_long_as_the_setting_says(shop, send, client, settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"LINK_DAYS": 3}
    way_back(send)
    days = Send.objects.of(shop).get().link_expires_at - datetime.now(UTC)
    assert timedelta(days=3) - days < timedelta(seconds=60)
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"LINK_DAYS": -1}
    assert client.post(way_back(send)).status_code == 410


def test_while_the_shop_is_away_nothing_is_lost(shop, send, client):
    SHELVES[shop.key].is_away = True
    path = way_back(send)
    before = everything()
    answer = client.post(path)
    assert (answer.status_code, "try again" in answer.content.decode()) == (503, True)
    assert everything() == before
    SHELVES[shop.key].is_away = False
    assert client.post(path).status_code == 303


def test_a_link_that_opened_its_share_opens_no_more(shop, left, send, client):
    path = way_back(send)
    shelf = MemoryHost(shop).shelf
    for _ in range(returning.MOST_PER_LINK):
        assert client.post(path).status_code == 303
        for fresh in fresh_ones(shop, left):
            shelf.checkouts[fresh.id] = replace(fresh, changed_at=datetime.now(UTC))
    answer = client.post(path)
    assert (answer.status_code, ENGLISH["used_up"] in answer.content.decode()) == (429, True)
    assert len(fresh_ones(shop, left)) == returning.MOST_PER_LINK


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_breaks_is_a_page_too(method, send, client, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(returning, "open_checkout", broken)
    monkeypatch.setattr(returning, "pieces_left", broken)
    answer = getattr(client, method)(way_back(send))
    assert (answer.status_code, ENGLISH["away"] in answer.content.decode()) == (503, True)
    assert answer["Referrer-Policy"] == "no-referrer"


# Logs.


@pytest.mark.parametrize("case", ["ask", "invalid", "expired", "sold_out", "away", "broken"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_log_has_a_token_or_a_checkout(
    method, case, shop, left, send, client, caplog, monkeypatch
):
    # given
    path = way_back(send)
    if case == "invalid":
        Shop.objects.update(is_active=False)
    elif case == "expired":
        Send.objects.of(shop).update(link_expires_at=datetime.now(UTC))
    elif case == "sold_out":
        MemoryHost(shop).shelf.products.clear()
    elif case == "away":
        SHELVES[shop.key].is_away = True
    elif case == "broken":
        monkeypatch.setattr(returning, "lines_of", lambda _: 1 / 0)
    caplog.set_level(logging.DEBUG)

    # when
    getattr(client, method)(path, {"checkout": left.id} if method == "post" else {})

    # then
    SHELVES[shop.key].is_away = False
    secrets = [path.rpartition("/")[2], left.id, *(fresh.id for fresh in fresh_ones(shop, left))]
    lines = [
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        if not record.name.startswith("django.db")
    ]
    assert [line for line in lines if any(secret in line for secret in secrets)] == []


# Languages.


@pytest.mark.parametrize(
    ("language", "found"), [("de", "de"), ("DE_AT", "de"), ("pl", "pl"), ("fr", "en"), ("", "en")]
)
def test_a_page_speaks_the_checkouts_language(language, found, send, client):
    send.checkout.language = language
    send.checkout.save()
    page = client.get(way_back(send), headers={"accept-language": "pl"}).content.decode()
    assert f'<html lang="{found}">' in page
    assert WORDS[found]["ask"] in page


def test_nobodys_page_speaks_the_browsers_language(client, shop):
    page = client.get(
        "/r/nobody", headers={"accept-language": "de-AT,de;q=0.9,en"}
    ).content.decode()
    assert GERMAN["invalid"] in page


def test_every_language_has_every_word():
    assert {language: told.keys() ^ ENGLISH.keys() for language, told in WORDS.items()} == {
        language: set() for language in WORDS
    }


# Out.


def test_a_post_without_login_ends_the_messages(shop, send, client):
    answer = client.post(
        way_out(send),
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert Suppression.objects.of(shop).get().reason == "UNSUBSCRIBED"
    assert Consent.objects.of(shop).get().is_given is False


def test_a_second_click_says_the_same(shop, send, client):
    for _ in range(2):
        assert "Done" in client.post(way_out(send)).content.decode()
    assert Suppression.objects.of(shop).count() == 1
    assert Consent.objects.of(shop).count() == 1


def test_the_way_out_stays_open_for_years(shop, send, client, monkeypatch, settings):
    path = way_out(send)
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"LINK_DAYS": -1}
    monkeypatch.setattr(
        "time.time", lambda: (datetime.now(UTC) + timedelta(days=3_000)).timestamp()
    )
    assert client.post(path).status_code == 200
    assert Suppression.objects.of(shop).count() == 1


# Not valid.


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("_case", "token"),
    [
        ("nonsense", lambda _: "nonsense"),
        ("cut", lambda send: way_back(send)[3:-1]),
        ("changed", lambda send: way_back(send)[3:-1] + "~"),
        ("its_hash", lambda send: way_back(send) and Send.objects.of(send.shop).get().link_hash),
        ("the_row", lambda send: str(send.pk)),
        ("long", lambda _: "a" * 5_000),
        ("nul", lambda _: "a%00b"),
        ("strange", lambda _: "%F0%9F%8D%8E"),
        ("nobody", lambda send: access.link_token("return", send.shop_id)),
        ("signed", lambda send: access.link_token("return", send.pk)),
        ("visitor", lambda send: access.visitor_token(access.new_visitor(send.shop_id))),
    ],
)
@pytest.mark.parametrize("door", ["r", "u"])
def test_a_bad_token_opens_nothing(door, _case, token, method, send, client):
    found = token(send)
    before = everything()
    answer = getattr(client, method)(f"/{door}/{found}")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert ENGLISH["invalid"] in page
    assert send.shop.name not in page
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    assert everything() == before


def test_a_message_without_a_link_has_no_way_back(send, client):
    assert client.post("/r/").status_code == 404
    assert client.post("/r/None").status_code == 404


def test_one_links_token_is_worth_nothing_at_the_other(send, client):
    back, out = way_back(send), way_out(send)
    before = everything()
    assert client.post("/u" + back[2:]).status_code == 404
    assert client.post("/r" + out[2:]).status_code == 404
    assert everything() == before


def test_a_message_handed_over_again_has_the_same_link(shop, left, send, client):
    first, again = way_back(send), way_back(send)
    assert first == again
    assert client.post(first).status_code == 303
    assert len(fresh_ones(shop, left)) == 1


def test_a_link_leads_nowhere_before_its_message_is_marked(send, client):
    path = way_back(send)
    Send.objects.across_shops().update(link_hash=None)
    assert client.post(path).status_code == 404


def test_nobody_can_guess_a_link_without_the_key_of_the_installation(send):
    with override_settings(SECRET_KEY="another"):
        elsewhere = links.return_url(send)
    assert links.return_url(send) != elsewhere


def test_the_token_is_stored_nowhere(shop, send, client):
    token = links.return_url(send).rpartition("/")[2].partition("?")[0]
    assert len(token) == 32
    assert token not in json.dumps(everything(), default=str)
    assert token not in str(everything())


@DOORS
def test_the_link_of_a_removed_shop_is_not_valid(way, shop, left, send, client):
    path = way(send)
    Shop.objects.update(is_active=False)
    assert client.post(path).status_code == 404
    assert fresh_ones(shop, left) == []


def test_a_link_opens_its_own_shops_checkout(shop, left, send, client):
    other = make_shop("other.example.com", checkout_url="https://other.example.com/{checkout}")
    theirs = a_letter(other)
    assert client.post(f"{way_back(send)}?shop={other.public_id}").status_code == 303
    assert len(fresh_ones(shop, left)) == 1
    assert len(MemoryHost(other).shelf.checkouts) == 1
    assert client.post(way_back(theirs))["Location"].startswith("https://other.example.com/")
