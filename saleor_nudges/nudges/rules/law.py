"""Whose law a rule is from, for each pack a seller may choose."""

from typing import Final

UK, EU, US = "UK", "EU", "US"
PACKS: Final = (UK, EU, US)

_UK_MISLEADING: Final = "DMCC Act 2024, section 226; CAP Code, rules 3.1 and 3.7"
_UK_URGENCY: Final = "DMCC Act 2024, section 226; CMA, open letter on urgency claims, 29 March 2023"
_EU_MISLEADING: Final = "Directive 2005/29/EC, Article 6(1)"
_US_DECEPTIVE: Final = "FTC Act, section 5 (15 U.S.C. 45)"
_US_ACTIVITY: Final = (
    "FTC Act, section 5 (15 U.S.C. 45); FTC staff report “Bringing Dark Patterns to Light”, 2022"
)

MISLEADING: Final = {UK: _UK_MISLEADING, EU: _EU_MISLEADING, US: _US_DECEPTIVE}
DEMAND: Final = {UK: _UK_URGENCY, EU: _EU_MISLEADING, US: _US_ACTIVITY}
SCARCITY: Final = {
    UK: _UK_URGENCY,
    EU: "Directive 2005/29/EC, Annex I, points 7 and 18",
    US: _US_ACTIVITY,
}
DEADLINE: Final = {
    UK: "DMCC Act 2024, Schedule 20 (very limited time); CAP Code, rule 3.31",
    EU: "Directive 2005/29/EC, Annex I, point 7",
    US: _US_ACTIVITY,
}
REVIEWS: Final = {
    UK: "DMCC Act 2024, Schedule 20, paragraph 13 (fake reviews); CAP Code, rule 3.45",
    EU: "Directive 2005/29/EC, Annex I, points 23b and 23c",
    US: "16 CFR Part 465, section 465.2",
}
# What is mere praise in the United States must be proved in Europe.
PRAISE: Final = {UK: _UK_MISLEADING, EU: _EU_MISLEADING}
# A reason to be quick is asked for in Europe.
PRESSING: Final = {UK: _UK_URGENCY, EU: SCARCITY[EU]}
