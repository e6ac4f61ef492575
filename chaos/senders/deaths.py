"""R1, small: senders that die, or lose the line, at the worst moments."""

from chaos.senders import engine, judge, moments
from chaos.senders.ground import Ground
from chaos.senders.population import a_shop, numbered, populate
from chaos.verdict import Bar, Result

WORKERS = 3
# Each moment strikes often enough that of some dozens of messages each is struck.
MOMENTS: moments.Plan = {
    moments.CLAIMED: {moments.die: 0.05},
    moments.HELD: {moments.die: 0.06},
    moments.MARKED: {moments.die: 0.06},
    moments.TAKEN: {moments.die: 0.15, moments.hear_nothing: 0.1},
}


def played(ground: Ground, least: int = 60) -> Result:
    """Send so many messages by workers that kill themselves; compare the sink with the ledger."""
    ground.clear()
    leavers = list(numbered([a_shop("deaths")], ground.count(2000, least)))
    populate(leavers, in_ledger=True)
    with ground.crew(*[engine.send_due] * WORKERS, moments_of=MOMENTS) as crew:
        crew.until_all_tried()
    wanted = [(one.email, 1) for one in leavers]
    arrived = judge.in_file(ground.sink)
    found = judge.Judgement.of(wanted, arrived, judge.ledger([one.email for one in leavers]))
    return Result(
        id="deaths",
        what="killed at the worst moments: no message twice, each lost one in doubt",
        injected=f"{crew.died} x kill -9 at a named moment",
        posted=found.wanted,
        accepted=found.arrived,
        lost=found.lost,
        doubled=found.doubled,
        in_doubt=found.in_doubt,
        bars=(*found.bars(), Bar("deaths", crew.died, 1, at_least=True)),
    )
