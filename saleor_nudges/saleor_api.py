"""How a shop is spoken to from outside: its GraphQL API, and the keys it signs with.

The address comes from whoever registers, so it is not trusted: no private network, no redirect,
no proxy, no endless answer. What goes wrong is HostUnavailable, and repeats nothing of what was
asked.
"""

import json
from decimal import Decimal
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import requests
from requests_hardened import Config, HTTPSession
from urllib3.exceptions import HTTPError

from saleor_nudges import access, conf
from saleor_nudges.exceptions import HostUnavailable

Json = dict[str, Any]

# What our manifest calls us, in every shop.
IDENTIFIER: Final = "saleor-nudges"
# To connect, and to answer. Saleor itself gives an app's webhooks 2 and 18 seconds.
TIMEOUT: Final = (2.0, 8.0)
# A page of 100 orders with 50 lines each is 2 MB.
LARGEST_ANSWER: Final = 8 * 1024 * 1024
KEYS_PATH: Final = "/.well-known/jwks.json"


class SaleorApi:
    """One shop's GraphQL API; without a token, as any shopper sees it."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, query: str, variables: Json, *, seconds: float = TIMEOUT[1]) -> Json:
        """Return the data of an answer without errors; raises HostUnavailable."""
        body = {"query": query, "variables": variables}
        answer = _fetch("POST", self.url, seconds=seconds, json=body, headers=self._headers)
        if errors := answer.get("errors"):
            raise HostUnavailable(f"The shop answered {_code(errors)}.")
        data = answer.get("data")
        if not isinstance(data, dict):
            raise HostUnavailable("The shop's answer makes no sense.")
        return data


def key_set(api_url: str) -> Json:
    """Return the keys a shop signs with; raises HostUnavailable."""
    found = _fetch("GET", access.origin_of(api_url) + KEYS_PATH, seconds=TIMEOUT[1])
    if not isinstance(found.get("keys"), list) or not found["keys"]:
        raise HostUnavailable("The shop names no keys.")
    return found


def _fetch(method: str, url: str, *, seconds: float, **request: Any) -> Json:
    try:
        with _session() as session:
            response = session.request(
                method, url, timeout=(TIMEOUT[0], seconds), stream=True, **request
            )
            body = response.raw.read(LARGEST_ANSWER + 1, decode_content=True)
    # What breaks while the body is read comes from urllib3 itself.
    except (requests.RequestException, HTTPError, OSError) as error:
        # The cause would name the address, and a traceback what was asked.
        raise HostUnavailable(f"The shop did not answer: {type(error).__name__}.") from None
    if len(body) > LARGEST_ANSWER:
        raise HostUnavailable("The shop's answer is too large.")
    return _parsed(response.status_code, body)


def _parsed(status: int, body: bytes) -> Json:
    # Saleor answers 400 to a query it does not understand, with the reason in `errors`.
    if status not in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST):
        raise HostUnavailable(f"The shop answered {status}.")
    try:
        found = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise HostUnavailable("The shop's answer is not JSON.") from None
    if not isinstance(found, dict):
        raise HostUnavailable("The shop's answer makes no sense.")
    return found


def _code(errors: Any) -> str:
    # Only the name of the error: its text may repeat an id.
    try:
        return str(errors[0]["extensions"]["exception"]["code"])[:64]
    except (LookupError, TypeError):
        return "an error"


def _session() -> requests.Session:
    allow_private = conf.get().ALLOW_PRIVATE_ADDRESSES
    session: requests.Session = HTTPSession(_config(allow_private))
    # A proxy or a .netrc of the environment would go round the filter, or replace our token.
    session.trust_env = False
    return session


@lru_cache(maxsize=2)
def _config(allow_private: bool) -> Config:  # noqa: FBT001 - the key of the cache
    return Config(
        ip_filter_enable=not allow_private,
        ip_filter_allow_loopback_ips=allow_private,
        never_redirect=True,
        default_timeout=TIMEOUT,
        user_agent_override=IDENTIFIER,
    )
