"""What stands beside the checkouts of a page: read once for all of them, when first asked for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from saleor_nudges.models import Attempt, RecoveredOrder, Send, Shop, TrackedCheckout
from saleor_nudges.recovery.watching import matching


@dataclass(frozen=True)
class Beside:
    """Messages, attempts and orders of some checkouts of one shop, by the checkouts' ids."""

    shop: Shop
    checkouts: Sequence[UUID]

    @cached_property
    def sends(self) -> dict[UUID, list[Send]]:
        """Their messages, first to last."""
        rows = Send.objects.of(self.shop).filter(checkout__in=self.checkouts)
        found: dict[UUID, list[Send]] = defaultdict(list)
        for row in rows.select_related("campaign").order_by("cycle", "step_number", "id"):
            found[row.checkout_id].append(row)
        return found

    @cached_property
    def attempts(self) -> dict[UUID, list[Attempt]]:
        """Why messages did not go, oldest first."""
        rows = Attempt.objects.of(self.shop).filter(checkout__in=self.checkouts)
        found: dict[UUID, list[Attempt]] = defaultdict(list)
        for row in rows.order_by("at", "id"):
            found[row.checkout_id].append(row)
        return found

    @cached_property
    def orders(self) -> dict[UUID, list[RecoveredOrder]]:
        """Orders that their messages came before; none that is void."""
        found: dict[UUID, list[RecoveredOrder]] = defaultdict(list)
        for row in matching.of_checkouts(self.shop, self.checkouts):
            found[row.send.checkout_id].append(row)
        return found


def put_beside(shop: Shop, checkouts: Iterable[TrackedCheckout]) -> None:
    """Let each of these checkouts know what stands beside all of them."""
    rows = list(checkouts)
    together = Beside(shop, [row.pk for row in rows])
    for row in rows:
        # An attribute of the object only, as long as its answer is made.
        vars(row)["beside"] = together


def beside(checkout: TrackedCheckout) -> Beside:
    """Return what stands beside a checkout, and the others of its page."""
    known: Beside | None = vars(checkout).get("beside")
    return known or Beside(checkout.shop, [checkout.pk])
