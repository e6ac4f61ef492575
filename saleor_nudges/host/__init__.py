"""get_host(): the shop we run in."""

from saleor_nudges import conf
from saleor_nudges.host.base import Checkout, Host, Order, Page, ProductCard, Requester
from saleor_nudges.host.looks import CheckoutLook, LineLook, PaymentOutcome, PaymentTry
from saleor_nudges.host.vouchers import NewVoucher
from saleor_nudges.models import Shop


def host_class() -> type[Host]:
    """Return the kind of host the settings name."""
    found: type[Host] = conf.load(conf.get().HOST)
    return found


def get_host(shop: Shop) -> Host:
    """Return the host of one shop."""
    return host_class()(shop)


__all__ = [
    "Checkout",
    "CheckoutLook",
    "Host",
    "LineLook",
    "NewVoucher",
    "Order",
    "Page",
    "PaymentOutcome",
    "PaymentTry",
    "ProductCard",
    "Requester",
    "get_host",
    "host_class",
]
