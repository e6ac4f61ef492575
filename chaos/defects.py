"""Defects put into the senders on purpose: the harness is worth as much as those it sees (R16).

Each breaks one promise of the engine, in the workers only, and names the check that must go red
and the bars it must go red by. Where the engine's names change, this table is what changes.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import OuterRef, Q, Value
from django.db.models.functions import Now

from chaos.senders import beats, deaths, races, skew
from chaos.senders.ground import Ground
from chaos.verdict import Result
from saleor_nudges.exceptions import DeliveryFailed
from saleor_nudges.messaging.channels import Channel, Message
from saleor_nudges.models import MessageChannel, Person, Send, SendState

SEND: Final = "saleor_nudges.recovery.sending.send"
CLAIMS: Final = "saleor_nudges.recovery.sending.claims"
MARKING: Final = "saleor_nudges.recovery.sending.marking"
OUTCOMES: Final = "saleor_nudges.recovery.sending.outcomes"
VOLLEY: Final = "saleor_nudges.recovery.sending.volley"
CHANNELS: Final = "saleor_nudges.messaging.channels"
CONDITIONS: Final = "saleor_nudges.recovery.sending.conditions"
WATCH: Final = "saleor_nudges.recovery.watching.watch"
MANNERS: Final = "saleor_nudges.recovery.campaigns.manners"
PLAN: Final = "saleor_nudges.recovery.rules.plan"
CONSENT: Final = "saleor_nudges.consent"
PEOPLE: Final = "saleor_nudges.people"
NEVER: Final = Q(pk__in=())

Check = Callable[[Ground], Result]


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing done wrong. `around` changes the tables as well, and puts them right again."""

    name: str
    breaks: str
    check: Check
    seen_by: tuple[str, ...]
    sow: Callable[[], None] = lambda: None
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def is_seen_in(self, found: Result) -> bool:
        """Tell whether one of the bars is broken that this defect must break."""
        return any(not bar.holds for bar in found.bars if bar.name in self.seen_by)


def put(module: str, name: str, value: object) -> None:
    """Put something in the place of what a module has by that name; raises when it has nothing."""
    place = import_module(module)
    getattr(place, name)
    setattr(place, name, value)
    # What was put into words before says what was true then.
    import_module(VOLLEY)._statement.cache_clear()  # noqa: SLF001


def wrap(module: str, name: str, around: Callable[[Any], Any]) -> None:
    """Put something around what a module has by that name."""
    put(module, name, around(getattr(import_module(module), name)))


# What is done wrong, in the order of the table.


def mark_with_the_outcome() -> None:
    """The mark is committed together with the outcome, not before the message leaves."""

    def around(original: Any) -> Any:
        def send_due(**told: Any) -> int:
            with transaction.atomic():
                found: int = original(**told)
            return found

        return send_due

    wrap(SEND, "send_due", around)


def hold_claims_for_good() -> None:
    """A lease never ends: what a dead worker held is nobody's."""
    put(CLAIMS, "lease", lambda: Now() + timedelta(days=3650))


def repeat_the_doubtful() -> None:
    """What was marked and not finished is sent again."""

    def again(_honouring: object) -> int:
        lost = Send.objects.across_shops().filter(state=SendState.SENDING, lease_until__lt=Now())
        return lost.update(state=SendState.DUE)

    put(SEND, "give_up_on_the_doubtful", again)


def repeat_the_unknown() -> None:
    """A provider that took it and then said no more is taken for one that did not take it."""

    class Hasty(Channel):
        def __init__(self, channel: Channel) -> None:
            self.channel = channel

        def send(self, message: Message) -> None:
            try:
                self.channel.send(message)
            except OSError as error:
                raise DeliveryFailed from error

    wrap(CHANNELS, "get_channel", lambda original: lambda name: Hasty(original(name)))


def forget_the_fence() -> None:
    """A worker that slept past its lease goes on as if the row were still its own."""
    for module in (OUTCOMES, MARKING):
        put(module, "mine", lambda send: Send.objects.of(send.shop_id).filter(pk=send.pk))
    for module, name in ((OUTCOMES, "FINISH"), (VOLLEY, "MARK")):
        wrap(module, name, lambda text: text.replace("fence = %s", "%s::int IS NOT NULL"))


def _without(*reasons: str) -> Callable[[], None]:
    def sow() -> None:
        def around(original: Any) -> Any:
            def conditions(channel: MessageChannel) -> Sequence[Any]:
                return tuple(one for one in original(channel) if one.reason not in reasons)

            return conditions

        wrap(CONDITIONS, "conditions", around)

    return sow


def forget_purchases() -> None:
    """Nobody asks whether they have bought, and no order closes a checkout."""
    _without("ORDERED")()
    put(WATCH, "_close_checkouts", lambda shop, order: None)  # noqa: ARG005


def compare_no_accounts() -> None:
    """Two addresses on one account are two people, also when one of them has bought."""
    put(PEOPLE, "same_person", lambda person: Q(pk=OuterRef(person)))

    def alike(shop: Any, person: UUID) -> Any:
        return Person.objects.of(shop).filter(pk=person).values("pk")

    put(WATCH, "alike", alike)


def forget_who_said_no() -> None:
    """Nobody asks whether an address is suppressed."""
    put(CONSENT, "is_suppressed", lambda channel: NEVER)  # noqa: ARG005


def ask_no_shop() -> None:
    """What the shop says of a checkout at the last moment changes nothing."""
    put(MARKING, "_still_silent", lambda send, checkout: True)  # noqa: ARG005
    put(VOLLEY, "_is_silent", lambda send, checkout: True)  # noqa: ARG005


def go_by_our_own_clock() -> None:
    """The application's clock decides, not the database's."""
    ours: Mapping[str, Any] = {
        "Now": lambda: Value(datetime.now(UTC)),
        "database_now": lambda: datetime.now(UTC),
    }
    for name, module in list(sys.modules.items()):
        if name.startswith("saleor_nudges"):
            for word in ours.keys() & vars(module).keys():
                put(name, word, ours[word])


def keep_no_hours() -> None:
    """A shop's hours are not read."""
    put(MANNERS, "hours_of", lambda shop: {})  # noqa: ARG005


def catch_up_at_once() -> None:
    """What is overdue goes together, however far apart it was planned."""
    put(PLAN, "KEPT", 0.0)


def drop_the_keys() -> None:
    """The ledger's unique keys are gone."""
    with connection.schema_editor() as editor:
        for key in Send._meta.constraints:
            editor.remove_constraint(Send, key)


def make_the_keys() -> None:
    """Make them again, of an empty ledger."""
    Send.objects.across_shops().delete()
    with connection.schema_editor() as editor:
        for key in Send._meta.constraints:
            editor.add_constraint(Send, key)


def _asleep(ground: Ground) -> Result:
    return beats.asleep(ground, least=40, leases=2, often=0.12)


def _races(ground: Ground) -> Result:
    return races.played(ground, least=96)


CAPTURED: Final = ("marked after the capture",)
DEFECTS: Final = (
    Defect("mark with the outcome", "marked before it leaves", deaths.played,
           ("sent twice",), mark_with_the_outcome),
    Defect("claims held for good", "what a dead worker held goes on", deaths.played,
           ("left waiting",), hold_claims_for_good),
    Defect("the doubtful repeated", "never handed over again", deaths.played,
           ("sent twice",), repeat_the_doubtful),
    Defect("the unknown repeated", "never handed over again", deaths.played,
           ("sent twice",), repeat_the_unknown),
    Defect("no fence", "one worker at a time", _asleep,
           ("sent twice", "ledger and sink disagree"), forget_the_fence),
    Defect("no keys", "one row for each step", beats.at_once,
           ("entered twice",), before=drop_the_keys, after=make_the_keys),
    Defect("all that is overdue at once", "steps keep their distance", beats.missed,
           ("two steps at once",), catch_up_at_once),
    Defect("purchases forgotten", "nobody who has bought", _races, CAPTURED, forget_purchases),
    Defect("news not waited for", "nobody who has bought", _races, CAPTURED,
           _without("EVENTS_WAITING")),
    Defect("accounts not compared", "nobody who has bought", _races, CAPTURED,
           compare_no_accounts),
    Defect("no forgotten", "nobody who said no", _races, CAPTURED, forget_who_said_no),
    Defect("shop not asked", "nothing about what is gone", _races,
           ("wrongly written to",), ask_no_shop),
    Defect("orders not known", "nothing before orders are known", _races,
           ("wrongly written to",), _without("NOT_CAUGHT_UP")),
    Defect("our own clock", "the database's clock decides", skew.played,
           ("too early", "outside hours", "dropped", "left waiting"), go_by_our_own_clock),
    Defect("no hours", "nothing outside the shop's hours", skew.played,
           ("outside hours",), keep_no_hours),
)  # fmt: skip
