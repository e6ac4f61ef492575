"""What a campaign does: its steps, when it ends, when it may begin again, and what goes first.

All of it is data. `parse` reads it from what JSON gives and checks the whole; `dump` writes it
back. docs/campaigns.md has the table of fields.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from saleor_nudges.exceptions import InvalidInput
from saleor_nudges.recovery.campaigns import reading, triggers, vouchers
from saleor_nudges.recovery.campaigns.triggers import EVERYBODY, Condition
from saleor_nudges.recovery.campaigns.vouchers import Voucher
from saleor_nudges.recovery.message_channels import MessageChannel
from saleor_nudges.recovery.rules.hours import Hours, Window

# The longest sequence we know of elsewhere has five.
MOST_STEPS: Final = 10
MOST_WINDOWS: Final = 14
# A test may wait a second; nobody remembers a cart for longer than a month.
SHORTEST_DELAY, LONGEST_DELAY = timedelta(seconds=1), timedelta(days=30)
# With none at all, each change of a cart would begin the same messages again.
SHORTEST_COOL_DOWN, LONGEST_COOL_DOWN = timedelta(days=1), timedelta(days=365)
USUAL_COOL_DOWN: Final = timedelta(days=7)
LOWEST_PRIORITY: Final = 100
USUAL_PRIORITY: Final = 50
LONGEST_TEMPLATE_NAME: Final = 255
DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
# What becomes of a checkout is over once there is an order.
GONE_WITH_THE_CHECKOUT: Final = frozenset({"stage", "blocker"})


class Kind(StrEnum):
    """What a step's message is for, and what its delay counts from."""

    REMINDER = "REMINDER"  # from the shopper's last sign of life
    THANK_YOU = "THANK_YOU"  # from the order that ended the reminders


class Exit(StrEnum):
    """What ends a sequence. The first five always do, whatever the seller says."""

    ORDERED = "ORDERED"  # they bought, from this checkout or any other
    EMPTIED = "EMPTIED"  # the last line was taken out
    GONE = "GONE"  # the shop no longer has the checkout
    REFUSED = "REFUSED"  # they unsubscribed, or took their consent back
    ERASED = "ERASED"  # they were erased
    TRIGGER_ENDED = "TRIGGER_ENDED"  # the campaign's trigger no longer holds
    REPLIED = "REPLIED"  # they wrote back: somebody should read it first
    CLICKED = "CLICKED"  # they came back by a message's link, and a person did it
    CHANGED = "CHANGED"  # they changed the cart after a message


ALWAYS: Final = (Exit.ORDERED, Exit.EMPTIED, Exit.GONE, Exit.REFUSED, Exit.ERASED)
CHOSEN: Final = tuple(one for one in Exit if one not in ALWAYS)
USUAL_EXITS: Final = (Exit.TRIGGER_ENDED, Exit.REPLIED)


@dataclass(frozen=True, slots=True)
class Step:
    """One message.

    `number` counts from 1. `message_channels`: the first by which this person can be and may be
    reached is taken. `template` is its name, "" for what ships. It goes only if `condition` holds
    when it is due, and only inside the `windows` by the recipient's clock; none: any time.
    """

    number: int
    delay: timedelta
    message_channels: tuple[MessageChannel, ...] = (MessageChannel.EMAIL,)
    kind: Kind = Kind.REMINDER
    template: str = ""
    voucher: Voucher | None = None
    condition: Condition = EVERYBODY
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Sequence:
    """What a campaign does for those its `trigger` holds for.

    `cool_down` is counted from a person's last message of this campaign to their next cycle in it.
    `priority` is 1 to 100; where several campaigns want the same checkout, the smaller goes first.
    """

    steps: tuple[Step, ...]
    trigger: Condition = EVERYBODY
    exits: tuple[Exit, ...] = USUAL_EXITS
    cool_down: timedelta = USUAL_COOL_DOWN
    priority: int = USUAL_PRIORITY

    def of_kind(self, kind: Kind) -> tuple[Step, ...]:
        """Return the steps of one kind, first to last."""
        return tuple(step for step in self.steps if step.kind is kind)

    def exit_by(self, happened: Collection[Exit]) -> Exit | None:
        """Return what ends the reminders, of all that happened; None if they go on."""
        return next(
            (one for one in Exit if one in happened and one in (*ALWAYS, *self.exits)), None
        )

    def may_begin_at(self, last_sent_at: datetime | None) -> datetime | None:
        """Return from when a person may enter again; None is now. Times are aware."""
        return None if last_sent_at is None else last_sent_at + self.cool_down


FIELDS: Final = ("trigger", "steps", "exits", "coolDownSeconds", "priority")
STEP_FIELDS: Final = (
    "delaySeconds",
    "messageChannels",
    "kind",
    "template",
    "voucher",
    "condition",
    "sendWindow",
)


def parse(source: object) -> Sequence:
    """Return the sequence that a JSON-like object holds; only `steps` must be there.

    Raises InvalidInput, and nothing else, with the path of what is wrong: `steps[1].delaySeconds`.
    """
    found = reading.table(source, "sequence", known=FIELDS)
    listed = reading.row(found.get("steps"), "steps", most=MOST_STEPS)
    steps = tuple(_step(step, f"steps[{place}]", place + 1) for place, step in enumerate(listed))
    for kind in Kind:
        _must_ascend([step for step in steps if step.kind is kind])
    cool_down = found.get("coolDownSeconds", int(USUAL_COOL_DOWN.total_seconds()))
    priority = found.get("priority", USUAL_PRIORITY)
    return Sequence(
        steps=steps,
        trigger=triggers.parse(found.get("trigger", {})),
        exits=_exits(found.get("exits", USUAL_EXITS)),
        cool_down=reading.seconds(
            cool_down, "coolDownSeconds", least=SHORTEST_COOL_DOWN, most=LONGEST_COOL_DOWN
        ),
        priority=reading.whole(priority, "priority", least=1, most=LOWEST_PRIORITY),
    )


def dump(sequence: Sequence) -> dict[str, Any]:
    """Return a sequence as `parse` reads it, fit for JSON, nothing left out."""
    return {
        "trigger": triggers.dump(sequence.trigger),
        "steps": [_dump_step(step) for step in sequence.steps],
        "exits": [str(one) for one in sequence.exits],
        "coolDownSeconds": int(sequence.cool_down.total_seconds()),
        "priority": sequence.priority,
    }


def _step(source: object, path: str, number: int) -> Step:
    found = reading.table(source, path, known=STEP_FIELDS)
    kind = reading.one_of(found.get("kind", Kind.REMINDER), f"{path}.kind", tuple(Kind))
    return Step(
        number=number,
        delay=reading.seconds(
            found.get("delaySeconds"),
            f"{path}.delaySeconds",
            least=SHORTEST_DELAY,
            most=LONGEST_DELAY,
        ),
        message_channels=_message_channels(
            found.get("messageChannels", [MessageChannel.EMAIL]), f"{path}.messageChannels"
        ),
        kind=kind,
        template=_template(found.get("template", ""), f"{path}.template"),
        voucher=vouchers.parse(found.get("voucher"), f"{path}.voucher"),
        condition=_condition(found.get("condition", {}), f"{path}.condition", kind),
        windows=windows(found.get("sendWindow", []), f"{path}.sendWindow"),
    )


def _dump_step(step: Step) -> dict[str, Any]:
    return {
        "delaySeconds": int(step.delay.total_seconds()),
        "messageChannels": [str(one) for one in step.message_channels],
        "kind": str(step.kind),
        "template": step.template,
        "voucher": vouchers.dump(step.voucher) if step.voucher else None,
        "condition": triggers.dump(step.condition),
        "sendWindow": [
            {
                "opens": f"{window.opens:%H:%M}",
                "closes": f"{window.closes:%H:%M}",
                "days": [DAYS[day] for day in sorted(window.days)],
            }
            for window in step.windows
        ],
    }


def _must_ascend(steps: list[Step]) -> None:
    for earlier, later in pairwise(steps):
        if later.delay <= earlier.delay:
            raise InvalidInput(
                f"Step {later.number} comes after step {earlier.number}; give it a longer delay.",
                field=f"steps[{later.number - 1}].delaySeconds",
            )


def _message_channels(source: object, path: str) -> tuple[MessageChannel, ...]:
    known = tuple(MessageChannel)
    return reading.some(
        source, path, lambda one, here: reading.one_of(one, here, known), most=len(known)
    )


def _exits(source: object) -> tuple[Exit, ...]:
    listed = reading.row(source, "exits", most=len(Exit), least=0)
    found = {reading.one_of(one, "exits", tuple(Exit)) for one in listed}
    # Those that always hold may be named, and change nothing.
    return tuple(one for one in CHOSEN if one in found)


def _template(source: object, path: str) -> str:
    is_name = isinstance(source, str) and source.isprintable()
    if not is_name or len(str(source)) > LONGEST_TEMPLATE_NAME:
        raise InvalidInput(
            f"A template's name has at most {LONGEST_TEMPLATE_NAME} characters.", field=path
        )
    return str(source)


def _condition(source: object, path: str, kind: Kind) -> Condition:
    condition = triggers.parse(source, field=path)
    over = GONE_WITH_THE_CHECKOUT & set(triggers.words(condition))
    if kind is Kind.THANK_YOU and over:
        raise InvalidInput(
            f"After the order there is no {' or '.join(sorted(over))} any more.", field=path
        )
    return condition


def windows(source: object, path: str) -> tuple[Window, ...]:
    """Return the send windows that a list holds; none for an empty one. Raises InvalidInput."""
    listed = reading.row(source, path, most=MOST_WINDOWS, least=0)
    return tuple(_window(one, f"{path}[{place}]") for place, one in enumerate(listed))


def _window(source: object, path: str) -> Window:
    found = reading.table(source, path, known=("opens", "closes", "days"))
    named = reading.some(
        found.get("days", DAYS),
        f"{path}.days",
        lambda one, here: reading.one_of(one, here, DAYS),
        most=len(DAYS),
    )
    window = Window(
        opens=reading.clock(found.get("opens"), f"{path}.opens"),
        closes=reading.clock(found.get("closes"), f"{path}.closes"),
        days=frozenset(DAYS.index(day) for day in named),
    )
    Hours.of([window], field=path)
    return window
