"""The sentences of `reasons`, by language. Another language is another entry of WORDS.

A sentence is written twice: with what it may say exactly, and for when that is not known. Pieces:
{at} and {place} by the recipient's clock, {channel}, {limit}, {per}, {until}.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FALLBACK: Final = "en"

# (with its pieces, without them)
Sentence = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `openings` and `endings` are by fate; `deferred` opens what waits for a time.

    `day` is how a day is written, in the pattern letters of Unicode; `at_time` and `on_day` make
    {until}.
    """

    sentences: Mapping[str, Sentence]
    channels: Mapping[str, str]
    openings: Mapping[str, str]
    endings: Mapping[str, str]
    deferred: str
    day: str
    at_time: str
    on_day: str


def nearest(language: str) -> str:
    """Return the language there are words in: pt for pt-br, English where there is none."""
    language = language.lower().replace("_", "-")
    while language and language not in WORDS:
        language = language.rpartition("-")[0]
    return language or FALLBACK


def _plain(sentence: str) -> Sentence:
    return sentence, sentence


ENGLISH: Final = Words(
    deferred="deferred",
    openings={"WAITS": "waiting", "OVER": "not sent", "IN_DOUBT": "in doubt"},
    endings={
        "WAITS": ", goes {until}",
        "OVER": "; the next may go {until}",
        "IN_DOUBT": "; it is never repeated",
    },
    day="EEE d MMM",
    at_time="at {time}",
    on_day="on {day} at {time}",
    channels={"EMAIL": "email", "SMS": "SMS", "WHATSAPP": "WhatsApp", "PUSH": "push"},
    sentences={
        "NOT_DUE": _plain("its time has not come"),
        "SPACING": _plain("the message before it went late"),
        "QUIET_HOURS": ("{at} in {place}", "quiet hours where they are"),
        "SEND_WINDOW": ("{at} in {place}, outside the step's hours", "outside the step's hours"),
        "CAP": (
            "{limit} in {per} is the most for one person",
            "they were written to as often as they may be",
        ),
        "OUTAGE": _plain("we were away, and what waited goes out little by little"),
        "LATE": _plain("its time has passed, it goes as soon as it can"),
        "OUT_OF_STOCK": _plain("nothing in the cart can be bought until it is back in stock"),
        "CHECKOUT_CHANGED": _plain("the shopper was here again, the wait counts from there"),
        "CONTACT_CHANGED": _plain("the shopper corrected their address"),
        "PAYMENT_STARTED": _plain("the checkout is being paid"),
        "SENDING_OFF": _plain("sending is off, or no legal basis is chosen"),
        "CAMPAIGN_OFF": _plain("the campaign is not switched on"),
        "INSTALLATION_CHANGED": _plain("this is another installation, somebody must confirm it"),
        "NOT_CAUGHT_UP": _plain("the shop's orders are not known up to now"),
        "EVENTS_WAITING": _plain("news of a purchase or of a no waits to be read"),
        "HOST_UNAVAILABLE": _plain("the shop did not answer"),
        "HOST_BUSY": _plain("the shop is changing this checkout"),
        "PROVIDER_AWAY": (
            "the provider for {channel} was not reached, or said not now",
            "the provider was not reached, or said not now",
        ),
        "PROVIDER_PAUSED": (
            "{channel} is paused, too many messages failed",
            "the provider is paused, too many messages failed",
        ),
        "CHANGED_MEANWHILE": _plain("something changed while it was looked at"),
        "TROUBLE": _plain("something of ours failed before it was sent, the log says what"),
        "ORDERED": _plain("they bought"),
        "ORDER_VOID": _plain("their order was cancelled or refunded"),
        "RECENT_PURCHASE": _plain("they bought lately"),
        "CHECKOUT_CLOSED": _plain("the checkout was emptied, ordered or recovered"),
        "CHECKOUT_GONE": _plain("the shop no longer has the checkout"),
        "UNSUBSCRIBED": (
            "their address is on the list of those never written to by {channel}",
            "their address is on the list of those never written to",
        ),
        "NO_CONSENT": (
            "they have not agreed to be written to by {channel}",
            "they have not agreed to be written to",
        ),
        "NO_CONTACT": (
            "no address for {channel} is known",
            "nothing is known by which they could be reached",
        ),
        "ERASED": _plain("the person was erased"),
        "NO_CAMPAIGN": _plain("no campaign is for this checkout"),
        "BEFORE_ACTIVATION": _plain("the checkout was left before the campaign was switched on"),
        "TRIGGER_NOT_MET": _plain("the campaign's trigger does not hold"),
        "STEP_CONDITION_NOT_MET": _plain("the step's condition does not hold"),
        "SEQUENCE_ENDED": _plain("one of the campaign's exit rules ended it"),
        "HELD_OUT": _plain("they are in the group that an experiment writes nothing to"),
        "NEWER_CHECKOUT": _plain("they have a newer checkout"),
        "OUTRANKED": _plain("another campaign comes first for this checkout"),
        "COOLING_DOWN": _plain("this campaign wrote to them lately"),
        "ALL_SENT": _plain("every step has gone"),
        "NO_HOURS": (
            "the step's hours and those of {channel} never meet",
            "the step's hours and those of its message channel never meet",
        ),
        "CAPPED": (
            "{limit} in {per} is the most for one person, later is too late",
            "they were written to so often that it would come too late",
        ),
        "TOO_OLD": _plain("it could not go for so long that the cart is forgotten"),
        "TEMPLATE": _plain("the template could not be filled, the log says why"),
        "PROVIDER_REFUSED": (
            "the provider for {channel} said no, for good",
            "the provider said no, for good",
        ),
        "DEAD_LETTER": _plain("it failed three times and was put aside"),
        "WORKER_LOST": _plain("the worker died while it was handed over"),
        "OUTCOME_UNKNOWN": _plain("the connection broke after it was handed over"),
    },
)

WORDS: Final[Mapping[str, Words]] = {FALLBACK: ENGLISH}
