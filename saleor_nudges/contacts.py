"""An address that somebody typed into a checkout's form, as a storefront tells it: nobody's proof.

It may be anybody's: what becomes of it is in `recovery.watching.watch`, and must neither
change nor tell anything of whoever has that address.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from saleor_nudges.events import CheckoutContactKnown, Contact
from saleor_nudges.exceptions import InvalidEvent

# What could not be told in time is forgotten; a visitor's clock may be wrong by some hours.
GOOD_FOR: Final = timedelta(hours=24)
# Of an address that mail can be sent to (RFC 5321).
LONGEST: Final = 254


def read(
    shop: UUID, channel: str, checkout: str, at: datetime, data: Any, name: str, now: datetime
) -> CheckoutContactKnown:
    """Return the event of an item; raises InvalidEvent, with no word of what was typed.

    `name` is the id the storefront gave it. Sent twice it is one event, but the event's own id is
    derived as that of every fact: no browser may name an event of this flow.
    """
    if not checkout:
        raise InvalidEvent("Whose checkout is it?", field="checkout")
    said = data if isinstance(data, dict) else {}
    if said.get("agreed") is not True:
        raise InvalidEvent("Only of a visitor who agreed.", field="data")
    if now - at > GOOD_FOR:
        raise InvalidEvent("An address is told at once or not at all.", field="at")
    return CheckoutContactKnown(
        shop=shop,
        channel=channel,
        occurred_at=at,
        checkout=checkout,
        contact=Contact(email=_email(said.get("email"))),
        revision=name,
    )


def _email(value: Any) -> str:
    wrong = InvalidEvent("This is no email address.", field="data")
    # Quoted names may hold anything, and nobody types one.
    if not isinstance(value, str) or not value.isprintable() or '"' in value:
        raise wrong
    email = value.strip()
    if len(email) > LONGEST:
        raise wrong
    try:
        validate_email(email)
    except ValidationError as error:
        raise wrong from error
    return email
