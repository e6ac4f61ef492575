"""Why a message has not gone, in plain words: "deferred: 22:40 in Lisbon, goes at 08:00".

The list is closed: whatever keeps a message back names one of these. No sentence names a person,
an address or a checkout, so each may stand in a log.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from babel.dates import format_datetime, format_timedelta, get_timezone_location

from saleor_nudges.recovery import spoken
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.spoken import Words

# Up to here "at 08:00" is understood; later the day is named.
SOON: Final = timedelta(hours=24)


class Fate(StrEnum):
    """What becomes of a message that was kept back."""

    WAITS = "WAITS"  # it is tried again
    OVER = "OVER"  # it never goes
    IN_DOUBT = "IN_DOUBT"  # it may have gone, and is never repeated


class Reason(StrEnum):
    """Every reason there is, each with what usually becomes of the message."""

    fate: Fate

    def __new__(cls, word: str, fate: Fate) -> "Reason":
        """Make a member whose value is the word alone."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.fate = fate
        return member

    # Its moment has not come.
    NOT_DUE = "NOT_DUE", Fate.WAITS
    SPACING = "SPACING", Fate.WAITS
    QUIET_HOURS = "QUIET_HOURS", Fate.WAITS
    SEND_WINDOW = "SEND_WINDOW", Fate.WAITS
    CAP = "CAP", Fate.WAITS
    OUTAGE = "OUTAGE", Fate.WAITS
    LATE = "LATE", Fate.WAITS
    OUT_OF_STOCK = "OUT_OF_STOCK", Fate.WAITS
    CHECKOUT_CHANGED = "CHECKOUT_CHANGED", Fate.WAITS
    CONTACT_CHANGED = "CONTACT_CHANGED", Fate.WAITS
    PAYMENT_STARTED = "PAYMENT_STARTED", Fate.WAITS
    # Something of ours, of the shop or of the provider is not ready.
    SENDING_OFF = "SENDING_OFF", Fate.WAITS
    CAMPAIGN_OFF = "CAMPAIGN_OFF", Fate.WAITS
    INSTALLATION_CHANGED = "INSTALLATION_CHANGED", Fate.WAITS
    NOT_CAUGHT_UP = "NOT_CAUGHT_UP", Fate.WAITS
    EVENTS_WAITING = "EVENTS_WAITING", Fate.WAITS
    HOST_UNAVAILABLE = "HOST_UNAVAILABLE", Fate.WAITS
    HOST_BUSY = "HOST_BUSY", Fate.WAITS
    PROVIDER_AWAY = "PROVIDER_AWAY", Fate.WAITS
    PROVIDER_PAUSED = "PROVIDER_PAUSED", Fate.WAITS
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE", Fate.WAITS
    TROUBLE = "TROUBLE", Fate.WAITS
    ORDER_VOID = "ORDER_VOID", Fate.OVER
    # They bought, said no, or cannot be reached; or there is no checkout any more.
    ORDERED = "ORDERED", Fate.OVER
    RECENT_PURCHASE = "RECENT_PURCHASE", Fate.OVER
    CHECKOUT_CLOSED = "CHECKOUT_CLOSED", Fate.OVER
    CHECKOUT_GONE = "CHECKOUT_GONE", Fate.OVER
    UNSUBSCRIBED = "UNSUBSCRIBED", Fate.OVER
    NO_CONSENT = "NO_CONSENT", Fate.OVER
    NO_CONTACT = "NO_CONTACT", Fate.OVER
    ERASED = "ERASED", Fate.OVER
    # The campaign does not want it, or another one does.
    NO_CAMPAIGN = "NO_CAMPAIGN", Fate.OVER
    BEFORE_ACTIVATION = "BEFORE_ACTIVATION", Fate.OVER
    TRIGGER_NOT_MET = "TRIGGER_NOT_MET", Fate.OVER
    STEP_CONDITION_NOT_MET = "STEP_CONDITION_NOT_MET", Fate.OVER
    SEQUENCE_ENDED = "SEQUENCE_ENDED", Fate.OVER
    HELD_OUT = "HELD_OUT", Fate.OVER
    NEWER_CHECKOUT = "NEWER_CHECKOUT", Fate.OVER
    OUTRANKED = "OUTRANKED", Fate.OVER
    COOLING_DOWN = "COOLING_DOWN", Fate.OVER
    ALL_SENT = "ALL_SENT", Fate.OVER
    # It could not go in time, or not at all.
    NO_HOURS = "NO_HOURS", Fate.OVER
    CAPPED = "CAPPED", Fate.OVER
    TOO_OLD = "TOO_OLD", Fate.OVER
    TEMPLATE = "TEMPLATE", Fate.OVER
    PROVIDER_REFUSED = "PROVIDER_REFUSED", Fate.OVER
    DEAD_LETTER = "DEAD_LETTER", Fate.OVER
    # Nobody knows whether it went.
    WORKER_LOST = "WORKER_LOST", Fate.IN_DOUBT
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN", Fate.IN_DOUBT


@dataclass(frozen=True, slots=True)
class Why:
    """One reason, and what is known of it.

    `at`: when it kept the message back. `until`: when the message goes, or, if it never does, when
    the person may be written to again. Both are aware and said by the clock of `zone`, the
    recipient's (None: UTC). `limit` messages in `per` are the most, for CAP and CAPPED. `fate`:
    what became of the message, where that is not what the reason usually means.
    """

    reason: Reason
    at: datetime | None = None
    until: datetime | None = None
    zone: tzinfo | None = None
    message_channel: MessageChannel | None = None
    limit: int | None = None
    per: timedelta | None = None
    fate: Fate | None = None


def say(why: Why, language: str = spoken.FALLBACK) -> str:
    """Return a reason as one sentence, in English where there is none in the language.

    What is not known is left out of the sentence.
    """
    language = spoken.nearest(language)
    words = spoken.WORDS[language]
    pieces = _pieces(why, language, words)
    fate = why.fate or why.reason.fate
    is_timed = fate is Fate.WAITS and why.until is not None
    full, short = words.sentences[why.reason]
    sentence = _filled(full, pieces) or short
    ending = _filled(words.endings[fate], pieces) or ""
    return f"{words.deferred if is_timed else words.openings[fate]}: {sentence}{ending}"


def _filled(text: str, pieces: dict[str, str]) -> str | None:
    try:
        return text.format_map(pieces)
    except KeyError:
        return None


def _pieces(why: Why, language: str, words: Words) -> dict[str, str]:
    zone = why.zone or UTC
    pieces = {}
    if why.at is not None:
        pieces["at"] = f"{why.at.astimezone(zone):%H:%M}"
        pieces["place"] = _place(zone, language)
    if why.until is not None:
        pieces["until"] = _when(why, why.until, language, words)
    if why.message_channel is not None:
        pieces["channel"] = words.channels[why.message_channel]
    if why.limit is not None and why.per is not None:
        pieces["limit"] = str(why.limit)
        pieces["per"] = format_timedelta(why.per, threshold=2, locale=language)
    return pieces


def _when(why: Why, until: datetime, language: str, words: Words) -> str:
    until = until.astimezone(why.zone or UTC)
    # The recipient's own clock needs no name; any other does.
    time = f"{until:%H:%M}" if why.zone else f"{until:%H:%M} UTC"
    if why.at is not None and abs(until - why.at) < SOON:
        return words.at_time.format(time=time)
    return words.on_day.format(day=format_datetime(until, words.day, locale=language), time=time)


def _place(zone: tzinfo, language: str) -> str:
    """Return the city that a zone is named after: "Lisbon", or "Lissabon" in German."""
    name = get_timezone_location(zone, locale=language, return_city=True)
    # Of "Argentina/Buenos Aires" nobody needs the first half.
    return str(name).rpartition("/")[2]
