"""NudgesPlugin: Saleor's hooks become facts, and its plugin URL becomes ours.

Saleor imports this file in every process, so it imports nothing of ours: what is broken in us is
found by a hook, which logs it, and never by Saleor's start.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from saleor.plugins.base_plugin import BasePlugin

PLUGIN_ID: Final = "saleor-nudges"

# Saleor's hook: whose facts it brings (a function of plugin/facts.py), and which (an event class).
# The last three are gone since 3.23, where nobody calls them.
HOOKS: Final[dict[str, tuple[str, str]]] = {
    "checkout_created": ("of_checkout", "CheckoutStarted"),
    "checkout_updated": ("of_checkout", "CheckoutChanged"),
    "checkout_metadata_updated": ("of_checkout", "CheckoutChanged"),
    "checkout_fully_paid": ("of_checkout", "CheckoutPaid"),
    "order_created": ("of_order", "OrderPlaced"),
    "order_updated": ("of_changed_order", "OrderChanged"),
    "order_confirmed": ("of_changed_order", "OrderChanged"),
    "order_fully_paid": ("of_order", "OrderPaid"),
    "order_cancelled": ("of_order", "OrderCancelled"),
    # Of a part of the money, perhaps.
    "order_refunded": ("of_changed_order", "OrderChanged"),
    "order_fully_refunded": ("of_order", "OrderRefunded"),
    "customer_deleted": ("of_customer", "CustomerErased"),
    "account_deleted": ("of_customer", "CustomerErased"),
    "product_created": ("of_product", "ProductChanged"),
    "product_updated": ("of_product", "ProductChanged"),
    "product_deleted": ("of_deleted_product", "ProductWithdrawn"),
    "product_variant_out_of_stock": ("of_stock", "StockChanged"),
    "product_variant_back_in_stock": ("of_stock", "StockChanged"),
    "product_variant_stocks_updated": ("of_stocks", "StockChanged"),
}


class NudgesPlugin(BasePlugin):
    """What Saleor knows of us. Inactive until the seller activates it."""

    PLUGIN_ID = PLUGIN_ID
    PLUGIN_NAME = "Nudges"
    PLUGIN_DESCRIPTION = (
        "True nudges and recovered checkouts. Activating shows nothing and writes to nobody:"
        " each is switched on by itself, and deactivating stops them all."
    )
    CONFIGURATION_PER_CHANNEL = False
    DEFAULT_ACTIVE = False

    @classmethod
    def pre_save_plugin_configuration(cls, plugin_configuration: Any) -> None:
        """Deactivating the plugin stops the periodic work too, and activating wakes it."""
        try:
            from saleor_nudges.plugin.host import set_active

            set_active(is_active=bool(plugin_configuration.active))
        except Exception:
            _trouble("HOOK_FAILED", hook="pre_save_plugin_configuration")

    def webhook(
        self,
        request: HttpRequest,
        path: str,
        previous_value: HttpResponse,  # noqa: ARG002 - Saleor passes it by this name
    ) -> HttpResponseBase:
        """Answer what is below our plugin's address from our own URL table."""
        try:
            from saleor_nudges.plugin.doors import answer

            return answer(request, path)
        except Exception:
            _trouble("REQUEST_FAILED")
            return HttpResponse(status=500)


def _hook(name: str) -> Callable[..., Any]:
    # Newer Saleors pass more: `webhooks`, and whatever comes next, is not ours.
    def method(self: NudgesPlugin, *args: Any, previous_value: Any = None, **kwargs: Any) -> Any:  # noqa: ARG001
        _after_commit(name, args)
        return previous_value

    method.__name__ = name
    return method


for _name in HOOKS:
    setattr(NudgesPlugin, _name, _hook(_name))


def _after_commit(name: str, args: tuple[Any, ...]) -> None:
    # Inside the shop's transaction a failed statement of ours would undo the shopper's change.
    try:
        if transaction.get_connection().in_atomic_block:
            transaction.on_commit(lambda: hear(name, args), robust=True)
        else:
            hear(name, args)
    except Exception:
        _trouble("HOOK_FAILED", hook=name)


def hear(name: str, args: tuple[Any, ...]) -> None:
    """Capture what a hook says. Never raises: the shop comes first."""
    try:
        from saleor_nudges.plugin.capturing import capture_hook

        capture_hook(name, *HOOKS[name], args)
    except Exception:
        _trouble("HOOK_FAILED", hook=name)


def _trouble(line: str, **fields: str) -> None:
    try:
        from saleor_nudges import telemetry

        telemetry.trouble(telemetry.Log[line], **fields)
    except Exception:
        # Not even our log can be imported: say so in words of its own.
        logging.getLogger("saleor_nudges").exception("saleor-nudges is broken; the shop goes on")
