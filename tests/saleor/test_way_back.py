"""Back to a checkout left behind, in a real Saleor; the message with the link is written here."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from saleor_nudges import crypto, people
from saleor_nudges.models import (
    Campaign,
    CampaignStep,
    MessageChannel,
    Send,
    SendState,
    TrackedCheckout,
)
from saleor_nudges.plugin.host import PluginHost, current_shop
from saleor_nudges.recovery.watching import watch
from saleor_nudges.recovery.way_back import links

from .conftest import BASE, CHANNEL, Seller, Storefront, hashed

MISSING = "UHJvZHVjdFZhcmlhbnQ6OTk5OTk5"


def written(checkout: str) -> str:
    """Return the path of the link in a message about a checkout."""
    with PluginHost.writing():
        shop = current_shop()
        shop.checkout_url = "https://shop.example.com/checkout?checkout={checkout}"
        shop.save()
        now = datetime.now(UTC)
        campaign = Campaign.objects.of(shop).create(shop=shop, channel=CHANNEL, name="Left behind")
        step = CampaignStep.objects.of(shop).create(
            shop=shop, campaign=campaign, number=1, delay_seconds=1
        )
        tracked = followed(checkout)
        send = Send(
            shop=shop,
            channel=CHANNEL,
            checkout=tracked,
            cycle=1,
            campaign=campaign,
            step=step,
            step_number=1,
            person=tracked.person,
            message_channel=MessageChannel.EMAIL,
            state=SendState.SENT,
            ready_at=now,
            due_at=now,
        )
        # As marking it does.
        for name, value in links.way_back(send).items():
            setattr(send, name, value)
        send.save(force_insert=True)
        return BASE + links.return_url(send).partition(BASE)[2]


def followed(checkout: str) -> TrackedCheckout:
    """Return what we know of a checkout."""
    shop = current_shop()
    found = PluginHost(shop).checkouts([checkout])[checkout]
    tracked, _ = TrackedCheckout.objects.of(shop).update_or_create(
        shop=shop,
        checkout=hashed(checkout),
        defaults={
            "channel": found.channel,
            "sealed_checkout_id": crypto.seal(checkout),
            "person": people.resolve(shop, found.contact),
            "lines": watch.lines_json(found.cart),
            "language": found.cart.language,
            "started_at": found.created_at - timedelta(seconds=1),
            "changed_at": found.changed_at,
            "seen_at": found.changed_at,
        },
    )
    return tracked


def came_back(shopper: Storefront, path: str, **said: str) -> str:
    """Follow a link by its button; return the fresh checkout."""
    answer = shopper.client.post(path, said)
    assert answer.status_code == 303
    target = urlsplit(answer["Location"])
    assert target.netloc == "shop.example.com"
    [fresh] = parse_qs(target.query)["checkout"]
    return fresh


def in_it(shopper: Storefront, checkout: str) -> dict[str, int]:
    seen = shopper.ask(
        """query($id: ID!) { checkout(id: $id) { email user { id } billingAddress { id }
          totalPrice { gross { amount } } lines { quantity variant { id } } } }""",
        id=checkout,
    )
    lines = seen.pop("lines")
    assert seen.pop("totalPrice")["gross"]["amount"] > 0
    assert seen == {"email": None, "user": None, "billingAddress": None}
    return {line["variant"]["id"]: line["quantity"] for line in lines}


def test_two_taps_open_one_and_a_touched_one_is_left_alone(
    seller: Seller, shopper: Storefront, email: str
):
    # given
    [product] = shopper.products(1)
    path = written(shopper.start(product["variant"], quantity=2, email=email))
    looked = shopper.client.get(path)
    assert (looked.status_code, product["name"] in looked.content.decode()) == (200, True)
    # when
    first = came_back(shopper, path)
    # then
    assert in_it(shopper, first) == {product["variant"]: 2}
    assert came_back(shopper, path) == first
    # when its shopper says who they are
    shopper.say_email(first, email)
    # then the link opens another for whoever holds it
    second = came_back(shopper, path)
    assert second != first
    assert in_it(shopper, second) == {product["variant"]: 2}


def test_what_the_shopper_has_now_is_added(seller: Seller, shopper: Storefront, email: str):
    one, other = shopper.products(2)
    path = written(shopper.start(one["variant"], quantity=2, email=email))
    present = shopper.start(one["variant"], other["variant"], quantity=3)
    fresh = came_back(shopper, path, checkout=present)
    assert in_it(shopper, fresh) == {one["variant"]: 3, other["variant"]: 3}
    assert in_it(shopper, present) == {one["variant"]: 3, other["variant"]: 3}


@pytest.mark.parametrize("said", ["", "nonsense", "Q2hlY2tvdXQ6bm8=", "UHJvZHVjdDox", "\0"])
def test_what_is_no_checkout_is_ignored(said: str, seller: Seller, shopper: Storefront, email: str):
    [product] = shopper.products(1)
    path = written(shopper.start(product["variant"], email=email))
    assert in_it(shopper, came_back(shopper, path, checkout=said)) == {product["variant"]: 1}


def test_somebody_elses_checkout_is_ignored(seller: Seller, shopper: Storefront, email: str):
    one, other = shopper.products(2)
    path = written(shopper.start(one["variant"], email=email))
    theirs = shopper.start(other["variant"], email=f"not-{email}")
    assert in_it(shopper, came_back(shopper, path, checkout=theirs)) == {one["variant"]: 1}


def test_less_is_left_and_it_is_said_before(seller: Seller, shopper: Storefront, email: str):
    # given a checkout with more than there is by now, and with something gone
    one, _ = shopper.products(2)
    path = written(shopper.start(one["variant"], email=email))
    with PluginHost.writing():
        tracked = TrackedCheckout.objects.of(current_shop()).get()
        gone = tracked.lines[0] | {"variant_id": MISSING, "product_name": "Gone thing"}
        tracked.lines = [tracked.lines[0] | {"quantity": 100_000}, gone]
        tracked.save()
    # when
    page = shopper.client.get(path).content.decode()
    # then
    assert "Sold out" in page
    assert "Only " in page
    [told] = [part.partition('"')[0] for part in page.split('name="told" value="')[1:]]
    [(variant, quantity)] = in_it(shopper, came_back(shopper, path, told=told)).items()
    assert (variant, 0 < quantity < 100_000) == (one["variant"], True)


def test_sold_out(seller: Seller, shopper: Storefront, email: str):
    [product] = shopper.products(1)
    path = written(shopper.start(product["variant"], email=email))
    with PluginHost.writing():
        tracked = TrackedCheckout.objects.of(current_shop()).get()
        tracked.lines = [tracked.lines[0] | {"variant_id": MISSING}]
        tracked.save()
    for answer in (shopper.client.get(path), shopper.client.post(path)):
        assert answer.status_code == 410


def test_metadata_the_seller_names_goes_along(
    seller: Seller, shopper: Storefront, email: str, settings: Any
):
    # given
    given = dict(getattr(settings, "SALEOR_NUDGES", {}))
    settings.SALEOR_NUDGES = given | {"CARRIED_METADATA": ["affiliate", "reach"]}
    [product] = shopper.products(1)
    left = shopper.start(product["variant"], email=email)
    said = {"affiliate": "blog-7", "reach": email, "other": "x"}
    shopper.ask(
        """mutation($id: ID!, $input: [MetadataInput!]!) {
          updateMetadata(id: $id, input: $input) { errors { field message code } } }""",
        id=left,
        input=[{"key": key, "value": value} for key, value in said.items()],
    )
    # when
    fresh = came_back(shopper, written(left))
    # then
    seen = shopper.ask("query($id: ID!) { checkout(id: $id) { metadata { key value } } }", id=fresh)
    assert seen["metadata"] == [{"key": "affiliate", "value": "blog-7"}]
