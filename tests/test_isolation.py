"""A second shop tries everything: it reads and changes nothing of the first."""

import json
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.test import Client

from saleor_nudges import access, crypto, people
from saleor_nudges.capture import capture
from saleor_nudges.exceptions import BadSignature, UnscopedQuery
from saleor_nudges.graphql.schema import schema
from saleor_nudges.messaging import consents
from saleor_nudges.messaging.channels.memory import SENT
from saleor_nudges.models import (
    AuditEntry,
    Campaign,
    EventArchive,
    Evidence,
    HeldBatch,
    MessageChannel,
    Nudge,
    NudgeConfig,
    NudgeType,
    Person,
    ProductReview,
    Send,
    Shop,
    TrackedCheckout,
    VisitorCheckout,
    VisitorSketch,
    WaitingEvent,
)
from saleor_nudges.models.base import ScopedManager
from saleor_nudges.nudges import configs
from saleor_nudges.nudges.choose import Ask, choose
from saleor_nudges.recovery.sending import detect
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.recovery.way_back import links
from saleor_nudges.testing import (
    CHANNEL,
    JUICE,
    a_checkout,
    caught_up,
    checkout_seen,
    consume,
    left_behind,
    make_shop,
    order_placed,
    switch_on_nudge,
    switch_on_recovery,
    viewed,
)

MODELS = list(apps.get_app_config("saleor_nudges").get_models())
OF_A_SHOP = [m for m in MODELS if any(field.name == "shop" for field in m._meta.get_fields())]
EVERYTHING = ",".join(
    f"MANAGE_{name}" for name in ("CHECKOUTS", "ORDERS", "PRODUCTS", "USERS", "SETTINGS")
)
# What only the first shop has, so that finding it in an answer is a leak.
MARK = "first-shop-only"


def test_every_table_belongs_to_a_shop():
    # A batch is what one worker holds of all shops, by ids only.
    assert [model for model in MODELS if model not in OF_A_SHOP] == [HeldBatch, Shop]


@pytest.mark.parametrize("model", OF_A_SHOP, ids=lambda model: model.__name__)
@pytest.mark.parametrize(
    ("_case", "ask"),
    [
        ("all", lambda objects: objects.all()),
        ("filter", lambda objects: objects.filter(pk=None)),
        ("get", lambda objects: objects.get(pk=None)),
        ("exclude", lambda objects: objects.exclude(pk=None)),
        ("first", lambda objects: objects.first()),
        ("count", lambda objects: objects.count()),
        ("create", lambda objects: objects.create()),
        ("get_or_create", lambda objects: objects.get_or_create()),
        ("update", lambda objects: objects.update(pk=None)),
        ("values", lambda objects: objects.values()),
        ("raw", lambda objects: objects.get_queryset()),
        ("default_manager", lambda objects: objects.model._default_manager.all()),
    ],
)
def test_no_query_forgets_its_shop(_case, ask, model):
    assert isinstance(model.objects, ScopedManager)
    with pytest.raises(UnscopedQuery):
        ask(model.objects)


@pytest.fixture
def first():
    """A shop with everything in it."""
    shop = make_shop("first.example.com", name=MARK, sender_email=f"{MARK}@example.com")
    for kind in NudgeType:
        switch_on_nudge(shop, kind, texts={"en": MARK})
    switch_on_recovery(shop, name=MARK)
    buyer = a_checkout(shop, email=f"{MARK}-buyer@example.com", city=MARK)
    checkout_seen(shop, buyer)
    order_placed(shop, buyer)
    capture(
        *[
            viewed(shop, JUICE.id, checkout=crypto.checkout_hash(str(n)) if n else "")
            for n in range(9)
        ]
    )
    consume()
    left_behind(shop, email=f"{MARK}@example.com")
    now = datetime.now(UTC)
    ProductReview.objects.of(shop).create(
        shop=shop,
        channel=CHANNEL,
        product_id=JUICE.id,
        rating=5,
        text=MARK,
        posted_at=now,
        state="APPROVED",
    )
    Shop.objects.filter(pk=shop.pk).update(sealed_reviews_secret=crypto.seal(MARK * 3))
    EventArchive.objects.of(shop).create(
        shop=shop,
        table="views",
        start=now,
        end=now,
        partition_start=now,
        partition_end=now,
        key=MARK,
        format="csv.gz",
        schema_version=1,
    )
    return shop


@pytest.fixture
def second(first):
    """A shop with nothing in it, whose people may do everything there."""
    return make_shop(
        "second.example.com",
        checkout_url="https://second.example.com/{checkout}",
        product_url="",
        name="second",
    )


def dump(shop):
    """Return every row of a shop, to compare."""
    rows = {
        model.__name__: list(model.objects.of(shop).values().order_by("pk")) for model in OF_A_SHOP
    }
    return rows | {"Shop": Shop.objects.filter(pk=shop.pk).values().get()}


def ask(shop, query, **headers):
    headers = {"X-Test-Permissions": EVERYTHING, "X-Test-App": "1"} | headers
    body = json.dumps({"query": query})
    response = Client().post(
        f"/graphql/?shop={shop.public_id}", body, content_type="application/json", headers=headers
    )
    assert response.status_code == 200, response.content
    return response.json()


# Each field of the schema with an attack on the first shop, and what the second is answered.
# A new field without a case here fails `test_every_field_is_attacked`.
QUERIES = {
    "nudges": (
        """{{ nudges(channel: "{channel}", page: PRODUCT, productId: "{product}") {{
            nudges {{ id text }} pollAfter }} }}""",
        {"nudges": {"nudges": [], "pollAfter": None}},
    ),
    "nudgeConfigs": (
        '{{ nudgeConfigs(channel: "{channel}") {{ isEnabled }} }}',
        {"nudgeConfigs": [{"isEnabled": False}] * 9},
    ),
    "nudgeConfig": (
        '{{ nudgeConfig(channel: "{channel}", type: ORDER) {{ isEnabled }} }}',
        {"nudgeConfig": {"isEnabled": False}},
    ),
    "nudgeSettings": (
        '{{ nudgeSettings(channel: "{channel}") {{ channel productUrl checkoutUrl }} }}',
        {
            "nudgeSettings": {
                "channel": CHANNEL,
                "productUrl": "",
                "checkoutUrl": "https://second.example.com/{checkout}",
            }
        },
    ),
    "productReviews": (
        """{{ productReviews(channel: "{channel}", productId: "{product}") {{
            totalCount averageRating edges {{ node {{ text }} }} }} }}""",
        {"productReviews": {"totalCount": 0, "averageRating": None, "edges": []}},
    ),
    "productReviewSettings": (
        "{{ productReviewSettings {{ isIngestEnabled }} }}",
        {"productReviewSettings": {"isIngestEnabled": False}},
    ),
    "recoveryCampaigns": ("{{ recoveryCampaigns {{ name }} }}", {"recoveryCampaigns": []}),
    "recoveryCampaign": (
        '{{ recoveryCampaign(channel: "{channel}") {{ name }} }}',
        {"recoveryCampaign": None},
    ),
    "eventArchives": (
        "{{ eventArchives(first: 100) {{ edges {{ node {{ key }} }} }} }}",
        {"eventArchives": {"edges": []}},
    ),
    "abandonedCheckouts": (
        "{{ abandonedCheckouts(first: 100) {{ edges {{ node {{ id sends {{ state }} }} }} }} }}",
        {"abandonedCheckouts": {"edges": []}},
    ),
    "abandonedCheckout": (
        '{{ abandonedCheckout(id: "{checkout}") {{ id total {{ amount }} sends {{ state }} }} }}',
        {"abandonedCheckout": None},
    ),
    "recoveryExplain": (
        '{{ recoveryExplain(checkout: "{checkout}") {{ checkout {{ id }} }} }}',
        {"recoveryExplain": {"checkout": None}},
    ),
    "shopperTimeline": (
        '{{ shopperTimeline(email: "{mark}@example.com") {{ entries {{ text }} }} }}',
        {"shopperTimeline": {"entries": []}},
    ),
    "recoverySimulate": (
        '{{ recoverySimulate(campaign: "{campaign}") {{ checkouts }} }}',
        {"recoverySimulate": None},
    ),
    "nudgePreview": (
        """{{ nudgePreview(channel: "{channel}", type: ORDER, input: {{isAnonymous: false}}) {{
            isSample nudge {{ title }} }} }}""",
        {"nudgePreview": {"isSample": True, "nudge": {"title": "Apple Juice"}}},
    ),
    "nudgeEvidence": (
        """{{ nudgeEvidence(channel: "{channel}", productId: "{product}") {{
            edges {{ node {{ value sourceEventId }} }} }} }}""",
        {"nudgeEvidence": {"edges": []}},
    ),
    "auditLog": (
        "{{ auditLog {{ edges {{ node {{ actor action target before after }} }} }} }}",
        {"auditLog": {"edges": []}},
    ),
    "messagingSettings": (
        "{{ messagingSettings {{ senderName isSendingEnabled legalBasis }} }}",
        {
            "messagingSettings": {
                "senderName": "",
                "isSendingEnabled": False,
                "legalBasis": "NONE",
            }
        },
    ),
}
MUTATIONS = {
    "nudgeConfigUpdate": (
        'mutation {{ nudgeConfigUpdate(channel: "{channel}", type: ORDER,'
        " input: {{isEnabled: false, windowSeconds: 61}}) {{ errors {{ code }} }} }}"
    ),
    "nudgeSettingsUpdate": (
        'mutation {{ nudgeSettingsUpdate(channel: "{channel}", input: {{isTrackingEnabled: false,'
        ' theme: DARK, checkoutUrl: "https://evil.example.com/{{checkout}}"}})'
        " {{ errors {{ code }} }} }}"
    ),
    "nudgePreviewLinkCreate": (
        'mutation {{ nudgePreviewLinkCreate(channel: "{channel}", type: ORDER,'
        ' url: "https://evil.example.com/") {{ link errors {{ code }} }} }}'
    ),
    "nudgeSessionCreate": (
        'mutation {{ nudgeSessionCreate(token: "{token}") {{ errors {{ code }} }} }}'
    ),
    "nudgeEventsTrack": (
        'mutation {{ nudgeEventsTrack(token: "{token}", events: []) {{ errors {{ code }} }} }}'
    ),
    "productReviewCreate": (
        'mutation {{ productReviewCreate(channel: "{channel}", productId: "{product}",'
        ' token: "{token}", input: {{rating: 1}}) {{ errors {{ code }} }} }}'
    ),
    "productReviewModerate": (
        'mutation {{ productReviewModerate(id: "{review}", state: REJECTED)'
        " {{ errors {{ code }} }} }}"
    ),
    "productReviewReply": (
        'mutation {{ productReviewReply(id: "{review}", text: "x") {{ errors {{ code }} }} }}'
    ),
    "productReviewSettingsUpdate": (
        'mutation {{ productReviewSettingsUpdate(input: {{ingestSecret: ""}})'
        " {{ errors {{ code }} }} }}"
    ),
    "recoveryCampaignUpdate": (
        'mutation {{ recoveryCampaignUpdate(channel: "{channel}", input: {{delaySeconds: 1}})'
        " {{ errors {{ code }} }} }}"
    ),
    "recoveryCampaignActivate": (
        'mutation {{ recoveryCampaignActivate(channel: "{channel}") {{ errors {{ code }} }} }}'
    ),
    "recoveryCampaignPause": (
        'mutation {{ recoveryCampaignPause(channel: "{channel}") {{ errors {{ code }} }} }}'
    ),
    "recoveryCampaignCreate": (
        'mutation {{ recoveryCampaignCreate(channel: "{channel}") {{ errors {{ code }} }} }}'
    ),
    "recoveryCampaignDelete": (
        'mutation {{ recoveryCampaignDelete(id: "{campaign}") {{ errors {{ code }} }} }}'
    ),
    "recoverySendNow": (
        'mutation {{ recoverySendNow(checkout: "{checkout}") {{ errors {{ code }} }} }}'
    ),
    "recoverySweep": (
        'mutation {{ recoverySweep(campaign: "{campaign}") {{ errors {{ code }} }} }}'
    ),
    "messagingSettingsUpdate": (
        'mutation {{ messagingSettingsUpdate(input: {{senderName: "x", isSendingEnabled: false}})'
        " {{ errors {{ code }} }} }}"
    ),
    "messagingConsentUpdate": (
        'mutation {{ messagingConsentUpdate(channel: "{channel}", email: "{mark}@example.com",'
        ' messageChannel: EMAIL, isGiven: false, source: "x") {{ errors {{ code }} }} }}'
    ),
}


def test_every_field_is_attacked():
    built = schema()
    assert set(built.get_query_type().fields) == set(QUERIES)
    assert set(built.get_mutation_type().fields) == set(MUTATIONS)


def filled(template, first):
    return template.format(
        channel=CHANNEL,
        product=JUICE.id,
        checkout=TrackedCheckout.objects.of(first).first().pk,
        campaign=Campaign.objects.of(first).first().pk,
        review=ProductReview.objects.of(first).get().pk,
        token=access.visitor_token(access.new_visitor(first.pk)),
        mark=MARK,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("field", sorted(QUERIES))
def test_no_query_reads_another_shop(field, first, second):
    # given
    query, expected = QUERIES[field]
    before = dump(first)

    # when
    answer = ask(second, filled(query, first))

    # then
    assert answer["data"] == expected
    assert MARK not in json.dumps(answer)
    assert dump(first) == before


@pytest.mark.django_db
@pytest.mark.parametrize("field", sorted(MUTATIONS))
def test_no_mutation_changes_another_shop(field, first, second):
    # given
    before = dump(first)

    # when
    answer = ask(second, filled(MUTATIONS[field], first))
    consume()

    # then
    assert "errors" not in answer, answer
    assert MARK not in json.dumps(answer)
    assert dump(first) == before


@pytest.mark.django_db
@pytest.mark.parametrize("field", sorted(QUERIES))
def test_the_attacks_would_show_what_there_is(field, first):
    # The same question by the shop itself finds something: so an empty answer above means refused.
    query, empty = QUERIES[field]
    if field == "auditLog":
        ask(first, filled(MUTATIONS["recoveryCampaignPause"], first))
    assert ask(first, filled(query, first))["data"] != empty


# Tokens and links.


@pytest.mark.django_db
def test_a_visitor_of_one_shop_is_nobody_in_another(first, second):
    token = access.visitor_token(access.new_visitor(first.pk))
    with pytest.raises(BadSignature):
        access.read_visitor(token, second.pk)
    query = {"shop": second.public_id, "channel": CHANNEL, "token": token}
    assert Client().get("/v1/nudges", query).status_code == 401
    body = json.dumps({"token": token, "events": []})
    url = f"/v1/events?shop={second.public_id}"
    assert Client().post(url, body, content_type="text/plain").status_code == 401


@pytest.mark.django_db
def test_a_session_renewed_at_another_shop_is_another_visitor(first, second):
    visitor = access.new_visitor(first.pk)
    body = json.dumps({"token": access.visitor_token(visitor)})
    answer = Client().post(f"/v1/session?shop={second.public_id}", body, content_type="text/plain")
    assert answer.status_code == 200
    fresh = access.read_visitor(answer.json()["token"], second.pk)
    assert fresh.id != visitor.id


@pytest.mark.django_db
def test_events_of_one_shop_count_in_no_other(first, second):
    # given
    for kind in NudgeType:
        switch_on_nudge(second, kind)
    visitors = list(VisitorSketch.objects.of(first).values_list("hashes", flat=True))

    # when
    capture(*[viewed(second, JUICE.id) for _ in range(7)])
    consume()

    # then
    assert list(VisitorSketch.objects.of(first).values_list("hashes", flat=True)) == visitors
    # Of the product, and of the whole channel.
    assert [len(sketch) for sketch in visitors] == [9 * 8, 9 * 8]
    feed = choose(second, Ask(CHANNEL, "PRODUCT", JUICE.id), datetime.now(UTC))
    assert [shown.value for shown in feed.nudges] == [7]


@pytest.mark.django_db
@pytest.mark.parametrize("url", [links.return_url, links.unsubscribe_url])
def test_a_link_touches_only_the_shop_it_is_of(url, first, second):
    # given a message in each shop, to the same person
    switch_on_recovery(second)
    left_behind(second, email=f"{MARK}@example.com")
    sending.send_due()
    before = dump(first)
    send = Send.objects.of(second).get()

    # when
    path, _, _ = url(send).removeprefix("https://nudges.example.com").partition("?")
    assert Client().post(f"{path}?shop={first.public_id}").status_code in (200, 303)
    consume()

    # then
    assert dump(first) == before


@pytest.mark.django_db
def test_an_answer_or_an_erasure_in_one_shop_is_none_in_another(first, second):
    # given the same person in both
    switch_on_recovery(second)
    left_behind(second, email=f"{MARK}@example.com")
    before = dump(first)
    there = Person.objects.of(second).get()

    # when
    consents.unsubscribe(second, there, MessageChannel.EMAIL, datetime.now(UTC))
    people.erase(there)

    # then
    assert dump(first) == before
    assert sending.send_due() == 1
    assert [message.to for message in SENT] == [f"{MARK}@example.com"]


@pytest.mark.django_db
def test_an_order_in_one_shop_stops_no_message_in_another(first, second):
    order_placed(second, a_checkout(second, email=f"{MARK}@example.com"))
    assert sending.send_due() == 1


@pytest.mark.django_db
def test_the_checkout_hash_of_another_shop_hides_nothing(first, second):
    # given
    switch_on_nudge(second, NudgeType.ORDER)
    order_placed(second, a_checkout(second, email="bert@example.com"))
    theirs = TrackedCheckout.objects.of(first).first().checkout
    VisitorCheckout.objects.of(first).first()

    # when
    feed = choose(second, Ask(CHANNEL, "HOME", checkout=theirs), datetime.now(UTC))

    # then
    assert len(feed.nudges) == 1


@pytest.mark.django_db
def test_only_the_shops_own_campaign_is_swept(first, second):
    switch_on_recovery(second)
    checkout_seen(second, a_checkout(second, email="bert@example.com"))
    caught_up(second)
    assert detect.detect() == 1
    assert sorted(Send.objects.of(second).values_list("channel", flat=True)) == [CHANNEL]
    assert Send.objects.of(first).count() == 1


@pytest.mark.django_db
def test_the_first_shop_really_has_something_of_everything(first):
    configs.change_settings(first, CHANNEL, {"gap": 13})
    for model in (NudgeConfig, Evidence, Nudge, Person, TrackedCheckout, Send, VisitorCheckout):
        assert model.objects.of(first).exists(), model
    assert WaitingEvent.objects.of(first).count() == 0
    assert AuditEntry.objects.of(first).count() == 0
