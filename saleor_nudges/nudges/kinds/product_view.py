"""“31 people viewed this in the last hour.” Visitors are counted, not page loads."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from saleor_nudges.counts import Asked, visitors
from saleor_nudges.events import Event, ProductViewed
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges.kinds.base import Claim
from saleor_nudges.nudges.kinds.measured import Configs, Measured, Product


class ProductViewKind(Measured):
    """Distinct visitors of a product within the window."""

    type: ClassVar[NudgeType] = NudgeType.PRODUCT_VIEW
    category: ClassVar[str] = "POPULARITY"
    metric: ClassVar[str] = "visitors"
    rule_version: ClassVar[str] = "product-view-2"
    window: ClassVar[timedelta] = timedelta(hours=1)
    minimum: ClassVar[int] = 5
    pages: ClassVar[tuple[str, ...]] = ("PRODUCT",)
    is_about_this_product: ClassVar[bool] = True
    priority: ClassVar[int] = 30
    texts: ClassVar[dict[str, str]] = {
        "en": "{{ count }} people viewed this in the last {{ window.en }}",
        "de": "{{ count }} Personen haben das in {{ window.de }} angesehen",
        "pl": "{{ count }} osób oglądało to w ciągu {{ window.pl }}",
    }
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.VISITORS, Claim.PEOPLE})
    headings: ClassVar[dict[str, str]] = {"en": "Popular", "de": "Beliebt", "pl": "Popularne"}
    about: ClassVar[dict[str, str]] = {
        "en": "We count each visitor of this product once, over the last {window}.",
        "de": "Jeder Besucher dieses Produkts wird einmal gezählt. Zeitraum: {window}.",
        "pl": "Każda osoba, która obejrzała ten produkt, jest liczona raz. Okres: {window}.",
    }

    def grown(self, shop: Shop, events: Sequence[Event]) -> set[Product]:  # noqa: ARG002
        return {(e.channel, e.product) for e in events if isinstance(e, ProductViewed)}

    def count(
        self,
        shop: Shop,
        configs: Configs,  # noqa: ARG002
        asked: Sequence[Asked],
        now: datetime,
    ) -> dict[Asked, int]:
        return visitors(shop.pk, asked, now)
