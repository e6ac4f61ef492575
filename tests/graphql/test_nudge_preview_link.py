"""A link that shows a draft on the shop's own page: to whoever has it, for an hour, and no more."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.core import signing
from django.db import connections
from django.test import Client

from saleor_nudges import access
from saleor_nudges.asgi.hot import HotRequests
from saleor_nudges.models import AuditEntry, NudgeType, Shop
from saleor_nudges.nudges import configs, drafts
from saleor_nudges.testing import CHANNEL, a_checkout, make_shop, order_placed
from tests.asgi.client import Page
from tests.graphql.seller import ask, code_of, told

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "https://shop.example.com/products/apple-juice"
LINK = """
    mutation(
        $channel: String!, $type: NudgeTypeEnum!, $input: NudgeConfigInput, $url: String!,
        $code: String
    ) {
        nudgePreviewLinkCreate(
            channel: $channel, type: $type, input: $input, url: $url, languageCode: $code
        ) { link expiresAt errors { field message code } }
    }
"""


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture(params=["hot", "django"])
def look(request, monkeypatch):
    """Ask what a page with a token is told, by one of the two doors."""
    monkeypatch.setattr("saleor_nudges.asgi.hot.THREADS", 1)

    def get(draft, **query):
        query = {"preview": draft, **query}
        if request.param == "django":
            got = Client().get("/v1/nudges", query)
            return got.status_code, got.json(), got["Cache-Control"]
        return asyncio.run(_hot(query))

    return get


async def _hot(query):
    app = HotRequests()
    try:
        got = await Page(app).get("/v1/nudges", **query)
        return got.status, got.body, got.headers["cache-control"]
    finally:
        await asyncio.get_running_loop().run_in_executor(app.executor, connections.close_all)
        await app.close()


def make(kind="ORDER", url=PAGE, code="en", may="MANAGE_SETTINGS", **changes):
    for name in {"texts", "headings"} & changes.keys():
        changes[name] = [{"languageCode": k, "text": v} for k, v in changes[name].items()]
    variables = {"channel": CHANNEL, "type": kind, "input": changes, "url": url, "code": code}
    return told(LINK, variables, may=may)


def token_of(link):
    [token] = parse_qs(urlsplit(link).query)["nudges-preview"]
    return token


def everything():
    models = apps.get_app_config("saleor_nudges").get_models()
    return {m.__name__: list(m._base_manager.values().order_by("pk")) for m in models}


def bought(shop, **contact):
    contact = {"email": "anna@example.com", "first_name": "Anna"} | contact
    order_placed(shop, a_checkout(shop, **contact))


def test_a_page_shows_the_draft_of_its_link(look, shop):
    # given
    bought(shop)
    configs.change_settings(shop, CHANNEL, {"theme": "DARK", "initial_delay": 9})
    link = make(texts={"en": "Sold: {{ product }}"}, highlightColor="#123456")["link"]
    before = everything()

    # when
    status, answer, cache = look(token_of(link))

    # then
    assert (status, cache) == (200, "no-store")
    [nudge] = answer["nudges"]
    assert nudge["id"] == "preview"
    assert (nudge["text"], nudge["highlight"]) == ("Sold: Apple Juice", "#123456")
    assert (nudge["type"], nudge["slot"], nudge["title"]) == ("ORDER", "TOAST", "Apple Juice")
    assert nudge["icon"].startswith("M")
    assert (answer["preview"], answer["sample"], answer["pollAfter"]) == (True, False, None)
    assert answer["display"]["theme"] == "DARK"
    assert (answer["display"]["enabled"], answer["display"]["initialDelay"]) == (True, 0)
    assert everything() == before


@pytest.mark.parametrize("kind", list(NudgeType))
def test_every_kind_is_shown_with_a_sample_and_says_so(kind, shop):
    answer = drafts.feed(shop, token_of(make(kind)["link"]), datetime.now(UTC))
    [nudge] = answer["nudges"]
    assert (answer["preview"], answer["sample"]) == (True, True)
    assert (nudge["id"], nudge["type"]) == ("preview", kind)
    assert nudge["text"]


def test_a_draft_needs_no_tracking_no_channel_and_no_kind_that_is_on(look, shop):
    token = token_of(make(url=PAGE)["link"])
    Shop.objects.update(tracking_since=None)
    status, answer, _ = look(token)
    assert (status, answer["display"]["enabled"], len(answer["nudges"])) == (200, True, 1)


def test_nobody_is_counted_or_read(look, shop):
    # given
    token = token_of(make("LIVE_VISITORS")["link"])
    visitor = access.visitor_token(access.new_visitor(shop.pk))
    before = everything()

    # when
    status, answer, _ = look(token, token=visitor, channel="another", page="PRODUCT", count="999")

    # then
    assert (status, answer["preview"]) == (200, True)
    assert everything() == before


@pytest.mark.parametrize("code", ["de", "DE_AT"])
def test_it_speaks_the_language_that_was_asked_for(code, shop):
    [nudge] = drafts.feed(shop, token_of(make(code=code)["link"]), datetime.now(UTC))["nudges"]
    assert nudge["text"] == "Jemand aus Wrocław hat Apple Juice gekauft"


# The token.


@pytest.mark.parametrize("bad", ["x", "a:b:c", ":", "." * 5000, "ä", "\0"])
def test_no_other_token_shows_anything(bad, look, shop):
    status, answer, cache = look(bad)
    assert (status, answer["error"]["code"], cache) == (401, "BAD_SIGNATURE", "no-store")


def test_a_changed_token_shows_nothing(look, shop):
    token = token_of(make()["link"])
    changed = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert look(token)[0] == 200
    assert look(changed)[:2] == (
        401,
        {
            "error": {
                "code": "BAD_SIGNATURE",
                "message": "This preview is not valid any more: make a new link.",
            }
        },
    )


@pytest.mark.parametrize(("minutes", "status"), [(59, 200), (61, 401)])
def test_it_is_good_for_an_hour(minutes, status, look, shop, monkeypatch):
    # given
    now = datetime.now(UTC)
    made = (now - timedelta(minutes=minutes)).timestamp()
    with monkeypatch.context() as then:
        then.setattr(signing.time, "time", lambda: made)
        token = access.preview_token(shop.pk, [CHANNEL, "ORDER", {}, "en"])

    # when, then
    assert look(token)[0] == status


def test_an_answer_says_until_when(shop):
    expires_at = datetime.fromisoformat(make()["expiresAt"])
    assert abs(expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=30)


def test_a_draft_is_of_one_shop(shop):
    other = make_shop("other.example.com")
    token = token_of(
        told(
            LINK,
            {"channel": CHANNEL, "type": "ORDER", "url": PAGE},
            may="MANAGE_SETTINGS",
            shop=shop,
        )["link"]
    )
    named = {"preview": token, "shop": shop.public_id}
    assert Client().get("/v1/nudges", named).status_code == 200
    assert Client().get("/v1/nudges", named | {"shop": other.public_id}).status_code == 401


def test_a_visitors_token_is_no_draft_and_a_draft_no_visitor(look, shop):
    visitor = access.visitor_token(access.new_visitor(shop.pk))
    draft = token_of(make()["link"])
    assert look(visitor)[0] == 401
    asked = {"channel": CHANNEL, "token": draft}
    assert Client().get("/v1/nudges", asked).status_code == 401


@pytest.mark.parametrize(
    "draft", [["c"], "text", None, [CHANNEL, "NO_SUCH_KIND", {}, "en"], [CHANNEL, "ORDER", {}]]
)
def test_what_another_version_wrote_is_old(draft, look, shop):
    status, answer, _ = look(access.preview_token(shop.pk, draft))
    assert (status, answer["error"]["code"]) == (401, "BAD_SIGNATURE")


# The link.


@pytest.mark.parametrize(
    ("page", "before", "after"),
    [
        (PAGE, f"{PAGE}?nudges-preview=", ""),
        (f"{PAGE}?variant=5&a=%20", f"{PAGE}?variant=5&a=%20&nudges-preview=", ""),
        (f"{PAGE}?nudges-preview=old&a=1#top", f"{PAGE}?a=1&nudges-preview=", "#top"),
        ("http://localhost:3000", "http://localhost:3000?nudges-preview=", ""),
    ],
)
def test_a_link_is_the_page_with_the_draft_in_it(page, before, after, shop):
    link = make(url=page)["link"]
    assert link == before + token_of(link) + after


@pytest.mark.parametrize(
    "page",
    [
        "",
        "shop.example.com",
        "/products",
        "javascript:alert(1)",
        "ftp://shop.example.com",
        "https://",
        "https://staff:secret@shop.example.com",
        "https://shop.example.com/a b",
        "https://[shop",
    ],
)
def test_a_link_leads_to_a_page(page, shop):
    answer = make(url=page)
    assert answer["link"] is None
    assert [(e["field"], e["code"]) for e in answer["errors"]] == [("url", "INVALID")]


def test_a_link_that_no_server_would_take_is_not_made(shop):
    ids = [
        b64encode(f"Product:{sha256(str(number).encode()).hexdigest()}".encode()).decode()
        for number in range(200)
    ]
    answer = make(included={"products": ids})
    assert answer["link"] is None
    [error] = answer["errors"]
    assert (error["field"], error["code"]) == ("input", "INVALID")
    assert "6000 characters" in error["message"]
    # few of them fit
    assert len(make(included={"products": ids[:20]})["link"]) <= 6000


def test_a_draft_is_packed(shop):
    texts = dict.fromkeys(("en", "de", "pl", "fr", "it"), "Somebody bought {{ product }} here")
    assert len(make(texts=texts)["link"]) < 400


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"windowSeconds": 1}, "windowSeconds"),
        ({"texts": {"en": "{{ nothing }}"}}, "texts"),
        # not on the shop's own page, not even for staff
        ({"texts": {"en": "Only 2 left of {{ product }}"}}, "texts"),
    ],
)
def test_what_could_not_be_saved_has_no_link(changes, field, shop):
    answer = make(**changes)
    assert answer["link"] is None
    assert [(e["field"], e["code"]) for e in answer["errors"]] == [(field, "INVALID")]


def test_words_that_are_refused_meanwhile_are_not_shown(look, shop):
    token = access.preview_token(
        shop.pk, [CHANNEL, "ORDER", {"texts": {"en": "Only 2 left of {{ product }}"}}, "en"]
    )
    status, answer, _ = look(token)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (400, "INVALID", "texts")


def test_only_who_may_decide_makes_one(shop):
    variables = {"channel": CHANNEL, "type": "ORDER", "url": PAGE}
    assert code_of(ask(LINK, variables, may="MANAGE_ORDERS")) == "PermissionDenied"


def test_the_log_names_the_page_without_what_may_be_secret(shop):
    make(url=f"{PAGE}?secret=1#x")
    entry = AuditEntry.objects.of(shop).get()
    assert (entry.action, entry.target) == ("NudgePreviewLinkCreate", f"{CHANNEL}/ORDER")
    assert entry.after == {"url": PAGE}
