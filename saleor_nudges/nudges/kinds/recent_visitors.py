"""“480 people visited this shop in the last 24 hours.” Visitors of any page, each counted once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from saleor_nudges.counts import Asked, visitors
from saleor_nudges.events import Event, PageViewed, ProductViewed
from saleor_nudges.models import NudgeType, Shop
from saleor_nudges.nudges.kinds.base import Claim, Scope
from saleor_nudges.nudges.kinds.measured import Configs, Measured, Product


class RecentVisitorsKind(Measured):
    """Distinct visitors of a channel within the window."""

    type: ClassVar[NudgeType] = NudgeType.RECENT_VISITORS
    category: ClassVar[str] = "POPULARITY"
    scopes: ClassVar[frozenset[Scope]] = frozenset({Scope.CHANNEL})
    metric: ClassVar[str] = "visitors"
    rule_version: ClassVar[str] = "recent-visitors-1"
    window: ClassVar[timedelta] = timedelta(days=1)
    minimum: ClassVar[int] = 20
    priority: ClassVar[int] = 60
    texts: ClassVar[dict[str, str]] = {
        "en": "{{ count }} people visited this shop in the last {{ window.en }}",
        "de": "{{ count }} Personen haben diesen Shop in {{ window.de }} besucht",
        "pl": "{{ count }} osób odwiedziło ten sklep w ciągu {{ window.pl }}",
    }
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.VISITORS, Claim.PEOPLE})
    headings: ClassVar[dict[str, str]] = {
        "en": "Well visited",
        "de": "Gut besucht",
        "pl": "Chętnie odwiedzany",
    }
    about: ClassVar[dict[str, str]] = {
        "en": "We count each visitor of this shop once, over the last {window}.",
        "de": "Jeder Besucher dieses Shops wird einmal gezählt. Zeitraum: {window}.",
        "pl": "Każda osoba, która odwiedziła ten sklep, jest liczona raz. Okres: {window}.",
    }

    def grown(self, shop: Shop, events: Sequence[Event]) -> set[Product]:  # noqa: ARG002
        return {(e.channel, "") for e in events if isinstance(e, PageViewed | ProductViewed)}

    def count(
        self,
        shop: Shop,
        configs: Configs,  # noqa: ARG002
        asked: Sequence[Asked],
        now: datetime,
    ) -> dict[Asked, int]:
        return visitors(shop.pk, asked, now)
