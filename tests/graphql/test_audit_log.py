"""Who changed what, with the values before and after; a secret or an address is in neither."""

import json

import pytest

from saleor_nudges.models import AuditEntry
from saleor_nudges.testing import CHANNEL, make_shop, switch_on_recovery
from tests.graphql.seller import ask, code_of, told

pytestmark = pytest.mark.django_db

LOG = """
    query($first: Int, $after: String) {
        auditLog(first: $first, after: $after) {
            edges { node { at actor action target before after } }
            pageInfo { hasNextPage endCursor }
        }
    }
"""


@pytest.fixture
def shop():
    return make_shop(public_id="first")


def log(**asked):
    found = told(LOG, asked, may="MANAGE_SETTINGS")
    return [edge["node"] for edge in found["edges"]], found["pageInfo"]


def change(mutation, **who):
    name = mutation.partition("(")[0]
    answer = told(f"mutation {{ {mutation} {{ errors {{ field message }} }} }}", **who)
    assert answer == {"errors": []}, name


# What each mutation of a seller changes, and what is written down of it.
CHANGES = [
    (
        f'nudgeConfigUpdate(channel: "{CHANNEL}", type: ORDER, input: {{isEnabled: true}})',
        f"{CHANNEL}/ORDER",
        {"is_enabled": False},
        {"is_enabled": True},
    ),
    (
        f'nudgeSettingsUpdate(channel: "{CHANNEL}", input: {{theme: DARK, productUrl: ""}})',
        CHANNEL,
        {"theme": "AUTO", "product_url": "https://shop.example.com/{channel}/products/{slug}"},
        {"theme": "DARK", "product_url": ""},
    ),
    (
        'messagingSettingsUpdate(input: {senderName: "New", isSendingEnabled: false})',
        "",
        {"sender_name": "", "is_sending_enabled": True},
        {"sender_name": "New", "is_sending_enabled": False},
    ),
    (
        f'recoveryCampaignUpdate(channel: "{CHANNEL}", input: {{name: "New", delaySeconds: 60}})',
        CHANNEL,
        {"name": "Checkout left behind", "delay_seconds": 1800},
        {"name": "New", "delay_seconds": 60},
    ),
    (
        f'recoveryCampaignPause(channel: "{CHANNEL}")',
        CHANNEL,
        {"state": "ACTIVE"},
        {"state": "PAUSED"},
    ),
]


@pytest.mark.parametrize(("mutation", "target", "before", "after"), CHANGES)
def test_a_change_is_there_with_what_was_before(mutation, target, before, after, shop):
    # given
    switch_on_recovery(shop)

    # when
    change(mutation)

    # then
    [entry], _ = log()
    name = mutation.partition("(")[0]
    assert (entry["actor"], entry["action"]) == ("test", name[0].upper() + name[1:])
    assert entry["target"] == target
    assert json.loads(entry["before"]) == before
    assert json.loads(entry["after"]) == after


def test_an_address_and_a_secret_are_in_neither(shop):
    secret = "s3cret-" + "x" * 40
    change('messagingSettingsUpdate(input: {senderEmail: "new@shop.example.com"})')
    change(f'nudgeSettingsUpdate(channel: "c", input: {{storefrontSecret: "{secret}"}})')
    entries, _ = log()
    assert len(entries) == 2
    for word in (secret, "new@shop", "hello@shop"):
        assert word not in json.dumps(entries)


def test_the_newest_comes_first_page_by_page(shop):
    # given
    for number in range(5):
        change(f'nudgeSettingsUpdate(channel: "c{number}", input: {{gap: 30}})')

    # when
    seen, after = [], None
    while True:
        nodes, page = log(first=2, after=after)
        seen += [node["target"] for node in nodes]
        after = page["endCursor"]
        if not page["hasNextPage"]:
            break

    # then
    assert seen == ["c4", "c3", "c2", "c1", "c0"]


def test_a_refused_change_is_not_there(shop):
    told('mutation { nudgeSettingsUpdate(channel: "c", input: {gap: 0}) { errors { field } } }')
    assert log()[0] == []


def test_only_who_may_change_settings_reads_it(shop):
    others = "MANAGE_CHECKOUTS,MANAGE_ORDERS,MANAGE_PRODUCTS,MANAGE_USERS"
    assert code_of(ask(LOG, may=others)) == "PermissionDenied"


def test_one_shop_reads_nothing_of_another(shop):
    change('nudgeSettingsUpdate(channel: "c", input: {gap: 30})', shop=shop)
    other = make_shop("other.example.com")
    assert AuditEntry.objects.of(shop).count() == 1
    assert told(LOG, shop=other)["edges"] == []
    assert len(told(LOG, shop=shop)["edges"]) == 1
