"""What a batch means for one shop; an event over which a fold fails is found and left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import FrameType, TracebackType
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from saleor_nudges import people, telemetry
from saleor_nudges.consumers import completing, storing
from saleor_nudges.events import CheckoutContactKnown, CustomerErased, Event, Flow
from saleor_nudges.exceptions import HostUnavailable, StreamUnavailable
from saleor_nudges.models import Shop, statements
from saleor_nudges.stream import Entry

Fold = Callable[[Shop, Sequence[Event]], None]
# "Program limit exceeded" is about the row, though the driver counts it among the server's own.
OF_THE_ROW = "54"


class Work:
    """Stores and folds the events of one shop. Inside the caller's transaction.

    `offenders` says by id why an event was left out; `postponed` are those the shop did not answer
    for. Neither leaves a trace in any table.
    """

    def __init__(self, shop: Shop, flow: Flow, folds: Sequence[Fold]) -> None:
        self.shop, self.flow, self.folds = shop, flow, folds
        self.offenders: dict[UUID, str] = {}
        self.postponed: list[Event] = []
        self.postponed_for = completing.AWAY_SECONDS

    def run(self, events: Sequence[Event], entries: dict[UUID, Entry]) -> int:
        """Take in what is new; return how many that were. Raises what is no event's fault."""
        if not events:
            return 0
        if self.flow is Flow.COMMERCE:
            self._one_at_a_time()
            events, self.postponed = self._complete(events)
        return self._run(events, entries)

    def _one_at_a_time(self) -> None:
        # An order and its cancellation, a checkout and its shopper's erasure: side by side in two
        # workers neither would see the other, and what was undone would stand for good.
        statements.hold_commerce(self.shop.pk, alone=True)

    def _complete(self, events: Sequence[Event]) -> tuple[list[Event], list[Event]]:
        new = storing.unknown(self.shop.pk, events, self.flow)
        try:
            whole, postponed = completing.complete(self.shop, new)
        except Exception as error:
            if is_infrastructure(error):
                raise
            # The answer for one of them cannot be read: ask for each alone.
            return self._complete_each(new)
        if postponed:
            telemetry.log(
                telemetry.Log.SHOP_POSTPONED, count=len(postponed), shop_id=str(self.shop.pk)
            )
        return whole, postponed

    def _complete_each(self, events: Sequence[Event]) -> tuple[list[Event], list[Event]]:
        whole: list[Event] = []
        postponed: list[Event] = []
        for event in events:
            try:
                completed, silent = completing.complete(self.shop, [event])
                whole += completed
                postponed += silent
            except Exception as error:
                if is_infrastructure(error):
                    raise
                self.offenders[event.id] = reason_of(error)
        return whole, postponed

    def _run(self, events: Sequence[Event], entries: dict[UUID, Entry]) -> int:
        try:
            return self._attempt(events, entries)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(events) == 1:
                self.offenders[events[0].id] = reason_of(error)
                return 0
        half = len(events) // 2
        return self._run(events[:half], entries) + self._run(events[half:], entries)

    def _attempt(self, events: Sequence[Event], entries: dict[UUID, Entry]) -> int:
        """Take in all but those a fold points at; raises when it points at none."""
        with transaction.atomic():
            if self.flow is Flow.COMMERCE:
                events = [self._with_person(event) for event in events]
            new = storing.store(events, entries, self.flow)
            pointed_at: dict[UUID, str] = {}
            while (failure := self._fold(new)) is not None:
                blamed = self._blamed(*failure, new)
                if not blamed:
                    raise failure[1]
                pointed_at |= blamed
                new = [event for event in new if event.id not in blamed]
            if pointed_at:
                storing.unstore(list(pointed_at), self.flow)
                self.offenders |= pointed_at
        return len(new)

    def _with_person(self, event: Event) -> Event:
        if isinstance(event, CheckoutContactKnown):
            # Anybody can type an address: it neither makes nor changes a person by itself.
            return event
        contact = getattr(event, "contact", None)
        # Nobody is made only to be forgotten.
        look_up = people.find if isinstance(event, CustomerErased) else people.resolve
        person = look_up(self.shop, contact) if contact else None
        return replace(event, person=person.pk) if person else event

    def _fold(self, events: Sequence[Event]) -> tuple[Fold, Exception] | None:
        """Fold all or nothing; return who failed, and how."""
        fold = self.folds[0] if self.folds else None
        try:
            with transaction.atomic():
                for fold in self.folds:
                    fold(self.shop, events)
        except Exception as error:
            if fold is None or is_infrastructure(error):
                raise
            return fold, error
        return None

    def _blamed(self, fold: Fold, error: Exception, events: Sequence[Event]) -> dict[UUID, str]:
        """Return those of the events over which this fold fails, alone too, with the reasons."""
        rest = list(events)
        blamed: dict[UUID, str] = {}
        failure: Exception | None = error
        while failure is not None and (event := _in_hand(failure, rest)) is not None:
            alone = self._tried(fold, [event])
            if alone is None:
                break
            blamed[event.id] = reason_of(alone)
            rest = [other for other in rest if other is not event]
            failure = self._tried(fold, rest)
        return blamed

    def _tried(self, fold: Fold, events: Sequence[Event]) -> Exception | None:
        """Return how one fold fails over these events, and undo what it did."""
        try:
            with transaction.atomic():
                fold(self.shop, events)
                transaction.set_rollback(True)
        except Exception as error:
            if is_infrastructure(error):
                raise
            return error
        return None


def is_infrastructure(error: Exception) -> bool:
    """Tell whether something is away, which is no event's fault, so that all is tried again."""
    if isinstance(error, OperationalError):
        return not (getattr(error.__cause__, "sqlstate", None) or "").startswith(OF_THE_ROW)
    return isinstance(error, InterfaceError | StreamUnavailable | HostUnavailable)


def reason_of(error: Exception) -> str:
    """Return what failed and where. Not its message, which may quote what is personal."""
    frames = list(_frames(error.__traceback__))
    where = f" in {frames[-1].f_globals['__name__']}.{frames[-1].f_code.co_name}" if frames else ""
    return f"{type(error).__name__}{where}"


def _in_hand(error: Exception, events: Sequence[Event]) -> Event | None:
    """Return the event that was looked at when a fold failed, if one can be told.

    A guess that saves trying halves of halves; who asks makes sure of it.
    """
    known = {id(event): event for event in events}
    for frame in reversed(list(_frames(error.__traceback__))):
        for value in frame.f_locals.values():
            if (event := known.get(id(value))) is not None:
                return event
    return None


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next
