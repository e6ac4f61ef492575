"""Senders killed, raced, woken too often, told a wrong time: played in `chaos.senders`."""

import json
import os
import subprocess
import sys
from typing import Final

from benchmarks import machine
from chaos.verdict import Bar, Result
from chaos.world import World

OURS: Final = frozenset({"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"})


def killed(world: World) -> list[Result]:
    """Kill -9 children of a Celery worker that sends, by SMTP and with keys; then Celery alone."""
    return played("senders-killed", world.scale)


def interleavings(world: World) -> list[Result]:
    """Let purchases, and noes, come in at every moment of a message that is about to go."""
    return played("interleavings", world.scale)


def beats(world: World) -> list[Result]:
    """Five beats at once, none for six hours, and workers stopped for ten leases."""
    return played("beats", world.scale)


def skew(world: World) -> list[Result]:
    """Sweep by clocks that are two hours and three days off."""
    return played("clock-skew", world.scale)


def defects(world: World) -> list[Result]:
    """Put defects into the senders, and see whether the checks see them."""
    return played("defects", world.scale)


def played(name: str, scale: float) -> list[Result]:
    """Play a row in a process of its own, on servers of its own; return its lines."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in OURS and not name.startswith("NUDGES_")
    }
    done = subprocess.run(
        [sys.executable, "-m", "chaos.senders", name, str(scale)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=machine.ROOT,
        env=environment,
    )
    lines = json.loads(done.stdout.splitlines()[-1])
    return [Result(**line | {"bars": tuple(Bar(**bar) for bar in line["bars"])}) for line in lines]
