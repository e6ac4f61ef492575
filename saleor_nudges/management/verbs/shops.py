"""Which shop a verb is for, and which campaign of it."""

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from saleor_nudges.models import Campaign, Shop


def shop_argument(parser: ArgumentParser) -> None:
    """Let a verb be told which shop; one that is alone need not be named."""
    parser.add_argument("--shop", default="", help="The shop with this key.")


def one_shop(options: dict[str, Any]) -> Shop:
    """Return the shop that is meant; raises CommandError."""
    key = options["shop"]
    shops = list((Shop.objects.filter(key=key) if key else Shop.objects.all())[:2])
    if not shops:
        raise CommandError("There is no such shop." if key else "There is no shop.")
    if len(shops) > 1:
        raise CommandError("There are several shops: say which, with --shop.")
    return shops[0]


def one_campaign(shop: Shop, named: str) -> Campaign:
    """Return a campaign by its id or its name, in whatever state; raises CommandError."""
    rows = Campaign.objects.of(shop).select_related("shop")
    found = list(rows.filter(name=named)[:2])
    with suppress(ValueError):
        found = found or list(rows.filter(pk=UUID(named)))
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError("Several campaigns have this name: say the id.")
    names = ", ".join(f"{one.name} ({one.pk})" for one in rows.order_by("id")[:20])
    raise CommandError(f"There is no such campaign; there are: {names or 'none'}.")
