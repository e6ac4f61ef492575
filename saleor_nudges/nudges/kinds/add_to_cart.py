"""“Someone from Wroclaw put Apple Juice into the cart.” From what checkouts hold, never beacons."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from django.db.models import Q

from saleor_nudges import people
from saleor_nudges.events import CheckoutFact, Event, OrderFact
from saleor_nudges.models import (
    CartedProduct,
    Nudge,
    NudgeConfig,
    NudgeType,
    SeenOrder,
    Shop,
    TrackedCheckout,
)
from saleor_nudges.nudges.kinds import discrete
from saleor_nudges.nudges.kinds.base import Claim, Kind, refresh

METRIC = "carts"

Held = tuple[str, str]  # checkout, product


class AddToCartKind(Kind):
    """One nudge per checkout and product, for as long as it lies in the cart."""

    type: ClassVar[NudgeType] = NudgeType.ADD_TO_CART
    category: ClassVar[str] = "RECENT_PURCHASE"
    rule_version: ClassVar[str] = "add-to-cart-1"
    window: ClassVar[timedelta] = timedelta(days=1)
    priority: ClassVar[int] = 45
    texts: ClassVar[dict[str, str]] = {
        "en": "{% if name %}{{ name }}{% else %}Someone{% endif %}"
        "{% if place %} from {{ place }}{% endif %} put {{ product }} into the cart",
        "de": "{% if name %}{{ name }}{% else %}Jemand{% endif %}"
        "{% if city %} aus {{ city }}{% elsif place %} ({{ place }}){% endif %}"
        " hat {{ product }} in den Warenkorb gelegt",
        "pl": "{% if name %}{{ name }}{% else %}Ktoś{% endif %}"
        "{% if place %} ({{ place }}){% endif %}: {{ product }} w koszyku",
    }
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.CARTS})
    headings: ClassVar[dict[str, str]] = {
        "en": "In a cart",
        "de": "Im Warenkorb",
        "pl": "W koszyku",
    }
    about: ClassVar[dict[str, str]] = {
        "en": "This comes from a real cart of this shop, and goes when the product is taken"
        " out of it.",
        "de": "Das stammt aus einem echten Warenkorb in diesem Shop und verschwindet, wenn"
        " das Produkt herausgenommen wird.",
        "pl": "To informacja z prawdziwego koszyka w tym sklepie. Znika, gdy produkt zostanie"
        " z niego wyjęty.",
    }

    def fold(self, shop: Shop, events: Sequence[Event]) -> None:
        ordered = {e.checkout for e in events if isinstance(e, OrderFact) and e.checkout}
        if ordered:
            # That it was bought is the better news.
            discrete.take_back(shop, Q(type=self.type, source_subject__in=ordered))
        facts = [e for e in events if isinstance(e, CheckoutFact) and e.cart]
        if facts:
            self._tell(shop, facts, ordered)

    def _shown_in(self, shop: Shop) -> set[str]:
        # There are many more carts than orders: where they are not told of, none is written down.
        configs = NudgeConfig.objects.of(shop).filter(type=self.type, is_enabled=True)
        return set(configs.values_list("channel", flat=True))

    def _tell(self, shop: Shop, facts: Sequence[CheckoutFact], ordered: set[str]) -> None:
        """Make what is missing of these carts, take back what is not in them any more."""
        checkouts = {fact.checkout for fact in facts}
        first, standing = _first(shop, checkouts), self._standing(shop, checkouts)
        _date_back(shop, standing, first)
        newest = _newest(shop, facts, first)
        in_carts = {
            (checkout, line.product_id): (fact, line)
            for checkout, fact in newest.items()
            for line in (fact.cart.lines if fact.cart else ())
        }
        bought, channels = ordered | _bought(shop, newest), self._shown_in(shop)
        over = [n for held, n in standing.items() if held[0] in newest and held not in in_carts]
        if over:
            discrete.take_back(shop, Q(pk__in=[nudge.pk for nudge in over]))
        deeds = [
            discrete.Deed(fact, line, first[held], held[0], {})
            for held, (fact, line) in in_carts.items()
            if held in first and held not in standing
            if held[0] not in bought and fact.channel in channels
        ]
        discrete.make(shop, self, METRIC, deeds)
        self._name(shop, newest, standing)

    def _standing(self, shop: Shop, checkouts: set[str]) -> dict[Held, Nudge]:
        found = Nudge.objects.of(shop).filter(
            type=self.type, source_subject__in=checkouts, withdrawn_at__isnull=True
        )
        nudges = found.select_related("person")
        return {(nudge.source_subject, nudge.product_id): nudge for nudge in nudges}

    def _name(
        self, shop: Shop, newest: dict[str, CheckoutFact], standing: dict[Held, Nudge]
    ) -> None:
        """Write down who made the nudges that stand: a shopper says so only later."""
        told = [fact for fact in newest.values() if fact.person]
        known = discrete.people_of(shop, told)
        for fact in told:
            mine = [nudge for (where, _), nudge in standing.items() if where == fact.checkout]
            if any(_is_news(nudge, fact) for nudge in mine):
                nudges = Nudge.objects.of(shop).filter(pk__in=[nudge.pk for nudge in mine])
                nudges.update(**discrete.maker(fact, known))
                refresh(shop, nudges)


def _newest(
    shop: Shop, facts: Sequence[CheckoutFact], first: dict[Held, datetime]
) -> dict[str, CheckoutFact]:
    """Return what each cart looks like now, of those of which these facts say the latest."""
    newest: dict[str, CheckoutFact] = {}
    for fact in facts:
        known = newest.get(fact.checkout)
        if known is None or known.occurred_at <= fact.occurred_at:
            newest[fact.checkout] = fact
    tracked = TrackedCheckout.objects.of(shop).filter(checkout__in=newest)
    changed_at = dict(tracked.values_list("checkout", "changed_at"))
    return {
        checkout: fact
        for checkout, fact in newest.items()
        if changed_at.get(checkout, fact.occurred_at) <= fact.occurred_at
        # A checkout that was empty when we first heard of it is not tracked.
        and first.get((checkout, ""), fact.occurred_at) <= fact.occurred_at
    }


def _first(shop: Shop, checkouts: set[str]) -> dict[Held, datetime]:
    """Return when each product was put into each cart; what is forgotten is not there.

    For the product "" it is when the cart was last seen empty.
    """
    rows = CartedProduct.objects.of(shop).filter(checkout__in=checkouts)
    found = rows.values_list("checkout", "product_id", "first_at")
    return {(checkout, product): at for checkout, product, at in found}


def _bought(shop: Shop, checkouts: Iterable[str]) -> set[str]:
    # An order may overtake the news of its own checkout.
    seen = SeenOrder.objects.of(shop).filter(checkout__in=list(checkouts))
    return set(seen.values_list("checkout", flat=True))


def _date_back(shop: Shop, standing: dict[Held, Nudge], first: dict[Held, datetime]) -> None:
    """Say no later time than the earliest fact does, should that come late."""
    late = [n for held, n in standing.items() if first.get(held, n.occurred_at) < n.occurred_at]
    for nudge in late:
        nudge.occurred_at = first[nudge.source_subject, nudge.product_id]
    if late:
        Nudge.objects.of(shop).bulk_update(late, ["occurred_at"])
        refresh(shop, Nudge.objects.of(shop).filter(pk__in=[nudge.pk for nudge in late]))


def _is_news(nudge: Nudge, fact: CheckoutFact) -> bool:
    if nudge.person_id != fact.person:
        return True
    return people.unseal_about(nudge.person, nudge.sealed_who) != discrete.who(fact)
