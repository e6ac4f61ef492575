"""Where links begin and lead, channel by channel."""

from urllib.parse import parse_qs, urlsplit

import pytest

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.models import AuditEntry, Shop
from saleor_nudges.recovery import addresses
from saleor_nudges.recovery.way_back import links
from saleor_nudges.testing import CHANNEL, make_shop
from tests.graphql.seller import ask, code_of, told
from tests.recovery.letters import a_letter

pytestmark = pytest.mark.django_db

HERE = {
    "link_base_url": "https://shop.example.com/n",
    "checkout_url": "https://a.example/{checkout}",
}


@pytest.fixture
def shop():
    return make_shop()


# What counts.


def test_without_more_the_shops_own_count(shop):
    assert addresses.link_base(shop, CHANNEL) == "https://nudges.example.com/"
    assert addresses.checkout_page(shop, CHANNEL) == shop.checkout_url
    assert addresses.shop_front(shop, CHANNEL) == "https://shop.example.com/"


def test_a_channels_own_count_there_alone(shop):
    addresses.change(shop, [{"channel": CHANNEL, **HERE}])
    assert addresses.link_base(shop, CHANNEL) == "https://shop.example.com/n/"
    assert addresses.to_checkout(shop, CHANNEL, "one", {}) == "https://a.example/one"
    assert addresses.shop_front(shop, CHANNEL) == "https://a.example/"
    assert addresses.checkout_page(shop, "other") == shop.checkout_url


def test_links_begin_on_the_shops_own_domain(shop):
    addresses.change(shop, [{"channel": CHANNEL, **HERE}])
    shop.save()
    send = a_letter(shop)
    send.shop = shop
    assert links.return_url(send).startswith("https://shop.example.com/n/r/")
    assert links.unsubscribe_url(send).startswith("https://shop.example.com/n/u/")


def test_what_is_left_out_stays_and_what_is_empty_goes(shop):
    addresses.change(shop, [{"channel": CHANNEL, **HERE}])
    addresses.change(shop, [{"channel": CHANNEL, "link_base_url": "", "checkout_url": None}])
    assert shop.channel_addresses == {
        CHANNEL: {"link_base_url": "", "checkout_url": "https://a.example/{checkout}"}
    }
    addresses.change(shop, [{"channel": CHANNEL, "checkout_url": ""}])
    assert shop.channel_addresses == {}


def test_a_shop_without_a_checkout_page_has_no_front():
    shop = make_shop(checkout_url="")
    assert addresses.shop_front(shop, CHANNEL) == ""


# What may be set.


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com/{checkout}",
        "https://shop.example.com/checkout?checkout={checkout}&a=b",
        "https://shop.example.com/#/checkout/{checkout}",
        "http://localhost:3000/checkout?checkout={checkout}",
        "http://127.0.0.1:3000/{checkout}",
        "http://[::1]:3000/{checkout}",
    ],
)
def test_a_checkouts_page(url, shop):
    addresses.change(shop, [{"channel": CHANNEL, "checkout_url": url}])
    assert addresses.checkout_page(shop, CHANNEL) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com/checkout",
        "https://{checkout}.example.com/",
        "https://shop.example.com@evil.example.com/{checkout}",
        "https:///{checkout}",
        "http://shop.example.com/{checkout}",
        "//shop.example.com/{checkout}",
        "/checkout?checkout={checkout}",
        "javascript:alert('{checkout}')",
        "ftp://shop.example.com/{checkout}",
        "https://shop.example.com/ {checkout}",
        "https://shop.example.com/\n{checkout}",
        "https://shop.example.com:port/{checkout}",
        "https://[shop/{checkout}",
        "https://shöp.example.com/{checkout}",
        "https://shop.example.com/{checkout}" + "a" * 500,
        "nonsense",
    ],
)
def test_what_is_no_checkouts_page_is_refused(url, shop):
    with pytest.raises(InvalidInput) as caught:
        addresses.change(shop, [{"channel": CHANNEL, "checkout_url": url}])
    assert caught.value.field == "checkoutUrl"
    assert shop.channel_addresses == {}


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com/n/?a=b",
        "https://shop.example.com/n#a",
        "https://shop.example.com/{checkout}",
        "http://shop.example.com/",
        "https://",
        "shop.example.com",
    ],
)
def test_what_is_no_beginning_of_a_link_is_refused(url, shop):
    with pytest.raises(InvalidInput) as caught:
        addresses.change(shop, [{"channel": CHANNEL, "link_base_url": url}])
    assert caught.value.field == "linkBaseUrl"


# What the shop's statistics are told.


def tags_of(url):
    return parse_qs(urlsplit(url).query)


def test_a_link_says_where_it_was(shop):
    send = a_letter(shop)
    assert tags_of(links.return_url(send)) == {
        "utm_source": ["saleor-nudges"],
        "utm_medium": ["email"],
        "utm_campaign": ["left-behind"],
    }
    assert urlsplit(links.unsubscribe_url(send)).query == ""


@pytest.mark.parametrize(
    ("name", "tag"),
    [("Hallo, Käufer & Co?", ["hallo-käufer-co"]), ("カート", ["カート"]), ("!!!", None)],
)
def test_a_campaigns_name_is_one_word(name, tag, shop):
    send = a_letter(shop)
    send.campaign.name = name
    assert tags_of(links.return_url(send)).get("utm_campaign") == tag


def test_nothing_is_said_without_a_source(shop, settings):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | {"UTM_SOURCE": ""}
    assert urlsplit(links.return_url(a_letter(shop))).query == ""


@pytest.mark.parametrize(
    ("page", "query", "found"),
    [
        ("/c?checkout={checkout}", {"utm_id": "1"}, "/c?checkout=one&utm_id=1"),
        ("/c/{checkout}", {"utm_id": "a b&c=d#e"}, "/c/one?utm_id=a+b%26c%3Dd%23e"),
        ("/c/{checkout}#pay", {"utm_id": "1"}, "/c/one?utm_id=1#pay"),
        ("/c/{checkout}?utm_id=own", {"utm_id": "1"}, "/c/one?utm_id=own"),
        ("/c/{checkout}", {"UTM_ID": "1", "utm_": "1", "x": "1", "utm_1": "1"}, "/c/one"),
        ("/c/{checkout}", {"utm_id": "x" * 201, "utm_term": "\n"}, "/c/one"),
    ],
)
def test_only_where_somebody_is_from_goes_on_to_the_checkout(page, query, found, shop):
    shop.checkout_url = f"https://shop.example.com{page}"
    there = addresses.to_checkout(shop, CHANNEL, "one", query)
    assert there == f"https://shop.example.com{found}"


def test_a_page_is_not_flooded(shop):
    query = {f"utm_{chr(97 + n)}": "1" for n in range(26)}
    there = addresses.to_checkout(shop, CHANNEL, "one", query)
    assert there.count("utm_") == addresses.MOST_UTM


def test_a_checkouts_id_stays_one_value(shop):
    there = addresses.to_checkout(shop, CHANNEL, "a&b=c#d/..", {})
    assert there == "https://shop.example.com/checkout?checkout=a%26b=c%23d%2F.."


# The seller.

CHANGE = """
mutation($input: MessagingSettingsInput!) {
  messagingSettingsUpdate(input: $input) {
    messagingSettings { channelAddresses { channel linkBaseUrl checkoutUrl } }
    errors { field message code }
  }
}
"""
SAID = {
    "channel": CHANNEL,
    "linkBaseUrl": "https://shop.example.com/n",
    "checkoutUrl": "https://a.example/{checkout}",
}


def change(*listed, **who):
    return told(CHANGE, {"input": {"channelAddresses": list(listed)}}, **who)


def test_a_seller_says_where_links_lead(shop):
    # when
    answer = change(SAID)

    # then
    assert answer == {"messagingSettings": {"channelAddresses": [SAID]}, "errors": []}
    assert Shop.objects.get().channel_addresses == {CHANNEL: HERE}
    entry = AuditEntry.objects.of(shop).get()
    assert entry.before == {"channel_addresses": {}}
    assert entry.after == {"channel_addresses": {CHANNEL: HERE}}

    # when another channel is changed, the first stays
    change({"channel": "other", "checkoutUrl": "https://b.example/{checkout}"})
    assert sorted(Shop.objects.get().channel_addresses) == [CHANNEL, "other"]
    change(SAID | {"linkBaseUrl": "", "checkoutUrl": ""})
    assert sorted(Shop.objects.get().channel_addresses) == ["other"]


def test_a_wrong_address_changes_nothing(shop):
    answer = change(SAID | {"channel": "other"}, SAID | {"checkoutUrl": "https://a.example/"})
    assert answer["messagingSettings"] is None
    [error] = answer["errors"]
    assert (error["field"], error["code"]) == ("checkoutUrl", "INVALID")
    assert Shop.objects.get().channel_addresses == {}


def test_only_who_may_changes_them(shop):
    asked = {"input": {"channelAddresses": [SAID]}}
    answer = ask(CHANGE, asked, may="MANAGE_CHECKOUTS")
    assert code_of(answer) == "PermissionDenied"
    assert Shop.objects.get().channel_addresses == {}
