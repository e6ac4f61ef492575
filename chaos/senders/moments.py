"""The worst moments to die, to fall asleep or to hear nothing more: named, and struck by chance."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

# While the shop is asked for what a thin fact left out: its reader holds a batch.
READ: Final = "read"
# After the claim; with the checkout held, just before the mark; marked; taken by the provider.
CLAIMED, HELD, MARKED, TAKEN = "claimed", "held", "marked", "taken"

LONGEST_WAIT: Final = 0.004


def die() -> None:
    """As `kill -9` would have it."""
    os.kill(os.getpid(), signal.SIGKILL)


def fall_asleep() -> None:
    """Stop until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def hear_nothing() -> None:
    """Lose the line to whoever is being spoken to."""
    raise ConnectionResetError


def dawdle() -> None:
    """Take as long as a shop or a provider may."""
    time.sleep(random.random() * LONGEST_WAIT)


# What happens at which moment, and how likely. Set before the workers are started.
Plan = Mapping[str, Mapping[Callable[[], None], float]]
_plan: dict[str, Mapping[Callable[[], None], float]] = {}


def plan(wanted: Plan) -> None:
    """Have this happen from now on, in the workers that are started from here."""
    _plan.clear()
    _plan.update(wanted)


def at(moment: str) -> None:
    """Let happen what is to happen."""
    for act, likelihood in _plan.get(moment, {}).items():
        if random.random() < likelihood:
            act()
