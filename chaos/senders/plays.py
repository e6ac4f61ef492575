"""Every play by its name; the first names are those of the rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from chaos.defects import DEFECTS
from chaos.senders import beats, deaths, killed, proof, races, skew
from chaos.senders.ground import Ground
from chaos.verdict import Result

# For the tests: those that are seen soonest, one of each kind.
QUICK: Final = ("the doubtful repeated", "no keys", "purchases forgotten")


def every_beat(ground: Ground) -> list[Result]:
    """Play the three troubles of beats."""
    return [beats.at_once(ground), beats.missed(ground), beats.asleep(ground)]


def small(ground: Ground) -> list[Result]:
    """Play what a test has the time for."""
    return [
        deaths.played(ground, least=40),
        races.played(ground, least=48),
        beats.at_once(ground, least=20),
        beats.asleep(ground, least=24, leases=2, often=0.12),
        skew.played(ground, least=4),
        proof.played(ground, [one for one in DEFECTS if one.name in QUICK]),
    ]


_PLAYS: Final[dict[str, Callable[[Ground], list[Result]]]] = {
    "senders-killed": killed.rows,
    "interleavings": lambda ground: [races.played(ground), races.played(ground, kills=True)],
    "killed-readers": lambda ground: [races.played(ground, kills=True)],
    "beats": every_beat,
    "clock-skew": lambda ground: [skew.played(ground)],
    "defects": lambda ground: [proof.played(ground)],
    "deaths": lambda ground: [deaths.played(ground)],
    "small": small,
}


def play(name: str, folder: Path, scale: float) -> list[Result]:
    """Play one of them."""
    return _PLAYS[name](Ground(folder, scale))
