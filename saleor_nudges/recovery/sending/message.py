"""The message itself: a template, a checkout, and the two links."""

from decimal import Decimal
from email.utils import formataddr
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import get_currency_precision

from saleor_nudges import people, wording
from saleor_nudges.messaging import templates
from saleor_nudges.messaging.channels import Message
from saleor_nudges.models import RecoveryVoucher, Send, Shop
from saleor_nudges.recovery.campaigns import sandbox
from saleor_nudges.recovery.giving import words
from saleor_nudges.recovery.way_back import links


def prepare(send: Send, given: RecoveryVoucher | None = None) -> Message:
    """Return the message of a claimed row, with what it gives away, if anything.

    Raises InvalidInput if its template cannot be filled.
    """
    contact = people.contact_of(send.person)
    language = send.checkout.language or send.shop.default_language
    unsubscribe = links.unsubscribe_url(send)
    facts = {
        "shop": send.shop.name,
        "first_name": wording.plain_name(contact.first_name),
        "lines": [_line(line, send.checkout.currency) for line in lines_of(send)],
        # Of what is left out the price is in the total.
        "total": money(send.checkout.total, send.checkout.currency) if _is_whole(send) else "",
        "voucher": words.facts(given, send.shop.timezone, language),
        "language": language,
        # What was bought is not left any more.
        "return_url": "" if send.order else links.return_url(send),
        "unsubscribe_url": unsubscribe,
    }
    ours = templates.THANKS if send.order else templates.REMINDER
    written = templates.write(send.step.subject, send.step.text, send.step.html, facts, ours)
    return Message(
        key=send.pk.hex,
        to=sandbox.recipient(contact.email, send.person_id),
        sender=formataddr((send.shop.sender_name or send.shop.name, send.shop.sender_email)),
        subject=sandbox.marked(written.subject, contact.email),
        text=written.text,
        html=written.html,
        headers={
            # RFC 8058: a mail program may offer one click, and will POST.
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Message-ID": f"<{send.pk.hex}.{send.fence}@{_domain(send.shop)}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def lines_of(send: Send) -> list[dict[str, Any]]:
    """Return the lines that a message is about: what can still be bought, and of thanks none."""
    if send.order:
        # What they ordered need not be what they had left.
        return []
    lines: list[dict[str, Any]] = send.checkout.lines if send.lines is None else send.lines
    return lines


def _is_whole(send: Send) -> bool:
    return not send.order and (send.lines is None or send.lines == send.checkout.lines)


def money(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency, or nothing for nothing."""
    if not amount or not currency:
        return ""
    return f"{amount:.{get_currency_precision(currency)}f} {currency}"


def _line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "name": line["product_name"],
        "quantity": line["quantity"],
        "image": line["image_url"] if urlsplit(line["image_url"]).scheme == "https" else "",
        "price": money(Decimal(line["unit_price"]), currency),
    }


def _domain(shop: Shop) -> str:
    return shop.sender_email.rpartition("@")[2] or "localhost"
