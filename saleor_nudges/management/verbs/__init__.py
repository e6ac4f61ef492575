"""The verbs of the command there are: one list. Adding one is a file, a line here, and a test."""

from saleor_nudges.management.verbs.archive import Archive, Restore
from saleor_nudges.management.verbs.base import Verb
from saleor_nudges.management.verbs.consume import Consume
from saleor_nudges.management.verbs.dead_letters import DeadLetters
from saleor_nudges.management.verbs.doctor import Doctor
from saleor_nudges.management.verbs.explain import Explain
from saleor_nudges.management.verbs.recount import Recount
from saleor_nudges.management.verbs.resume_sending import ResumeSending
from saleor_nudges.management.verbs.saleor import ClearSchemaCache, Uninstall
from saleor_nudges.management.verbs.simulate import Simulate
from saleor_nudges.management.verbs.sweep import Sweep

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Doctor(),
        Explain(),
        Consume(),
        DeadLetters(),
        Sweep(),
        Simulate(),
        ResumeSending(),
        Archive(),
        Restore(),
        Recount(),
        ClearSchemaCache(),
        Uninstall(),
    )
}

__all__ = ["VERBS", "Verb"]
