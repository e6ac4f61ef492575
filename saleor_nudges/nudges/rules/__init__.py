"""Which words need what data, in whose law: one table. docs/words.md says how a rule is added."""

from typing import Final

from saleor_nudges.nudges.rules.base import ANY, CALLS, Rule, expression
from saleor_nudges.nudges.rules.data import DATA
from saleor_nudges.nudges.rules.law import PACKS
from saleor_nudges.nudges.rules.numbers import NUMBERS
from saleor_nudges.nudges.rules.pressure import PRESSURE
from saleor_nudges.nudges.rules.times import TIMES

RULES: Final[tuple[Rule, ...]] = (*NUMBERS, *DATA, *TIMES, *PRESSURE)

__all__ = ["ANY", "CALLS", "PACKS", "RULES", "Rule", "expression"]
