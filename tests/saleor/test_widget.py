"""What the widget needs of a real Saleor: its files and words, drafts, typed addresses."""

import uuid
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from saleor_nudges import tasks
from saleor_nudges.asgi.files import FOLDER
from saleor_nudges.events.identity import uuid7

from .conftest import BASE, CHANNEL, Seller, Storefront

PAGE = "https://shop.example.com/products/juice"


def test_the_files_and_words_of_the_widget_are_served(seller: Seller, visitor: Storefront):
    seller.track()
    script = visitor.client.get(f"{BASE}v1/widget.js")
    assert (script.status_code, script.content) == (200, (FOLDER / "widget.js").read_bytes())
    parts = sorted((FOLDER / "widget").iterdir())
    assert [path.name.partition(".")[0] for path in parts] == ["view", "watch"]
    for path in parts:
        # The script finds the others below its own address, by the hash in their names.
        assert path.name.split(".")[1].encode() in script.content
        served = visitor.client.get(f"{BASE}v1/widget/{path.name}")
        assert (served.status_code, served.content) == (200, path.read_bytes())
        assert served["Cache-Control"] == "public, max-age=31536000, immutable"
        assert served["Access-Control-Allow-Origin"] == "*"
    words = visitor.client.get(f"{BASE}v1/words", {"languageCode": "PL"})
    assert (words.status_code, words.json()["close"]) == (200, "Zamknij")


def test_a_preview_link_shows_a_draft_that_is_not_on(seller: Seller, visitor: Storefront):
    # given
    made = seller.ask(
        """mutation($channel: String!, $url: String!, $input: NudgeConfigInput!) {
          nudgePreviewLinkCreate(channel: $channel, type: ORDER, url: $url, input: $input) {
            link expiresAt errors { field message code } } }""",
        channel=CHANNEL,
        url=PAGE,
        input={"texts": [{"languageCode": "en", "text": "Sold: {{ product }}"}]},
    )
    [token] = parse_qs(urlsplit(made["link"]).query)["nudges-preview"]

    # when
    shown = visitor.client.get(f"{BASE}v1/nudges", {"preview": token})
    forged = visitor.client.get(f"{BASE}v1/nudges", {"preview": token[:-2]})

    # then
    assert shown.status_code == 200
    answer = shown.json()
    assert (answer["preview"], answer["display"]["enabled"]) == (True, True)
    assert answer["nudges"][0]["text"].startswith("Sold: ")
    assert visitor.nudges(page="HOME") == []
    assert (forged.status_code, forged.json()["error"]["code"]) == (401, "BAD_SIGNATURE")


def test_a_typed_address_is_known_before_saleor_knows_it(
    seller: Seller, shopper: Storefront, visitor: Storefront
):
    # given
    seller.track()
    seller.ask(
        """mutation($channel: String!) {
          nudgeSettingsUpdate(channel: $channel, input: { capturesContact: true }) {
            nudgeSettings { capturesContact } errors { field message code } } }""",
        channel=CHANNEL,
    )
    checkout = shopper.start(shopper.products(1)[0]["variant"])
    tasks.drain()
    assert contacts_known(seller) == [False]

    # when
    token = visitor.post("v1/session", {}).json()["token"]
    event = {
        "id": str(uuid7()),
        "kind": "checkout_contact_known",
        "at": datetime.now(UTC).isoformat(),
        "channel": CHANNEL,
        "data": {"email": f"typed-{uuid.uuid4().hex}@example.com", "agreed": True},
    }
    hashed = sha256(checkout.encode()).hexdigest()
    sent = visitor.post("v1/events", {"token": token, "checkout": hashed, "events": [event]})
    tasks.drain()

    # then
    assert (sent.status_code, sent.json()) == (202, {"accepted": 1, "rejected": []})
    assert contacts_known(seller) == [True]


def contacts_known(seller: Seller) -> list[bool]:
    """Return of each checkout that was left behind whether we know whose it is."""
    found = seller.ask(
        "{ abandonedCheckouts(first: 5) { edges { node { isContactKnown } } } }",
    )
    return [edge["node"]["isContactKnown"] for edge in found["edges"]]
