"""A running Saleor driven from outside, through its public GraphQL API: install, fill, buy."""

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

CHANNEL = "default-channel"
STAFF = ("admin@example.com", "admin")
ADDRESS = {
    "firstName": "Ada",
    "lastName": "Example",
    "streetAddress1": "1 Example Street",
    "city": "New York",
    "countryArea": "NY",
    "postalCode": "10001",
    "country": "US",
    "phone": "+12125550123",
}

# What GraphQL answers: whatever JSON holds.
type Json = Any


class Api:
    """One Saleor's API, as whoever is logged in; a guest at first."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""

    @contextlib.contextmanager
    def acting(self, email: str = "", password: str = "") -> Iterator[None]:
        """As somebody, or as a guest; a token lasts five minutes."""
        before, self.token = self.token, ""
        try:
            if email:
                self.log_in(email, password)
            yield
        finally:
            self.token = before

    def log_in(self, email: str, password: str) -> None:
        self.token = ""
        query = "mutation($email: String!, $password: String!)"
        query += "{ tokenCreate(email: $email, password: $password) { token errors { message } } }"
        self.token = self.ask(query, email=email, password=password)["tokenCreate"]["token"]

    def ask(self, query: str, **variables: Json) -> Json:
        body = json.dumps({"query": query, "variables": variables}).encode()
        return self.post(body, "application/json")

    def post(self, body: bytes, content_type: str) -> Json:
        headers = {"Content-Type": content_type}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(f"{self.url}/graphql/", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            answer = json.load(error)
        problems = answer.get("errors") or [
            problem
            for result in answer["data"].values()
            if isinstance(result, dict)
            for problem in result.get("errors") or []
        ]
        if problems:
            raise RuntimeError(f"{body!r}\n{json.dumps(problems, indent=1)}")
        return answer["data"]

    def do(self, mutation: str, arguments: str, result: str = "", /, **given: Json) -> Json:
        """One mutation; `arguments` declares its variables: `id: ID!, email: String!`."""
        names = [part.split(":")[0].strip() for part in arguments.split(",")]
        declared = ", ".join(f"${part.strip()}" for part in arguments.split(","))
        passed = ", ".join(f"{name}: ${name}" for name in names)
        fields = f"{result} errors {{ field message code }}"
        query = f"mutation({declared}) {{ {mutation}({passed}) {{ {fields} }} }}"
        return self.ask(query, **given)[mutation]

    def wait_until_up(self) -> None:
        for _ in range(300):
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                self.ask("{ shop { name } }")
                return
            time.sleep(0.3)
        raise RuntimeError("Saleor did not start")

    def jwks(self) -> Json:
        with urllib.request.urlopen(f"{self.url}/.well-known/jwks.json", timeout=10) as response:
            return json.load(response)


# Staff --------------------------------------------------------------------------------------------


def install(shop: Api, name: str, manifest: str, permissions: Sequence[str]) -> str:
    """Install an App as the Dashboard does, and answer its id."""
    asked = {"appName": name, "manifestUrl": manifest, "permissions": list(permissions)}
    shop.do("appInstall", "input: AppInstallInput!", input=asked)
    for _ in range(100):
        apps = shop.ask("{ apps(first: 10) { edges { node { id name isActive } } } }")["apps"]
        for edge in apps["edges"]:
            if edge["node"]["name"] == name and edge["node"]["isActive"]:
                return str(edge["node"]["id"])
        time.sleep(0.3)
    failed = shop.ask("{ appsInstallations { status message } }")
    raise RuntimeError(f"the App was not installed: {failed}")


def take_unpaid_orders(shop: Api) -> None:
    """Let the channel take unpaid orders, and pay them by transaction."""
    channels = shop.ask("{ channels { id slug } }")["channels"]
    channel = next(row["id"] for row in channels if row["slug"] == CHANNEL)
    orders = {
        "allowUnpaidOrders": True,
        "automaticallyConfirmAllNewOrders": True,
        "markAsPaidStrategy": "TRANSACTION_FLOW",
    }
    settings = {"orderSettings": orders}
    shop.do("channelUpdate", "id: ID!, input: ChannelUpdateInput!", id=channel, input=settings)


# Shoppers -----------------------------------------------------------------------------------------


def variants(shop: Api) -> list[Json]:
    """Variants that can be bought and shipped."""
    query = """query($channel: String!) { products(first: 30, channel: $channel,
        filter: {isPublished: true, stockAvailability: IN_STOCK}) { edges { node { id name
        productType { isShippingRequired }
        variants { id quantityAvailable stocks { quantity warehouse { id } } } } } } }"""
    products = [edge["node"] for edge in shop.ask(query, channel=CHANNEL)["products"]["edges"]]
    return [
        {**variant, "product": product["id"], "product_name": product["name"]}
        for product in products
        if product["productType"]["isShippingRequired"]
        for variant in product["variants"][:1]
        if (variant["quantityAvailable"] or 0) > 5
    ]


def start_checkout(shop: Api, bought: Sequence[Json], email: str = "") -> str:
    """One of the first, two of the second; an address to write to is left last. Answers its id."""
    lines = [{"variantId": bought[0]["id"], "quantity": 1}]
    basis = {"channel": CHANNEL, "lines": lines}
    created = shop.do(
        "checkoutCreate", "input: CheckoutCreateInput!", "checkout { id }", input=basis
    )
    key = str(created["checkout"]["id"])
    if len(bought) > 1:
        lines = [{"variantId": bought[1]["id"], "quantity": 2}]
        add = "id: ID!, lines: [CheckoutLineInput!]!"
        shop.do("checkoutLinesAdd", add, id=key, lines=lines)
    if email:
        leave_email(shop, key, email)
    return key


def leave_email(shop: Api, checkout: str, email: str) -> None:
    shop.do("checkoutEmailUpdate", "id: ID!, email: String!", id=checkout, email=email)


def address_checkout(shop: Api, checkout: str) -> Json:
    """Say where it goes, agree to be written to, choose a delivery: it could be completed."""
    for kind in ("Shipping", "Billing"):
        argument = f"{kind.lower()}Address"
        declared = f"id: ID!, {argument}: AddressInput!"
        shop.do(f"checkout{kind}AddressUpdate", declared, id=checkout, **{argument: ADDRESS})
    opt_in = [{"key": "paper.marketing_opt_in", "value": "true"}]
    shop.do("updateMetadata", "id: ID!, input: [MetadataInput!]!", id=checkout, input=opt_in)
    query = "query($id: ID!) { checkout(id: $id) { shippingMethods { id active } } }"
    methods = shop.ask(query, id=checkout)["checkout"]["shippingMethods"]
    return shop.do(
        "checkoutDeliveryMethodUpdate",
        "id: ID!, deliveryMethodId: ID!",
        "checkout { id totalPrice { gross { amount currency } } }",
        id=checkout,
        deliveryMethodId=next(row["id"] for row in methods if row["active"]),
    )["checkout"]


def complete(shop: Api, checkout: str) -> Json:
    fields = "order { id total { gross { amount currency } } }"
    return shop.do("checkoutComplete", "id: ID!", fields, id=checkout)["order"]
