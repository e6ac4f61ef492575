"""Installed → switched on → seen → left behind → written to → ordered → removed, over HTTP."""

import json
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from devtools import storefront
from devtools.storefront import ADDRESS, CHANNEL, STAFF, Json
from saleor_nudges.service import documents
from tests.saleor.app.people import (
    CHECKOUT_URL,
    Seller,
    Shopper,
    Visitor,
    hashed,
    names_of,
    quantities,
)
from tests.saleor.app.place import OURS, Place

# Longer than any test lasts, so that nothing is due before a test says so.
LONG, SHORT = 600, 3
# Orders are reconciled once a minute, and nothing is sent before the first time.
MAIL_SECONDS = 90.0
# What a message that is due may take: a turn of the sweep, twice over.
SWEEPS = 12.0


def new_row(seller: Seller, before: dict[str, Json]) -> Json:
    """Return the one checkout that is listed now and was not before, once its contact is known."""

    def look() -> Json:
        rows = seller.left_behind()
        return [rows[key] for key in rows.keys() - before.keys() if rows[key]["isContactKnown"]]

    [row] = seller.place.until(look, "a checkout to be listed")
    return row


def link(mail: EmailMessage, kind: str) -> str:
    """Return the address of one of a mail's two links, and keep it out of the logs."""
    text = mail.get_body(("plain",))
    assert text is not None
    [found] = re.findall(rf"https?://\S+?/{kind}/[\w.~:-]+", text.get_content())
    return found


def one_mail(place: Place, to: str) -> EmailMessage:
    [mail] = place.until(lambda: place.mails(to), "a mail", MAIL_SECONDS)
    for kind in "ru":
        place.secrets.add(link(mail, kind).rpartition("/")[2])
    return mail


def test_installation_connects_the_shop_and_switches_nothing_on(
    installed: Seller, visitor: Visitor
):
    query = """query($id: ID!) { app(id: $id) { identifier isActive permissions { code }
      webhooks { isActive targetUrl } } }"""
    app = installed.api.ask(query, id=installed.app)["app"]
    assert (app["identifier"], app["isActive"]) == ("saleor-nudges", True)
    doors = {(hook["isActive"], hook["targetUrl"]) for hook in app["webhooks"]}
    assert doors == {(True, f"{installed.place.app}/webhooks/saleor/")}
    assert visitor.arrive() == 403
    settings = installed.ask("{ messagingSettings { isSendingEnabled legalBasis } }")
    assert settings == {"isSendingEnabled": False, "legalBasis": "NONE"}


def test_only_a_token_saleor_gave_for_this_app_opens_the_seller_s_door(
    installed: Seller, place: Place
):
    query = "{ messagingSettings { isSendingEnabled } }"
    good = installed.token()
    assert installed.answer(good, query)[1] == {
        "data": {"messagingSettings": {"isSendingEnabled": False}}
    }
    # Nobody's, the one staff use at Saleor itself, and one with another signature.
    assert installed.answer("", query)[1]["errors"][0]["extensions"]["exception"]["code"] == (
        "PermissionDenied"
    )
    body, _, signature = good.rpartition(".")
    other = f"{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    place.secrets.add(other)
    for token in (installed.api.token, other):
        assert installed.answer(token, query)[0] == 401


def test_webhook_by_another_key_is_refused_without_a_word(installed: Seller, place: Place):
    # given: a delivery like Saleor's, named after its key, by somebody who does not have it
    [key] = installed.api.jwks()["keys"]
    body = json.dumps({"issuedAt": datetime.now(UTC).isoformat(), "app": {"id": installed.app}})
    signature = jwt.api_jws.encode(
        body.encode(),
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        algorithm="RS256",
        headers={"kid": key["kid"], "b64": False, "crit": ["b64"]},
        is_payload_detached=True,
    )
    # when
    for api_url in (place.api_url, "https://unknown.example.com/graphql/"):
        answer = requests.post(
            f"{place.app}/webhooks/saleor/",
            body,
            headers={
                "Content-Type": "application/json",
                "Saleor-Api-Url": api_url,
                "Saleor-Event": "app_deleted",
                "Saleor-Signature": signature,
            },
            timeout=30,
        )
        # then
        assert (answer.status_code, answer.content) == (401, b"")
    assert installed.ask("{ messagingSettings { isSendingEnabled } }") is not None


def test_purchase_is_told_to_others_until_it_is_cancelled(
    seller: Seller, shopper: Shopper, visitor: Visitor, place: Place, wanted: list[Json]
):
    product = wanted[0]["product"]
    before = {nudge["id"] for nudge in visitor.nudges("ORDER", product)}

    def told(**query: str) -> list[Json]:
        shown = visitor.nudges("ORDER", product, **query)
        return [nudge for nudge in shown if nudge["id"] not in before]

    # when
    checkout, order = shopper.buy(wanted[0])
    # then
    [nudge] = place.until(told, "a nudge of the order")
    assert nudge["category"] == "RECENT_PURCHASE"
    assert wanted[0]["product_name"] in nudge["text"]
    assert nudge["evidence"]["metric"] == "orders"
    assert ADDRESS["firstName"] not in json.dumps(nudge)
    assert told(checkout=hashed(checkout)) == []
    # when
    seller.log_in()
    seller.api.do("orderCancel", "id: ID!", id=order)
    # then
    place.until(lambda: not told(), "the nudge to go")


def test_views_are_counted_without_ones_own(seller: Seller, place: Place, wanted: list[Json]):
    # given
    product = wanted[0]["product"]
    visitors = [Visitor(place) for _ in range(6)]
    # when
    for visitor in visitors:
        assert visitor.arrive() == 200
        visitor.view(product)
    # then
    onlooker = Visitor(place)

    def counted(**query: str) -> list[int]:
        shown = onlooker.nudges("PRODUCT_VIEW", product, **query)
        return [nudge["evidence"]["value"] for nudge in shown]

    place.until(lambda: counted() == [6], "six visitors to be counted", 45.0)
    assert counted(token=visitors[0].token) == [5]


def is_planned_on(row: Json) -> bool:
    """Tell whether a message was written down as sent, and the next one has its time."""
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    is_sent = [send["state"] for send in row["sends"]] == ["SENT"]
    return is_sent and row["nextDueAt"] is not None and row["nextDueAt"] > soon


def test_checkout_left_behind_is_won_back(
    seller: Seller, shopper: Shopper, place: Place, wanted: list[Json]
):
    # given: somebody who leaves an address and two products
    seller.wait_before_writing(SHORT)
    before = seller.left_behind()
    left = shopper.leave(*wanted)
    row = new_row(seller, before)
    # then: one email, in text and HTML, out of which one can get, without the checkout's id
    mail = one_mail(place, shopper.email)
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert wanted[0]["product_name"] in body.get_content()
    assert mail["From"].endswith("<shop@example.com>")
    assert mail["List-Unsubscribe"].strip() == f"<{link(mail, 'u')}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    whole = mail.as_string() + "".join(
        part.get_content() for part in mail.walk() if not part.is_multipart()
    )
    assert [name for name in names_of(left) if name in whole] == []
    # when: mail scanners look at both links
    back = link(mail, "r")
    key = row["id"]
    place.until(lambda: is_planned_on(seller.left_behind()[key]), "the next to be planned")
    listed, held = seller.left_behind(), seller.checkouts()
    for method in ("GET", "HEAD"):
        for url in (back, link(mail, "u")):
            looked = requests.request(method, url, timeout=30)
            assert looked.status_code == 200
            assert [name for name in names_of(left) if name in looked.text] == []
    # then: nothing has changed
    assert (seller.left_behind(), seller.checkouts()) == (listed, held)
    # when: the shopper follows it
    followed = requests.post(back, allow_redirects=False, timeout=30)
    # then: the shop's own page, with a fresh checkout of the same things and of nobody
    assert followed.status_code == 303
    assert followed.headers["Referrer-Policy"] == "no-referrer"
    assert followed.headers["Cache-Control"] == "no-store"
    target = requests.utils.unquote(followed.headers["Location"])
    assert target.startswith(CHECKOUT_URL)
    fresh = target.removeprefix(CHECKOUT_URL)
    place.secrets |= names_of(fresh)
    assert fresh != left
    # and a second tap finds the same one
    again = requests.post(back, allow_redirects=False, timeout=30)
    assert again.headers["Location"] == followed.headers["Location"]
    seen = shopper.look_at(fresh)
    assert quantities(seen.pop("lines")) == quantities(shopper.look_at(left)["lines"])
    assert seen == {
        "email": None,
        "user": None,
        "metadata": [],
        "billingAddress": None,
        "shippingAddress": None,
    }
    # when: they order through it
    shopper.api.do("checkoutEmailUpdate", "id: ID!, email: String!", id=fresh, email=shopper.email)
    shopper.order(fresh)
    # then
    recovered = place.until(
        lambda: [
            found
            for key, found in seller.left_behind().items()
            if key == row["id"] and found["state"] == "RECOVERED"
        ],
        "it to be recovered",
    )
    assert recovered[0]["nextDueAt"] is None
    assert recovered[0]["sends"] == [{"state": "SENT", "reason": ""}]
    assert requests.post(back, allow_redirects=False, timeout=30).status_code == 200


def test_voucher_is_on_the_fresh_checkout_and_its_code_nowhere(
    seller: Seller, shopper: Shopper, place: Place, wanted: list[Json]
):
    # given
    seller.log_in()
    query = "query($slug: String!) { channel(slug: $slug) { currencyCode } }"
    currency = seller.api.ask(query, slug=CHANNEL)["channel"]["currencyCode"]
    rule = {"percent": 10, "expiresSeconds": 3600, "dailyBudget": {currency: "1000"}}
    before = seller.left_behind()
    seller.give(rule)

    # when
    shopper.leave(*wanted)
    row = new_row(seller, before)
    mail = one_mail(place, shopper.email)
    seller.give(None)
    back = link(mail, "r")
    answers = [requests.post(back, allow_redirects=False, timeout=30) for _ in range(2)]

    # then: one checkout, which costs a tenth less than its goods
    body = mail.get_body(("plain",))
    assert body is not None
    assert "10 % off waits for you in it, until" in body.get_content()
    [target] = {requests.utils.unquote(answer.headers["Location"]) for answer in answers}
    fresh = target.removeprefix(CHECKOUT_URL)
    place.secrets |= names_of(fresh)
    priced = shopper.api.ask(
        """query($id: ID!) { checkout(id: $id) { voucherCode discount { amount }
          subtotalPrice { gross { amount } } } }""",
        id=fresh,
    )["checkout"]
    code, off = priced["voucherCode"], priced["discount"]["amount"]
    assert off > 0
    assert round(off / (priced["subtotalPrice"]["gross"]["amount"] + off), 2) == 0.1
    # Looked for in every log at the end of the story.
    place.secrets.add(code)
    page = requests.get(back, timeout=30)
    said = [mail.as_string(), page.text, *(f"{one.headers} {one.text}" for one in answers)]
    assert [text for text in said if code in text] == []

    # when
    shopper.api.do("checkoutEmailUpdate", "id: ID!, email: String!", id=fresh, email=shopper.email)
    shopper.order(fresh)

    # then
    explained = """query($id: ID!) { recoveryExplain(checkout: $id) { gates { gate text } } }"""

    def is_used() -> bool:
        gates = seller.ask(explained, id=row["id"])["gates"]
        return any("its voucher was used" in gate["text"] for gate in gates)

    place.until(is_used, "the voucher to be used")
    seller.log_in()
    found = seller.api.ask(
        """query($code: String!) { vouchers(first: 5, filter: { search: $code }) {
          edges { node { name usageLimit singleUse applyOncePerCustomer endDate
            privateMetafield(key: "saleor-nudges.recovery") } } } }""",
        code=code,
    )["vouchers"]["edges"]
    [voucher] = [edge["node"] for edge in found]
    assert voucher.pop("endDate") is not None
    assert voucher == {
        "name": "Welcome back",
        "usageLimit": 1,
        "singleUse": True,
        "applyOncePerCustomer": True,
        "privateMetafield": "true",
    }


def test_order_before_the_send_stops_it(
    seller: Seller, shopper: Shopper, place: Place, wanted: list[Json]
):
    # given: two who leave a checkout; one orders it, the other orders by another one
    seller.wait_before_writing(LONG)
    before = seller.left_behind()
    own = shopper.leave(*wanted)
    first = new_row(seller, before)
    before = seller.left_behind()
    other = Shopper(place)
    other.leave(wanted[0])
    second = new_row(seller, before)
    assert first["nextDueAt"]
    assert second["nextDueAt"]
    # when
    shopper.order(own)
    other.buy(wanted[1], email=other.email.upper())
    ids = (first["id"], second["id"])

    def states() -> list[str]:
        rows = seller.left_behind()
        return [rows[key]["state"] for key in ids]

    # then
    place.until(lambda: states() == ["ORDERED", "ORDERED"], "both to be ordered")
    # when: the time has come, and a third gets a mail who has bought nothing
    seller.wait_before_writing(SHORT)
    third = Shopper(place)
    third.leave(wanted[0])
    one_mail(place, third.email)
    # then
    assert (place.mails(shopper.email), place.mails(other.email)) == ([], [])
    rows = seller.left_behind()
    assert [rows[key]["sends"] for key in ids] == [[], []]


def test_unsubscribed_is_not_written_to_again(
    seller: Seller, shopper: Shopper, place: Place, wanted: list[Json]
):
    # given
    seller.wait_before_writing(SHORT)
    shopper.leave(wanted[0])
    out = link(one_mail(place, shopper.email), "u")
    # when
    assert requests.post(out, {"List-Unsubscribe": "One-Click"}, timeout=30).status_code == 200
    before = seller.left_behind()
    shopper.leave(wanted[1])
    row = new_row(seller, before)
    # and the seller asks for a message, for the campaign itself has written to them lately
    place.until(lambda: seller.left_behind()[row["id"]]["isContactKnown"], "whose it is")
    seller.send_now(row["id"])
    # then
    undecided = {"DUE", "CLAIMED"}
    done = place.until(
        lambda: [
            send
            for send in seller.left_behind()[row["id"]]["sends"]
            if send["state"] not in undecided
        ],
        "the second to be decided",
    )
    assert done == [{"state": "CANCELLED", "reason": "UNSUBSCRIBED"}]
    assert len(place.mails(shopper.email)) == 1


def test_what_no_webhook_told_is_found_by_the_sweep(
    seller: Seller, shopper: Shopper, place: Place, wanted: list[Json]
):
    # given
    seller.wait_before_writing(LONG)
    before = seller.left_behind()
    onlooker = Visitor(place)
    assert onlooker.arrive() == 200
    # when: somebody leaves a cart and somebody else buys, and neither delivery arrives
    with seller.unheard():
        shopper.leave(wanted[0])
        Shopper(place).buy(wanted[1])

    # then
    def found() -> list[Json]:
        rows = seller.left_behind()
        new = [rows[key] for key in rows.keys() - before.keys()]
        return [row for row in new if row["isContactKnown"] and row["state"] == "OPEN"]

    # The buyer's own cart may be listed for the moment between the two sweeps.
    place.until(lambda: len(found()) == 1, "the cart, and no other, to be listed", MAIL_SECONDS)
    place.until(
        lambda: onlooker.nudges("ORDER", wanted[1]["product"]), "a nudge of the order", MAIL_SECONDS
    )


def test_checkouts_are_listed_by_their_last_change(
    seller: Seller, place: Place, wanted: list[Json]
):
    # given: the first of three is changed last
    opened = [Shopper(place).leave(wanted[0]) for _ in range(3)]
    storefront.leave_email(Shopper(place).api, opened[0], Shopper(place).email)
    seller.log_in()
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    newest = seller.api.ask(documents.CHECKOUTS_NEWEST, day=day, first=100)["checkouts"]["edges"]
    times = [edge["node"]["updatedAt"] for edge in newest]
    # when: they are read upwards from the fourth newest
    pages, before = [], newest[3]["cursor"] if len(newest) > 3 else None
    for _ in range(3):
        asked = {"day": day, "last": 1, "before": before}
        pages.append(seller.api.ask(documents.CHECKOUTS_CHANGED, **asked)["checkouts"])
        before = pages[-1]["pageInfo"]["startCursor"]
    # then
    assert times == sorted(times, reverse=True)
    found = [edge["node"]["id"] for page in pages for edge in page["edges"]]
    assert found == [opened[1], opened[2], opened[0]]
    assert [page["pageInfo"]["hasPreviousPage"] for page in pages] == [True, True, False]


def test_removed_app_sends_nothing_and_says_nothing(
    seller: Seller, shopper: Shopper, visitor: Visitor, place: Place, wanted: list[Json]
):
    # given: a message that would go out soon
    delay = 10
    seller.wait_before_writing(delay)
    before = seller.left_behind()
    shopper.leave(wanted[0])
    assert new_row(seller, before)["sends"] == []
    token = seller.token()
    # when
    seller.remove()
    # then
    if place.version >= (3, 23):
        url = f"{place.app}/v1/nudges?channel=default-channel"
        place.until(lambda: requests.get(url, timeout=30).status_code == 404, "the shop to go")
        assert visitor.arrive() == 404
        assert seller.answer(token, "{ messagingSettings { isSendingEnabled } }")[0] == 404
    time.sleep(delay + SWEEPS)
    assert place.mails(shopper.email) == []


def test_nobody_was_written_to_twice(seller: Seller, place: Place):
    written = Counter(mail["To"] for mail in place.mails())
    assert [to for to, count in written.items() if count > 1] == []


def test_nothing_personal_in_any_log(seller: Seller, place: Place):
    secrets = place.secrets | {STAFF[0], ADDRESS["phone"], ADDRESS["lastName"]}
    assert len(secrets) > 10
    for name in OURS:
        text = place.log(name)
        assert text
        # Not the lines: they would be in yet another log.
        found = sorted(secret[:4] for secret in secrets if secret.lower() in text.lower())
        assert found == [], f"{name}.log holds {len(found)} of them"


def test_no_process_failed_quietly(seller: Seller, place: Place):
    failed = [
        line
        for name in OURS
        for line in place.log(name).splitlines()
        if '"level": "ERROR"' in line or "Traceback" in line
    ]
    assert failed == []
