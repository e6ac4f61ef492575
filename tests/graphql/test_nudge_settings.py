"""How nudges look and how often they come: every field is set, read back and written down."""

import pytest

from saleor_nudges.models import AuditEntry, NudgeSettings, Shop
from saleor_nudges.testing import CHANNEL, make_shop
from tests.graphql.seller import ask, code_of, told

pytestmark = pytest.mark.django_db

FIELDS = """
    isTrackingEnabled desktopPosition mobilePosition theme highlightColor initialDelay gap duration
    maxPerPage maxPerSession devices isQuietInCheckout consentMode capturesContact buyersPerPlace
    claimRules productUrl checkoutUrl
"""
OF_CHANNEL = {
    "desktopPosition": "BOTTOM_RIGHT",
    "mobilePosition": "TOP",
    "theme": "DARK",
    "highlightColor": "#1a2b3c",
    "initialDelay": 1,
    "gap": 2,
    "duration": 3,
    "maxPerPage": 4,
    "maxPerSession": 5,
    "devices": ["DESKTOP", "IOS"],
    "isQuietInCheckout": False,
    "consentMode": "OPT_IN",
    "capturesContact": True,
    "buyersPerPlace": 6,
}
OF_SHOP = {
    "isTrackingEnabled": False,
    "claimRules": ["UK", "US"],
    "productUrl": "https://new.example.com/{slug}",
    "checkoutUrl": "https://new.example.com/{checkout}",
}
UPDATE = f"""
    mutation($channel: String!, $input: NudgeSettingsInput, $restore: Boolean) {{
        nudgeSettingsUpdate(channel: $channel, input: $input, restoreDefaults: $restore) {{
            nudgeSettings {{ {FIELDS} }}
            errors {{ field message code }}
        }}
    }}
"""


@pytest.fixture
def shop():
    return make_shop()


def update(*, restore=None, **changes):
    return told(UPDATE, {"channel": CHANNEL, "input": changes, "restore": restore})


def everything():
    return list(NudgeSettings.objects.across_shops().values()), list(Shop.objects.values())


def test_every_field_is_set_and_read_back(shop):
    answer = update(**OF_CHANNEL, **OF_SHOP)
    assert answer == {"nudgeSettings": OF_CHANNEL | OF_SHOP, "errors": []}
    query = f'{{ nudgeSettings(channel: "{CHANNEL}") {{ {FIELDS} }} }}'
    assert told(query) == OF_CHANNEL | OF_SHOP


def test_every_column_can_be_changed(shop):
    fixed = {"id", "created_at", "shop", "channel"}
    columns = {field.name for field in NudgeSettings._meta.fields} - fixed
    assert len(OF_CHANNEL) == len(columns)
    update(**OF_CHANNEL)
    stored, fresh = NudgeSettings.objects.of(shop).get(), NudgeSettings()
    assert [name for name in columns if getattr(stored, name) == getattr(fresh, name)] == []


def test_what_ships_comes_back_for_the_channel_alone(shop):
    # given
    fresh = update()["nudgeSettings"]
    update(**OF_CHANNEL, **OF_SHOP)

    # when
    answer = update(restore=True, gap=99)

    # then
    assert answer["nudgeSettings"] == fresh | OF_SHOP | {"gap": 99}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"devices": []}, "devices"),
        ({"buyersPerPlace": 1}, "buyersPerPlace"),
        ({"claimRules": []}, "claimRules"),
        ({"claimRules": ["UK", "UK"]}, "claimRules"),
        ({"highlightColor": "blue"}, "highlightColor"),
        ({"duration": 0}, "duration"),
        ({"productUrl": "ftp://x"}, "productUrl"),
        ({"checkoutUrl": "https://x.example.com/"}, "checkoutUrl"),
        ({"storefrontSecret": "short"}, "storefrontSecret"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_saved(changes, field, shop):
    # given
    before = everything()

    # when: other fields are fine, of the channel and of the shop
    others = {"theme": "DARK", "isTrackingEnabled": False}
    answer = update(**others | changes)

    # then
    assert [(error["field"], error["code"]) for error in answer["errors"]] == [(field, "INVALID")]
    assert everything() == before
    assert AuditEntry.objects.of(shop).count() == 0


@pytest.mark.parametrize("word", ["devices: [TOASTER]", "consentMode: MAYBE", "claimRules: [MARS]"])
def test_an_unknown_word_is_refused_with_its_argument(word, shop):
    before = everything()
    arguments = f'channel: "c", input: {{ {word} }}'
    answer = ask(f"mutation {{ nudgeSettingsUpdate({arguments}) {{ errors {{ field }} }} }}")
    [error] = answer["errors"]
    assert word.partition(":")[0] in error["message"]
    assert everything() == before


def test_a_change_is_written_down_with_what_was_before(shop):
    # when
    update(gap=13, isTrackingEnabled=False, claimRules=["EU"])

    # then
    entry = AuditEntry.objects.of(shop).get()
    assert (entry.action, entry.target) == ("NudgeSettingsUpdate", CHANNEL)
    assert entry.before == {
        "gap": 12,
        "is_tracking_enabled": True,
        "claim_rules": ["UK", "EU", "US"],
    }
    assert entry.after == {"gap": 13, "is_tracking_enabled": False, "claim_rules": ["EU"]}


def test_a_secret_is_never_told_again(shop):
    # given
    secret = "s3cret-" + "x" * 40
    query = f'{{ nudgeSettings(channel: "{CHANNEL}") {{ hasStorefrontSecret }} }}'
    assert told(query) == {"hasStorefrontSecret": False}

    # when
    answer = update(storefrontSecret=secret)

    # then
    entry = AuditEntry.objects.of(shop).get()
    assert entry.before == {"has_storefront_secret": False}
    assert entry.after == {"has_storefront_secret": True}
    assert secret not in str(answer)
    assert told(query) == {"hasStorefrontSecret": True}


def test_one_field_of_the_shop_overwrites_no_other(shop):
    # given: somebody else has changed the shop since it was read
    stale = Shop.objects.get(pk=shop.pk)
    Shop.objects.filter(pk=shop.pk).update(sender_name="Somebody else")

    # when
    update(productUrl="https://new.example.com/{slug}")

    # then
    stored = Shop.objects.get(pk=shop.pk)
    assert (stored.sender_name, stored.product_url) == (
        "Somebody else",
        "https://new.example.com/{slug}",
    )
    assert stale.sender_name == ""


def test_only_who_may_change_settings_does(shop):
    others = "MANAGE_CHECKOUTS,MANAGE_ORDERS,MANAGE_PRODUCTS,MANAGE_USERS"
    before = everything()
    query = f'{{ nudgeSettings(channel: "{CHANNEL}") {{ theme }} }}'
    assert code_of(ask(query, may=others)) == "PermissionDenied"
    variables = {"channel": CHANNEL, "input": {"theme": "DARK"}}
    assert code_of(ask(UPDATE, variables, may=others)) == "PermissionDenied"
    assert everything() == before


def test_one_shop_changes_nothing_of_another(shop):
    # given
    other = make_shop("other.example.com")
    before = Shop.objects.filter(pk=shop.pk).values().get()

    # when
    variables = {"channel": CHANNEL, "input": {"gap": 7, "claimRules": ["UK"]}}
    assert told(UPDATE, variables, shop=other)["errors"] == []

    # then
    assert Shop.objects.filter(pk=shop.pk).values().get() == before
    assert NudgeSettings.objects.of(shop).count() == 0
    assert NudgeSettings.objects.of(other).get().gap == 7
