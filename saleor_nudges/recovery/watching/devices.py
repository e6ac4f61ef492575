"""On what a shopper last looked at their checkout, and from where they came to the shop."""

from collections.abc import Sequence
from typing import Final

import msgspec

from saleor_nudges.events import View
from saleor_nudges.models import Shop, statements

TOLD: Final = ("device", "browser", "referrer")
# What is not said stays, and what is the same is not written again. A row somebody works on is
# passed over: the next view says the same, and nobody waits for it.
UPDATE: Final = """
    WITH told AS (
        SELECT * FROM jsonb_to_recordset(%s::text::jsonb) AS said(
            checkout text, device text, browser text, referrer text)
    ), changed AS (
        SELECT tracked.id,
               coalesce(nullif(told.device, ''), tracked.device) AS device,
               coalesce(nullif(told.browser, ''), tracked.browser) AS browser,
               coalesce(nullif(told.referrer, ''), tracked.referrer) AS referrer
        FROM saleor_nudges_trackedcheckout AS tracked
        JOIN told ON tracked.checkout = told.checkout
        WHERE tracked.shop_id = %s
          AND (coalesce(nullif(told.device, ''), tracked.device) <> tracked.device
            OR coalesce(nullif(told.browser, ''), tracked.browser) <> tracked.browser
            OR coalesce(nullif(told.referrer, ''), tracked.referrer) <> tracked.referrer)
        FOR UPDATE OF tracked SKIP LOCKED
    )
    UPDATE saleor_nudges_trackedcheckout AS tracked
    SET device = changed.device, browser = changed.browser, referrer = changed.referrer
    FROM changed WHERE tracked.id = changed.id
"""


def note(shop: Shop, views: Sequence[View]) -> None:
    """Write down what the newest views of each checkout say, oldest first as they come."""
    told: dict[str, dict[str, str]] = {}
    for view in views:
        if said := {name: value for name in TOLD if (value := getattr(view, name))}:
            told.setdefault(view.checkout, {"checkout": view.checkout}).update(said)
    if told:
        statements.run(UPDATE, [msgspec.json.encode(list(told.values())).decode(), shop.pk])
