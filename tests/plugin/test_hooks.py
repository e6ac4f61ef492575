"""Our hooks against the signatures recorded from each Saleor we support."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from saleor_nudges import crypto, events, people
from saleor_nudges.events import Contact
from saleor_nudges.models import Shop
from saleor_nudges.plugin import facts

RECORD = json.loads((Path(__file__).parent / "data" / "hooks.json").read_text())
VERSIONS = ("3.21", "3.22", "3.23", "main")
STOCK_HOOKS = {
    "product_variant_back_in_stock",
    "product_variant_out_of_stock",
    "product_variant_stocks_updated",
}
CHANGED = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
CHANNEL = SimpleNamespace(slug="default-channel")
SHOP = Shop(key="site:1")
CHECKOUT = SimpleNamespace(pk=UUID(int=7), channel=CHANNEL, created_at=CHANGED, last_change=CHANGED)
ORDER = SimpleNamespace(pk=UUID(int=8), channel=CHANNEL, created_at=CHANGED, updated_at=CHANGED)
CUSTOMER = SimpleNamespace(id=9, pk=None, email="anna@example.com")
PRODUCT = SimpleNamespace(pk=10, updated_at=CHANGED)
STOCKS = [SimpleNamespace(product_variant_id=pk) for pk in (11, 12, 11)]
# What Saleor passes, by the name its manager gives it.
PASSED: dict[str, Any] = {
    "checkout": CHECKOUT,
    "order": ORDER,
    "user": CUSTOMER,
    "customer": CUSTOMER,
    "product": PRODUCT,
    "variants": [1, 2],
    "stock": STOCKS[0],
    "stocks": STOCKS,
}


def declared(version: str) -> set[str]:
    """Return the recorded hooks that a Saleor has."""
    return {name for name, hook in RECORD[version]["hooks"].items() if hook is not None}


def test_record_is_of_the_versions_we_support():
    assert tuple(RECORD) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_hooks_that_are_gone(hooks: ModuleType, version: str):
    gone = STOCK_HOOKS if version in ("3.23", "main") else set()
    assert hooks.HOOKS.keys() - declared(version) == gone


@pytest.mark.parametrize("version", VERSIONS)
def test_every_hook_takes_what_its_saleor_passes(
    hooks: ModuleType, version: str, monkeypatch: pytest.MonkeyPatch
):
    # given
    heard: dict[str, list[events.Event]] = {}

    def hear(name: str, args: tuple[Any, ...]) -> None:
        mapper, kind = hooks.HOOKS[name]
        heard[name] = getattr(facts, mapper)(getattr(events, kind), SHOP, *args)

    monkeypatch.setattr(hooks, "_after_commit", hear)
    plugin = hooks.NudgesPlugin()
    ours = hooks.HOOKS.keys() & declared(version)
    # when: as the manager calls them
    for name in ours:
        hook = RECORD[version]["hooks"][name]
        args = [PASSED[passed] for passed in hook["manager_passes"]]
        webhooks = {"webhooks": None} if hook["webhooks_kwarg"] else {}
        answer = getattr(plugin, name)(*args, previous_value="before", **webhooks)
        # then
        assert answer == "before"
    assert heard.keys() == ours
    assert all(heard.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_webhook_takes_what_its_saleor_passes(version: str):
    hook = RECORD[version]["hooks"]["webhook"]
    assert (hook["manager_passes"], hook["webhooks_kwarg"]) == (["request", "path"], False)


def test_newer_saleor_may_pass_more(hooks: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hooks, "_after_commit", lambda _name, _args: None)
    plugin = hooks.NudgesPlugin()
    answer = plugin.order_created(ORDER, "more", previous_value=1, webhooks=(), requestor=None)
    assert answer == 1


def test_plugin_starts_inactive_and_for_all_channels(hooks: ModuleType):
    plugin = hooks.NudgesPlugin
    assert (plugin.PLUGIN_ID, plugin.DEFAULT_ACTIVE) == ("saleor-nudges", False)
    assert plugin.CONFIGURATION_PER_CHANNEL is False


def test_every_hook_names_a_mapping_and_an_event(hooks: ModuleType):
    for mapper, kind in hooks.HOOKS.values():
        assert callable(getattr(facts, mapper))
        assert getattr(events, kind) in events.KINDS.values()


def test_checkout_is_named_by_its_hash():
    [fact] = facts.of_checkout(events.CheckoutChanged, SHOP, CHECKOUT)
    checkout_id = facts.global_id("Checkout", CHECKOUT.pk)
    assert isinstance(fact, events.CheckoutChanged)
    assert (fact.checkout, fact.checkout_id) == (crypto.checkout_hash(checkout_id), checkout_id)
    assert (fact.channel, fact.occurred_at) == ("default-channel", CHANGED)
    assert (fact.cart, fact.contact) == (None, None)


def test_order_is_one_fact_however_often_it_is_told():
    [once] = facts.of_order(events.OrderPlaced, SHOP, ORDER)
    [again] = facts.of_order(events.OrderPlaced, SHOP, ORDER)
    assert once == again
    assert once.subject == facts.global_id("Order", ORDER.pk)


def test_changed_order_is_a_fact_of_its_own_each_time():
    later = SimpleNamespace(**vars(ORDER) | {"updated_at": CHANGED + timedelta(milliseconds=1)})
    [once] = facts.of_changed_order(events.OrderChanged, SHOP, ORDER)
    [again] = facts.of_changed_order(events.OrderChanged, SHOP, ORDER)
    [other] = facts.of_changed_order(events.OrderChanged, SHOP, later)
    assert once == again
    assert other.id != once.id
    # All facts of an order bear its own time.
    assert (once.occurred_at, other.occurred_at) == (CHANGED, CHANGED)


def test_erased_customer_is_found_by_account_and_address():
    [fact] = facts.of_customer(events.CustomerErased, SHOP, CUSTOMER)
    user_id = facts.global_id("User", 9)
    assert isinstance(fact, events.CustomerErased)
    assert fact.user == people.user_hash(user_id)
    assert fact.contact == Contact(email="anna@example.com", user_id=user_id)


def test_stock_of_a_variant_is_told_once_for_all_warehouses():
    told = facts.of_stocks(events.StockChanged, SHOP, STOCKS)
    assert [fact.subject for fact in told] == [
        facts.global_id("ProductVariant", 11),
        facts.global_id("ProductVariant", 12),
    ]


@pytest.mark.parametrize(
    ("mapper", "kind", "thing"),
    [
        ("of_checkout", "CheckoutChanged", CHECKOUT),
        ("of_order", "OrderPlaced", ORDER),
        ("of_changed_order", "OrderChanged", ORDER),
        ("of_customer", "CustomerErased", CUSTOMER),
        ("of_product", "ProductChanged", PRODUCT),
        ("of_deleted_product", "ProductWithdrawn", PRODUCT),
        ("of_stock", "StockChanged", STOCKS[0]),
    ],
)
def test_every_fact_can_be_captured(mapper: str, kind: str, thing: Any):
    from saleor_nudges.capture import check

    for fact in getattr(facts, mapper)(getattr(events, kind), SHOP, thing):
        check(fact, max(fact.occurred_at, CHANGED))
