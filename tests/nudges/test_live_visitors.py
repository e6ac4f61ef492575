"""How many look at a product right now: true, without the reader, in every language, with proof."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from saleor_nudges import live
from saleor_nudges.asgi import pages
from saleor_nudges.asgi.requests import Caller, feed_of
from saleor_nudges.capture import capture
from saleor_nudges.events import Flow, LiveMeasured, ProductWithdrawn
from saleor_nudges.exceptions import StreamUnavailable
from saleor_nudges.models import Evidence, Nudge, NudgeType, Shop, ShopProduct, ViewEvent
from saleor_nudges.nudges.boards import build
from saleor_nudges.nudges.choose import Ask
from saleor_nudges.nudges.kinds import live_visitors
from saleor_nudges.nudges.kinds.live_visitors import LiveVisitorsKind, card_of
from saleor_nudges.stream import get_stream
from saleor_nudges.testing import CHANNEL, JUICE, consume, make_shop, switch_on_nudge

pytestmark = pytest.mark.django_db

BROWSER = Caller(agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
GOOGLEBOT = Caller(agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://google.com/bot.html)")


@pytest.fixture(autouse=True)
def _nobody_here(monkeypatch):
    monkeypatch.setattr(live, "HERE", live.Here())
    monkeypatch.setattr("saleor_nudges.asgi.looking.HERE", live.HERE)
    pages._counting.clear()
    live_visitors._reported.clear()


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1_700_000_000.0

        def time(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr("saleor_nudges.asgi.looking.time", clock)
    monkeypatch.setattr("saleor_nudges.asgi.pages.time", clock)
    return clock


@pytest.fixture
def shop() -> Shop:
    shop = make_shop()
    switch_on_nudge(shop, NudgeType.LIVE_VISITORS)
    return shop


def look(shop, visitor=None, caller=BROWSER, now=None, **ask):
    asked = {"channel": CHANNEL, "page": "PRODUCT", "product": JUICE.id, "visitor": visitor} | ask
    return feed_of(shop, Ask(**asked), now or datetime.now(UTC), caller).as_json()["nudges"]


def texts(nudges):
    return [nudge["text"] for nudge in nudges]


def crowd(shop, count, first=1, **ask):
    look(shop)  # the process learns that visitors are counted here
    people = [UUID(int=number) for number in range(first, first + count)]
    for visitor in people:
        look(shop, visitor, **ask)
    return people


# Said.


def test_the_reader_is_not_one_of_them(shop):
    people = crowd(shop, 4)
    assert texts(look(shop, people[0])) == ["3 people are looking at this right now"]
    # Who gives no token was counted by none: for everybody all four are there.
    assert texts(look(shop)) == ["4 people are looking at this right now"]


def test_too_few_are_not_said(shop):
    people = crowd(shop, 3)
    assert look(shop, people[0]) == []
    assert texts(look(shop)) == ["3 people are looking at this right now"]


def test_more_than_the_sellers_maximum_are_not_said(shop):
    switch_on_nudge(shop, NudgeType.LIVE_VISITORS, maximum=4)
    people = crowd(shop, 5)
    assert look(shop) == []
    assert texts(look(shop, people[0])) == ["4 people are looking at this right now"]


@pytest.mark.parametrize(
    ("language", "count", "text"),
    [
        ("en", 1, "1 person is looking at this right now"),
        ("en", 2, "2 people are looking at this right now"),
        ("de", 1, "1 Person sieht sich das gerade an"),
        ("de", 12, "12 Personen sehen sich das gerade an"),
        ("pl", 1, "1 osoba ogląda to teraz"),
        ("pl", 2, "2 osoby oglądają to teraz"),
        ("pl", 5, "5 osób ogląda to teraz"),
        ("pl", 12, "12 osób ogląda to teraz"),
        ("pl", 21, "21 osób ogląda to teraz"),
        ("pl", 22, "22 osoby oglądają to teraz"),
        ("pl", 112, "112 osób ogląda to teraz"),
        ("pl", 124, "124 osoby oglądają to teraz"),
    ],
)
def test_every_number_has_its_plural(language, count, text, shop):
    switch_on_nudge(shop, NudgeType.LIVE_VISITORS, minimum=1)
    board = build(shop, CHANNEL, JUICE.id, datetime.now(UTC))
    card = card_of(board.live, count, datetime.now(UTC))
    assert card.texts[language] == text


def test_the_sellers_words(shop):
    # given
    ShopProduct.objects.of(shop).create(
        shop=shop,
        channel=CHANNEL,
        product_id=JUICE.id,
        name=JUICE.name,
        is_available=True,
        seen_at=datetime.now(UTC),
    )
    words = "{{ count }} are looking at {{ product }} now"
    switch_on_nudge(shop, NudgeType.LIVE_VISITORS, texts={"en": words})

    # then
    crowd(shop, 7)
    assert texts(look(shop)) == ["7 are looking at Apple Juice now"]
    assert texts(look(shop, language="de")) == ["7 Personen sehen sich das gerade an"]


def test_what_a_page_reads(shop):
    crowd(shop, 3)
    now = datetime.now(UTC)
    [nudge] = look(shop, now=now)
    assert {name: nudge[name] for name in ("type", "category", "slot", "occurredAt")} == {
        "type": "LIVE_VISITORS",
        "category": "POPULARITY",
        "slot": "TOAST",
        "occurredAt": None,
    }
    assert nudge["product"]["id"] == JUICE.id
    assert nudge["evidence"] == {
        "metric": "live_visitors",
        "value": 3,
        "windowSeconds": 10,
        "computedAt": now.isoformat(),
    }
    assert nudge["id"] == live_visitors.public_id_of(shop, CHANNEL, JUICE.id)
    assert look(shop, exclude=(nudge["id"],)) == []


# Counted.


def test_gone_ten_seconds_after_the_last_beat(shop, clock):
    people = crowd(shop, 5)
    clock.now += 5
    for visitor in people[:3]:
        look(shop, visitor)
    assert texts(look(shop)) == ["5 people are looking at this right now"]
    clock.now += 4.5
    assert texts(look(shop)) == ["3 people are looking at this right now"]
    clock.now += 5
    assert look(shop) == []


@pytest.mark.parametrize(
    ("_case", "ask", "caller"),
    [
        ("crawler", {}, GOOGLEBOT),
        ("another_product", {"product": "another"}, BROWSER),
        ("another_channel", {"channel": "another"}, BROWSER),
        ("no_product", {"product": ""}, BROWSER),
        ("another_page", {"page": "CART"}, BROWSER),
        ("no_token", {"visitor": None}, BROWSER),
    ],
)
def test_who_is_not_counted(_case, ask, caller, shop):
    # given
    crowd(shop, 3)

    # when
    look(shop, uuid4(), caller=caller)
    look(shop, **({"visitor": uuid4(), "caller": caller} | ask))

    # then
    expected = 3 if "crawler" in _case else 4
    assert texts(look(shop)) == [f"{expected} people are looking at this right now"]


@pytest.mark.parametrize("switch", ["kind_off", "not_watching"])
def test_nobody_is_counted_before_the_seller_says_so(switch, shop):
    # given
    if switch == "kind_off":
        switch_on_nudge(shop, NudgeType.LIVE_VISITORS, is_enabled=False)
    else:
        shop.tracking_since = None

    # then
    crowd(shop, 5)
    assert live.HERE.last == {}


def test_only_beside_a_product_that_can_be_bought(shop):
    crowd(shop, 5)
    switch_on_nudge(shop, NudgeType.LIVE_VISITORS, excluded={"products": [JUICE.id]})
    assert look(shop) == []


# Proven.


def told(shop):
    rows = Evidence.objects.of(shop).order_by("pk")
    return [(row.value, row.threshold, row.maximum, row.metric) for row in rows]


def test_what_a_page_was_told_is_proven(shop):
    # given
    crowd(shop, 12)
    now = datetime.now(UTC)
    [nudge] = look(shop, now=now)

    # when
    consume()

    # then
    proofs = Evidence.objects.of(shop).filter(
        type=NudgeType.LIVE_VISITORS, channel=CHANNEL, product_id=JUICE.id, value=12
    )
    proof = proofs.get()
    assert abs(proof.computed_at - now) < timedelta(seconds=2)
    assert (proof.threshold, proof.window_seconds) == (3, 10)
    assert proof.rule_version == LiveVisitorsKind.rule_version
    row = Nudge.objects.of(shop).get(public_id=nudge["id"])
    assert (row.type, row.product_id, row.value, row.evidence) == (
        "LIVE_VISITORS",
        JUICE.id,
        12,
        proof,
    )
    # It is a name for its proofs, and nothing a board shows.
    assert build(shop, CHANNEL, JUICE.id, datetime.now(UTC)).cards["LIVE_VISITORS"] == ()


def test_a_number_is_proven_once_in_fifteen_seconds(shop):
    # given
    start = datetime(2026, 1, 1, 14, 2, 0, tzinfo=UTC)
    board = build(shop, CHANNEL, JUICE.id, start)
    place = live.Place(shop.pk, CHANNEL, JUICE.id)

    # when
    said = [
        live_visitors.told(place, board.live, count, [board.live.id], start + timedelta(seconds=at))
        for at, count in [(0, 5), (1, 5), (2, 6), (3, 5), (14.9, 6), (15, 6)]
    ]

    # then
    assert [event and (event.value, event.occurred_at.second) for event in said] == [
        (5, 0),
        None,
        (6, 2),
        None,
        None,
        (6, 15),
    ]


def test_what_is_not_on_the_page_is_not_proven(shop):
    board = build(shop, CHANNEL, JUICE.id, datetime.now(UTC))
    place = live.Place(shop.pk, CHANNEL, JUICE.id)
    assert live_visitors.told(place, board.live, 5, ["another"], datetime.now(UTC)) is None
    assert live_visitors.told(place, None, 5, [], datetime.now(UTC)) is None


def test_two_processes_that_tell_the_same_are_one_fact(shop):
    # given
    at = datetime.now(UTC).replace(second=31, microsecond=0) - timedelta(minutes=1)

    def measured(seconds, value=12):
        return LiveMeasured(
            shop=shop.pk,
            channel=CHANNEL,
            occurred_at=at + timedelta(seconds=seconds),
            product=JUICE.id,
            value=value,
            threshold=3,
        )

    # when
    capture(measured(0), measured(7.5), measured(1, value=13), measured(15))
    consume()

    # then
    assert sorted(told(shop)) == [
        (12, 3, None, "live_visitors"),
        (12, 3, None, "live_visitors"),
        (13, 3, None, "live_visitors"),
    ]
    assert ViewEvent.objects.of(shop).filter(kind="live_measured").count() == 3
    assert Nudge.objects.of(shop).get().value == 12


def test_a_stream_that_is_away_costs_the_proof_and_no_page(shop, monkeypatch):
    def away(*_):
        raise StreamUnavailable

    crowd(shop, 5)
    live_visitors._reported.clear()
    monkeypatch.setattr("saleor_nudges.asgi.requests.keep", away)
    assert texts(look(shop)) == ["5 people are looking at this right now"]


def test_shops_are_apart(shop):
    other = make_shop("other.example.com")
    switch_on_nudge(other, NudgeType.LIVE_VISITORS)
    crowd(shop, 5)
    look(other)
    assert look(other, uuid4()) == []
    consume()
    assert Evidence.objects.of(other).count() == 0


def test_a_withdrawn_product_keeps_its_proofs(shop):
    crowd(shop, 5)
    look(shop)
    consume()
    before = told(shop)
    capture(
        ProductWithdrawn(
            shop=shop.pk, channel="", occurred_at=datetime.now(UTC), product_id=JUICE.id
        )
    )
    consume()
    assert told(shop) == before
    assert before != []
    assert get_stream(Flow.VIEWS).pending() == 0
