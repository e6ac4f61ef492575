"""The handshake: the unproved leave no trace, a reinstall keeps what the seller set."""

import json

import pytest

from saleor_nudges import crypto
from saleor_nudges.models import AppInstallation, Shop
from tests.service.stand_in import APP_ID, TOKEN, key_set, standing_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def register(client, standing):
    def register(body=None, **headers):
        given = {"Saleor-Api-Url": standing.api_url, "Saleor-Schema-Version": "3.23"}
        raw = json.dumps({"auth_token": TOKEN}).encode() if body is None else body
        return client.post(
            "/register",
            raw,
            content_type="application/json",
            headers={key: value for key, value in (given | headers).items() if value},
        )

    return register


def allow(settings, **changes):
    settings.SALEOR_NUDGES = settings.SALEOR_NUDGES | changes


def test_proved_shop_is_kept(register, standing):
    # when
    response = register()

    # then
    assert (response.status_code, response.json()) == (200, {"success": True})
    shop = Shop.objects.get()
    assert (shop.key, shop.name, shop.is_active) == (standing.api_url, "Stand-in shop", True)
    assert (shop.tracking_since, shop.sending_since, shop.legal_basis) == (None, None, "NONE")
    kept = AppInstallation.objects.of(shop).get()
    assert (kept.app_id, kept.saleor_version) == (APP_ID, "3.23")
    assert kept.key_set == key_set()
    assert crypto.unseal(bytes(kept.sealed_token)) == TOKEN
    assert TOKEN.encode() not in bytes(kept.sealed_token)


def test_reinstall_brings_a_new_token_and_keeps_the_sellers_settings(register, standing):
    # given
    register()
    Shop.objects.update(
        name="Anna's", legal_basis="CONSENT", is_active=False, sender_email="a@example.com"
    )
    standing.token = "second-token-of-the-app"

    # when
    response = register(json.dumps({"auth_token": standing.token}).encode())

    # then
    assert response.status_code == 200
    shop = Shop.objects.get()
    assert (shop.name, shop.legal_basis, shop.sender_email) == (
        "Anna's",
        "CONSENT",
        "a@example.com",
    )
    assert shop.is_active is True
    assert crypto.unseal(bytes(AppInstallation.objects.of(shop).get().sealed_token)) == (
        "second-token-of-the-app"
    )


@pytest.mark.parametrize(
    ("_case", "body", "headers", "message"),
    [
        ("no_json", b"{", {}, "The body is not JSON."),
        ("no_object", b"[]", {}, "The body lacks `auth_token`."),
        ("no_token", b"{}", {}, "The body lacks `auth_token`."),
        ("empty_token", b'{"auth_token": ""}', {}, "The body lacks `auth_token`."),
        ("token_is_no_text", b'{"auth_token": {}}', {}, "The body lacks `auth_token`."),
        ("no_shop", None, {"Saleor-Api-Url": ""}, "The header Saleor-Api-Url is missing."),
        ("too_large", b"x" * 20_000, {}, "The body is too large."),
    ],
)
def test_malformed_registration(_case, body, headers, message, register, standing):
    # when
    response = register(body, **headers)

    # then
    assert (response.status_code, response.json()) == (
        400,
        {"success": False, "error": {"code": "INVALID", "message": message}},
    )
    assert not Shop.objects.exists()
    assert standing.asked == []


@pytest.mark.parametrize(
    ("_case", "allowed", "url"),
    [
        ("nobody_is_allowed", (), None),
        ("another_is_allowed", ("https://shop.example.com",), None),
        ("ends_alike_in_its_user", ("*.example.com",), "http://a@evil.test/x.example.com"),
        ("ends_alike_in_its_name", ("*.example.com",), "https://evilexample.com/graphql/"),
        ("has_a_user", ("*",), "https://user:word@shop.example.com/graphql/"),
        ("has_a_query", ("*",), "https://shop.example.com/graphql/?x=1"),
        ("is_a_file", ("*",), "file:///etc/passwd"),
        ("is_no_address", ("*",), "graphql"),
        ("is_endless", ("*",), "https://shop.example.com/" + "x" * 500),
    ],
)
def test_prohibited_shop(_case, allowed, url, register, standing, settings):
    # given
    allow(settings, ALLOWED_SHOPS=list(allowed))

    # when
    response = register(**{"Saleor-Api-Url": url or standing.api_url})

    # then
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "SALEOR_URL_PROHIBITED"
    assert not Shop.objects.exists()
    assert (standing.asked, standing.key_requests) == ([], 0)


@pytest.mark.parametrize(
    ("_case", "allowed"),
    [
        ("any", "*"),
        ("the_whole_address", "{api_url}"),
        ("its_origin", "{origin}"),
    ],
)
def test_allowed_shop(_case, allowed, register, standing, settings):
    # given
    origin = standing.api_url.removesuffix("/graphql/")
    pattern = allowed.format(api_url=standing.api_url, origin=origin)
    allow(settings, ALLOWED_SHOPS=[pattern])

    # when / then
    assert register().status_code == 200


def test_plain_http_is_prohibited(register, standing, settings):
    # given
    allow(settings, ALLOW_PRIVATE_ADDRESSES=False)

    # when
    response = register()

    # then
    assert response.status_code == 403
    assert response.json()["error"]["message"] == "A shop must be reached by https."
    assert (Shop.objects.count(), standing.asked) == (0, [])


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]"])
def test_private_network_is_not_asked(name, register, standing, settings):
    # given
    allow(settings, ALLOW_PRIVATE_ADDRESSES=False)

    # when
    response = register(**{"Saleor-Api-Url": f"https://{name}:{standing.port}/graphql/"})

    # then
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNKNOWN_APP_ID")
    assert (Shop.objects.count(), standing.asked, standing.key_requests) == (0, [], 0)


def test_token_the_shop_does_not_know(register, standing):
    # when
    response = register(b'{"auth_token": "guessed-token"}')

    # then
    assert (response.status_code, response.json()["error"]) == (
        401,
        {"code": "UNKNOWN_APP_ID", "message": "The token is not this app's."},
    )
    assert not Shop.objects.exists()


def test_token_of_another_app_does_not_replace_ours(register, standing):
    # given
    register()
    before = AppInstallation.objects.across_shops().values().get()
    standing.identifier = "another.app"

    # when
    response = register()

    # then
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNKNOWN_APP_ID")
    assert AppInstallation.objects.across_shops().values().get() == before


@pytest.mark.parametrize(
    ("_case", "instead"),
    [
        ("redirect", (302, {"Location": "http://127.0.0.1:1/"}, b"")),
        ("away", (503, {}, b"")),
        ("no_json", (200, {}, b"<html>")),
        ("no_object", (200, {}, b"[]")),
    ],
)
def test_address_that_is_no_shop(_case, instead, register, standing):
    # given
    standing.instead = instead

    # when
    response = register()

    # then
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNKNOWN_APP_ID")
    assert not Shop.objects.exists()


@pytest.mark.parametrize(
    ("_case", "status", "keys"), [("away", 500, key_set()), ("empty", 200, {"keys": []})]
)
def test_shop_without_keys(_case, status, keys, register, standing):
    # given
    standing.keys_status, standing.key_set = status, keys

    # when
    response = register()

    # then
    assert (response.status_code, response.json()["error"]["code"]) == (401, "JWKS_NOT_AVAILABLE")
    assert not Shop.objects.exists()


def test_only_post_registers(client):
    assert client.get("/register").status_code == 405


def test_two_shops_are_two(register, client):
    # given
    register()

    # when
    with standing_in() as other:
        response = client.post(
            "/register",
            json.dumps({"auth_token": TOKEN}),
            content_type="application/json",
            headers={"Saleor-Api-Url": other.api_url},
        )

    # then
    assert response.status_code == 200
    assert Shop.objects.count() == 2
