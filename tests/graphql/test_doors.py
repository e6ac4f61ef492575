"""Who may ask and change what, what is written down of it, and how a refusal reads."""

import json
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.test import Client

from saleor_nudges import access
from saleor_nudges.events.identity import uuid7
from saleor_nudges.graphql.schema import schema
from saleor_nudges.models import (
    AuditEntry,
    Campaign,
    CampaignStep,
    NudgeConfig,
    NudgeSettings,
    ProductReview,
    Shop,
    TrackedCheckout,
    WaitingEvent,
)
from saleor_nudges.recovery import campaigns
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    consume,
    left_behind,
    make_shop,
    switch_on_recovery,
)

pytestmark = pytest.mark.django_db

REVIEW = "01890000-0000-7000-8000-000000000009"
ALL = "MANAGE_CHECKOUTS,MANAGE_ORDERS,MANAGE_PRODUCTS,MANAGE_USERS,MANAGE_SETTINGS"

# Every seller field: the permission it needs, an operation that works, and for a mutation one
# that is refused with the field it names. A new field without a line here fails a test below.
QUERIES = {
    "nudgeConfigs": ("MANAGE_SETTINGS", '{ nudgeConfigs(channel: "c") { type } }'),
    "nudgeConfig": ("MANAGE_SETTINGS", '{ nudgeConfig(channel: "c", type: ORDER) { type } }'),
    "nudgeSettings": ("MANAGE_SETTINGS", '{ nudgeSettings(channel: "c") { channel } }'),
    "recoveryCampaigns": ("MANAGE_CHECKOUTS", "{ recoveryCampaigns { name } }"),
    "recoveryCampaign": ("MANAGE_CHECKOUTS", '{ recoveryCampaign(channel: "c") { name } }'),
    "eventArchives": ("MANAGE_SETTINGS", "{ eventArchives { edges { cursor } } }"),
    "abandonedCheckouts": ("MANAGE_CHECKOUTS", "{ abandonedCheckouts { edges { cursor } } }"),
    "abandonedCheckout": ("MANAGE_CHECKOUTS", '{ abandonedCheckout(id: "CHECKOUT") { id } }'),
    "recoveryExplain": (
        "MANAGE_CHECKOUTS",
        '{ recoveryExplain(email: "nobody@example.com") { gates { gate } } }',
    ),
    "recoverySimulate": (
        "MANAGE_CHECKOUTS",
        '{ recoverySimulate(campaign: "CAMPAIGN") { checkouts } }',
    ),
    "shopperTimeline": (
        "MANAGE_USERS",
        '{ shopperTimeline(email: "nobody@example.com") { cursor } }',
    ),
    "nudgePreview": (
        "MANAGE_SETTINGS",
        '{ nudgePreview(channel: "c", type: ORDER) { isSample } }',
    ),
    "nudgeEvidence": ("MANAGE_ORDERS", '{ nudgeEvidence(channel: "c") { edges { cursor } } }'),
    "auditLog": ("MANAGE_SETTINGS", "{ auditLog { edges { cursor } } }"),
    "messagingSettings": ("MANAGE_SETTINGS", "{ messagingSettings { senderName } }"),
    "productReviewSettings": ("MANAGE_SETTINGS", "{ productReviewSettings { ingestUrl } }"),
}
MUTATIONS = {
    "nudgeConfigUpdate": (
        "MANAGE_SETTINGS",
        'channel: "c", type: ORDER, input: {isEnabled: true}',
        'channel: "c", type: ORDER, input: {isEnabled: true, windowSeconds: 1}',
        "windowSeconds",
    ),
    "nudgeSettingsUpdate": (
        "MANAGE_SETTINGS",
        'channel: "c", input: {theme: DARK, isTrackingEnabled: false}',
        'channel: "c", input: {theme: DARK, isTrackingEnabled: false, initialDelay: 999}',
        "initialDelay",
    ),
    "recoveryCampaignUpdate": (
        "MANAGE_CHECKOUTS",
        'channel: "c", input: {name: "x", delaySeconds: 60}',
        'channel: "c", input: {name: "x", delaySeconds: 0}',
        "delaySeconds",
    ),
    "recoveryCampaignActivate": ("MANAGE_CHECKOUTS", 'channel: "c"', 'channel: ""', "channel"),
    "recoveryCampaignPause": ("MANAGE_CHECKOUTS", 'channel: "c"', 'channel: ""', "channel"),
    "recoveryCampaignCreate": (
        "MANAGE_CHECKOUTS",
        'channel: "c", preset: UNHURRIED, input: {priority: 3}',
        'channel: "c", input: {priority: 0}',
        "priority",
    ),
    "recoveryCampaignDelete": (
        "MANAGE_CHECKOUTS",
        'id: "SPARE"',
        'id: "CAMPAIGN"',
        "id",
    ),
    "recoverySendNow": (
        "MANAGE_CHECKOUTS",
        'checkout: "CHECKOUT"',
        'checkout: "CHECKOUT", campaign: "SPARE"',
        "campaign",
    ),
    "recoverySweep": (
        "MANAGE_CHECKOUTS",
        'campaign: "CAMPAIGN"',
        'campaign: "CAMPAIGN", batchSize: 0',
        "batchSize",
    ),
    "messagingSettingsUpdate": (
        "MANAGE_SETTINGS",
        'input: {senderName: "x"}',
        'input: {senderName: "x", senderEmail: "nobody"}',
        "senderEmail",
    ),
    "messagingConsentUpdate": (
        "MANAGE_CHECKOUTS",
        'channel: "c", email: "a@example.com", messageChannel: EMAIL, isGiven: true, source: "x"',
        'channel: "c", email: "nobody", messageChannel: EMAIL, isGiven: true, source: "x"',
        "email",
    ),
    "nudgePreviewLinkCreate": (
        "MANAGE_SETTINGS",
        'channel: "c", type: ORDER, url: "https://shop.example.com/"',
        'channel: "c", type: ORDER, url: "shop.example.com"',
        "url",
    ),
    "productReviewModerate": (
        "MANAGE_PRODUCTS",
        f'id: "{REVIEW}", state: APPROVED',
        f'id: "{REVIEW}", state: PENDING',
        "state",
    ),
    "productReviewReply": (
        "MANAGE_PRODUCTS",
        f'id: "{REVIEW}", text: "Thanks"',
        f'id: "{REVIEW}", text: "{"x" * 5001}"',
        "text",
    ),
    "productReviewSettingsUpdate": (
        "MANAGE_SETTINGS",
        f'input: {{ingestSecret: "{"s" * 32}"}}',
        f'input: {{ingestSecret: "{"s" * 31}"}}',
        "ingestSecret",
    ),
}
OPEN = {"nudges", "nudgeSessionCreate", "nudgeEventsTrack"}
OPEN |= {"productReviews", "productReviewCreate"}


@pytest.fixture
def shop():
    shop = make_shop()
    switch_on_recovery(shop)
    left_behind(shop)
    campaigns.create(shop, CHANNEL, {"name": "Spare"})
    ProductReview.objects.of(shop).create(
        pk=REVIEW,
        shop=shop,
        channel=CHANNEL,
        product_id=JUICE.id,
        rating=5,
        posted_at=datetime.now(UTC),
    )
    return shop


def post(data, **headers):
    headers = {"X-Test-Permissions": ALL, "X-Test-App": "1"} | headers
    body = data if isinstance(data, bytes) else json.dumps(data)
    return Client().post("/graphql/", body, content_type="application/json", headers=headers)


def ask(query, variables=None, **headers):
    answer = post({"query": query, "variables": variables}, **headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def mutation(name, arguments):
    return f"mutation {{ {name}({arguments}) {{ errors {{ field message code }} }} }}"


def filled(text, shop):
    """Return an operation with the names of this shop's rows in it."""
    names = {
        "CHECKOUT": TrackedCheckout.objects.of(shop).get().pk,
        "CAMPAIGN": Campaign.objects.of(shop).get(is_shipped=True, channel=CHANNEL).pk,
        "SPARE": Campaign.objects.of(shop).get(name="Spare").pk,
    }
    for name, pk in names.items():
        text = text.replace(name, str(pk))
    return text


def everything():
    models = apps.get_app_config("saleor_nudges").get_models()
    scoped = [m for m in models if m is not Shop]
    rows = {m.__name__: list(m._base_manager.values().order_by("pk")) for m in scoped}
    return rows | {"Shop": list(Shop.objects.values())}


def without(permission):
    return ",".join(name for name in ALL.split(",") if name != permission)


def test_every_seller_field_is_asked_here():
    built = schema()
    assert set(built.get_query_type().fields) - OPEN == set(QUERIES)
    assert set(built.get_mutation_type().fields) - OPEN == set(MUTATIONS)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_seller_asks_with_the_one_permission(name, shop):
    # given
    permission, query = QUERIES[name]
    query = filled(query, shop)
    before = everything()

    # when
    granted = ask(query, **{"X-Test-Permissions": permission, "X-Test-App": ""})
    refused = [ask(query, **{"X-Test-Permissions": given}) for given in ("", without(permission))]

    # then
    assert "errors" not in granted
    assert granted["data"][name] is not None or name == "recoveryCampaign"
    for answer in refused:
        assert answer["data"] in (None, {name: None})
        [error] = answer["errors"]
        assert error["extensions"]["exception"]["code"] == "PermissionDenied"
        assert permission in error["message"]
    assert everything() == before


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_mutation_without_its_permission_changes_nothing(name, shop):
    permission, good, _, _ = MUTATIONS[name]
    good, before = filled(good, shop), everything()
    for given in ("", without(permission)):
        answer = ask(mutation(name, good), **{"X-Test-Permissions": given})
        assert answer["data"] == {name: None}
        [error] = answer["errors"]
        assert error["extensions"]["exception"]["code"] == "PermissionDenied"
    assert everything() == before


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_mutation_writes_one_line_of_who_did_it(name, shop):
    permission, good, _, _ = MUTATIONS[name]
    answer = ask(mutation(name, filled(good, shop)), **{"X-Test-Permissions": permission})
    assert answer == {"data": {name: {"errors": []}}}
    entry = AuditEntry.objects.of(shop).get()
    assert (entry.actor, entry.action) == ("test", name[0].upper() + name[1:])
    assert "a@example.com" not in str(entry.after)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_refused_mutation_names_its_field_and_changes_nothing(name, shop):
    _, _, bad, field = MUTATIONS[name]
    bad, before = filled(bad, shop), everything()
    answer = ask(mutation(name, bad))
    [error] = answer["data"][name]["errors"]
    assert (error["field"], error["code"]) == (field, "INVALID")
    assert error["message"]
    assert everything() == before


def test_only_an_app_answers_for_a_person(shop):
    before = everything()
    _, good, _, _ = MUTATIONS["messagingConsentUpdate"]
    answer = ask(mutation("messagingConsentUpdate", good), **{"X-Test-App": ""})
    assert answer["data"] == {"messagingConsentUpdate": None}
    assert answer["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"
    assert everything() == before


LONG = "x" * 600


@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [
        ("recoveryCampaignUpdate", f'channel: "c", input: {{name: "{LONG}"}}', "name"),
        ("recoveryCampaignUpdate", f'channel: "c", input: {{subject: "{LONG}"}}', "subject"),
        ("recoveryCampaignUpdate", 'channel: "c", input: {html: "{% if %}"}', "html"),
        ("recoveryCampaignUpdate", f'channel: "{LONG}", input: {{}}', "channel"),
        ("messagingSettingsUpdate", f'input: {{senderName: "{LONG}"}}', "senderName"),
        ("messagingSettingsUpdate", 'input: {senderName: "a\\nBcc: b"}', "senderName"),
        ("messagingSettingsUpdate", f'input: {{senderEmail: "{LONG}@example.com"}}', "senderEmail"),
        ("messagingSettingsUpdate", 'input: {senderEmail: "größe@example.com"}', "senderEmail"),
        ("messagingSettingsUpdate", 'input: {senderEmail: "a>,b@example.com"}', "senderEmail"),
        ("messagingSettingsUpdate", "input: {legalBasis: NONE}", "legalBasis"),
        ("messagingSettingsUpdate", "input: {messageCaps: 5}", "messageCaps"),
        ("messagingSettingsUpdate", "input: {messageCaps: [{limit: 0}]}", "messageCaps[0].limit"),
        ("messagingSettingsUpdate", "input: {messageHours: {FAX: []}}", "messageHours"),
        ("messagingSettingsUpdate", 'input: {timezone: "Mars/Base"}', "timezone"),
        (
            "nudgeSettingsUpdate",
            f'channel: "c", input: {{productUrl: "https://{LONG}"}}',
            "productUrl",
        ),
        ("nudgeSettingsUpdate", 'channel: "c", input: {productUrl: "javascript:x"}', "productUrl"),
        ("nudgeSettingsUpdate", 'channel: "c", input: {checkoutUrl: "https://x/"}', "checkoutUrl"),
        ("nudgeSettingsUpdate", 'channel: "c", input: {highlightColor: "red"}', "highlightColor"),
    ],
)
def test_what_a_seller_may_not_choose(name, arguments, field, shop):
    before = everything()
    answer = ask(mutation(name, arguments))
    assert [e["field"] for e in answer["data"][name]["errors"]] == [field]
    assert everything() == before


@pytest.mark.parametrize(
    ("_case", "changes", "field"),
    [
        ("no_basis", {"legal_basis": "NONE"}, "legalBasis"),
        ("nobody_sends", {"sender_email": ""}, "senderEmail"),
        ("sending_off", {"sending_since": None}, "isSendingEnabled"),
        ("elsewhere", {"sending_installation": "x"}, "isSendingEnabled"),
    ],
)
def test_a_campaign_is_not_activated_before_it_could_send(_case, changes, field, shop):
    Shop.objects.update(**changes)
    answer = ask(mutation("recoveryCampaignActivate", 'channel: "other"'))
    assert [e["field"] for e in answer["data"]["recoveryCampaignActivate"]["errors"]] == [field]
    assert Campaign.objects.of(shop).filter(channel="other").count() == 0


def test_what_was_changed_is_there(shop):
    ask(mutation("nudgeConfigUpdate", 'channel: "c", type: ORDER, input: {minimum: 3}'))
    ask(mutation("nudgeSettingsUpdate", 'channel: "c", input: {gap: 33}'))
    ask(mutation("recoveryCampaignUpdate", 'channel: "c", input: {delaySeconds: 61}'))
    campaign = Campaign.objects.of(shop).get(channel="c")
    assert NudgeConfig.objects.of(shop).get(channel="c").minimum == 3
    assert NudgeSettings.objects.of(shop).get(channel="c").gap == 33
    assert CampaignStep.objects.of(shop).get(campaign=campaign, number=1).delay_seconds == 61
    assert campaign.state == "DRAFT"


def test_sending_is_off_until_switched_on_and_chosen():
    shop = make_shop(sender_email="")
    for arguments, field in [
        ("input: {isSendingEnabled: true}", "senderEmail"),
        ('input: {isSendingEnabled: true, senderEmail: "a@example.com"}', "legalBasis"),
    ]:
        answer = ask(mutation("messagingSettingsUpdate", arguments))
        assert answer["data"]["messagingSettingsUpdate"]["errors"][0]["field"] == field
        assert Shop.objects.get(pk=shop.pk).sending_since is None
    good = 'isSendingEnabled: true, senderEmail: "a@example.com", legalBasis: CONSENT'
    ask(mutation("messagingSettingsUpdate", f"input: {{{good}}}"))
    assert Shop.objects.get(pk=shop.pk).sending_since is not None


# What shoppers do.


def test_a_visitor_gets_a_token_and_reports(shop):
    anonymous = {"X-Test-Permissions": "", "X-Test-App": ""}
    query = "mutation { nudgeSessionCreate { token errors { code } } }"
    token = ask(query, **anonymous)["data"]["nudgeSessionCreate"]["token"]
    assert access.read_visitor(token, shop.pk)
    query = """mutation($token: String!, $events: [NudgeEventInput!]!) {
        nudgeEventsTrack(token: $token, events: $events) {
            accepted rejected { index code } errors { code } } }"""
    now = datetime.now(UTC)
    good = {
        "id": str(uuid7(now)),
        "kind": "product_viewed",
        "at": now.isoformat(),
        "channel": CHANNEL,
        "product": JUICE.id,
    }
    events = [good, good | {"kind": "nonsense"}]
    answer = ask(query, {"token": token, "events": events}, **anonymous)
    assert answer["data"]["nudgeEventsTrack"] == {
        "accepted": 1,
        "rejected": [{"index": 1, "code": "INVALID_EVENT"}],
        "errors": [],
    }
    assert AuditEntry.objects.of(shop).count() == 0
    consume()


def test_a_forged_token_reports_nothing(shop):
    query = 'mutation { nudgeEventsTrack(token: "x", events: []) { accepted errors { code } } }'
    answer = ask(query)["data"]["nudgeEventsTrack"]
    assert answer == {"accepted": None, "errors": [{"code": "BAD_SIGNATURE"}]}


def test_while_nobody_is_watched_a_visitor_gets_no_token(shop):
    Shop.objects.update(tracking_since=None)
    query = "mutation { nudgeSessionCreate { token errors { code message } } }"
    answer = ask(query)
    assert answer["data"]["nudgeSessionCreate"] == {
        "token": None,
        "errors": [{"code": "INVALID", "message": "Nobody is watched here."}],
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('channel: ""', "Refused"),
        ('channel: "c", first: -1', "Refused"),
        ('channel: "c", first: 21', "Refused"),
        ('channel: "c", token: "forged"', "Refused"),
        ('channel: "c", checkout: "Q2hlY2tvdXQ6"', "Refused"),
    ],
)
def test_a_bad_question_for_nudges_is_refused(arguments, code, shop):
    answer = ask(f"{{ nudges({arguments}) {{ pollAfter }} }}")
    assert answer["data"] in (None, {"nudges": None})
    assert [e["extensions"]["exception"]["code"] for e in answer["errors"]] == [code]


@pytest.mark.parametrize(
    "query",
    [
        "{ abandonedCheckouts(first: 0) { edges { cursor } } }",
        "{ abandonedCheckouts(first: 101) { edges { cursor } } }",
        '{ abandonedCheckouts(after: "é") { edges { cursor } } }',
        '{ abandonedCheckouts(after: "AAAA") { edges { cursor } } }',
        "{ auditLog(first: 0) { edges { cursor } } }",
        '{ abandonedCheckout(id: "1") { id } }',
        '{ abandonedCheckout(id: "01890000-0000-7000-8000-000000000001") { id } }',
    ],
)
def test_a_bad_question_of_a_seller_is_refused(query, shop):
    answer = ask(query)
    assert [e["extensions"]["exception"]["code"] for e in answer["errors"]] == ["Refused"]
    assert answer["errors"][0]["message"] != "Internal Server Error"


def test_the_checkouts_come_page_by_page(shop):
    for number in range(4):
        left_behind(shop, email=f"anna{number}@example.com")
    seen, after = [], ""
    for _ in range(3):
        query = f'{{ abandonedCheckouts(first: 2, after: "{after}") {{ edges {{ node {{ id }} }}'
        found = ask(query + " pageInfo { hasNextPage endCursor } } }")["data"]["abandonedCheckouts"]
        seen += [edge["node"]["id"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"]
    assert found["pageInfo"]["hasNextPage"] is False
    expected = TrackedCheckout.objects.of(shop).order_by("-id").values_list("pk", flat=True)
    assert seen == [str(pk) for pk in expected]


# The door itself.


@pytest.mark.parametrize(
    ("_case", "data"),
    [
        ("no_json", b"{"),
        ("no_object", []),
        ("no_query", {}),
        ("query_as_list", {"query": ["{ auditLog { edges { cursor } } }"]}),
        ("no_graphql", {"query": "{"}),
        ("too_deep", {"query": "{a" * 13 + "}" * 13}),
        ("far_too_deep", {"query": "{a" * 20_000}),
        ("deep_list", {"query": "{a(b:" + "[" * 20_000}),
        ("deep_json", b'{"query": ' + b"[" * 50_000),
        ("too_large", {"query": "{ a }" + " " * 256 * 1024}),
        ("variables_as_list", {"query": "{ auditLog { edges { cursor } } }", "variables": [1]}),
        ("variables_as_text", {"query": "{ auditLog { edges { cursor } } }", "variables": "x"}),
        ("operation_as_list", {"query": "{ auditLog { edges { cursor } } }", "operationName": [1]}),
        ("nul", {"query": '{ nudges(channel: "\\u0000") { pollAfter } }'}),
        (
            "nul_in_variables",
            {
                "query": "query($c: String!) { nudges(channel: $c) { pollAfter } }",
                "variables": {"c": "\0"},
            },
        ),
        (
            "half_a_character",
            {
                "query": "query($c: String!) { nudges(channel: $c) { pollAfter } }",
                "variables": {"c": "\ud800"},
            },
        ),
    ],
)
def test_what_is_no_operation_is_a_bad_request(_case, data, shop):
    answer = post(data)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]


def test_a_failure_of_ours_is_not_told(shop, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("saleor_nudges.graphql.audit.page", fail)
    answer = ask("{ auditLog { edges { cursor } } }")
    assert [error["message"] for error in answer["errors"]] == ["Internal Server Error"]
    assert "secret" not in json.dumps(answer)


def test_introspection_works(shop):
    from graphql import introspection_query

    assert "errors" not in ask(introspection_query)


def test_nothing_waits_after_all_this(shop):
    consume()
    assert WaitingEvent.objects.of(shop).count() == 0
