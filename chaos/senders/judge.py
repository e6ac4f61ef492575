"""What became of each message: what arrived at the sink, beside what the ledger says of it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from chaos.verdict import Bar
from saleor_nudges import people
from saleor_nudges.models import Person, Send, SendState

# Whom it went to, and which step of their checkout's campaign it was.
Letter = tuple[str, int]
ADMITTED = (SendState.SENT, SendState.IN_DOUBT)
LIVE = (SendState.DUE, SendState.CLAIMED, SendState.SENDING)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the messages that had to be sent fared. Each figure counts messages.

    `doubled` arrived more than once. `lost` did not arrive and wait no more; `dropped` are those
    of them that the ledger does not show as in doubt. `misstated`: the ledger says that it was
    sent and it did not arrive, or the other way round. `left` still wait.
    """

    wanted: int
    arrived: int
    doubled: int
    lost: int
    dropped: int
    misstated: int
    in_doubt: int
    left: int

    @classmethod
    def of(
        cls, wanted: Collection[Letter], arrived: Counter[Letter], states: Mapping[Letter, str]
    ) -> Self:
        """Compare; what nobody wanted may have arrived, and is not counted as lost."""
        missing = [one for one in wanted if not arrived[one]]
        gone = [one for one in missing if states.get(one) not in LIVE]
        unsent = [one for one, state in states.items() if state == SendState.SENT]
        return cls(
            wanted=len(wanted),
            arrived=len(arrived),
            doubled=sum(count - 1 for count in arrived.values()),
            lost=len(gone),
            dropped=sum(states.get(one) != SendState.IN_DOUBT for one in gone),
            misstated=sum(states.get(one) not in ADMITTED for one in arrived)
            + sum(not arrived[one] for one in unsent),
            in_doubt=sum(state == SendState.IN_DOUBT for state in states.values()),
            left=sum(state in LIVE for state in states.values()),
        )

    def bars(self, *, honours_keys: bool = False) -> tuple[Bar, ...]:
        """Return what must hold whatever was broken; who honours keys loses nothing either."""
        return (
            Bar("lost", self.lost, 0 if honours_keys else self.in_doubt),
            Bar("sent twice", self.doubled),
            Bar("dropped", self.dropped),
            Bar("ledger and sink disagree", self.misstated),
            Bar("left waiting", self.left),
            Bar("messages", self.arrived, 1, at_least=True),
        )


def in_file(path: Path) -> Counter[Letter]:
    """Return what arrived in the file of a `FileChannel`: whatever it was handed."""
    found = [line.split(" ", 2) for line in path.read_text().splitlines()]
    return Counter((to, int(subject.removeprefix("Step "))) for _, to, subject in found)


def ledger(emails: Collection[str]) -> dict[Letter, str]:
    """Return what the ledger says of the messages to these addresses."""
    names = {people.email_hash(email): email for email in emails}
    persons = Person.objects.across_shops().exclude(email_hash=None)
    known = {pk: names.get(found) for pk, found in persons.values_list("pk", "email_hash")}
    rows = Send.objects.across_shops().order_by("id")
    return {
        (email, step): state
        for person, step, state in rows.values_list("person_id", "step_number", "state")
        if (email := known.get(person))
    }


def first_steps(arrivals: Counter[str]) -> Counter[Letter]:
    """Return what arrived where campaigns have but one step."""
    return Counter({(to, 1): times for to, times in arrivals.items()})
