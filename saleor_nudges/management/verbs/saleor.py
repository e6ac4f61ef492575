"""`nudges clear-schema-cache` and `nudges uninstall`: what we leave behind in a Saleor."""

from typing import Any, ClassVar

from django.core.management.base import OutputWrapper

from saleor_nudges import doctor
from saleor_nudges.management.verbs.base import Verb


class ClearSchemaCache(Verb):
    """Forget the introspection Saleor keeps for a week, so that our fields are seen."""

    name: ClassVar[str] = "clear-schema-cache"
    help: ClassVar[str] = "Forget Saleor's stored introspection."

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:  # noqa: ARG002
        out.write(f"{doctor.clear_schema_cache()} cached answers removed.")


class Uninstall(Verb):
    """Remove what would call us after the package is gone."""

    name: ClassVar[str] = "uninstall"
    help: ClassVar[str] = "Remove our periodic tasks from Saleor's scheduler."

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:  # noqa: ARG002
        out.write(f"{doctor.remove_periodic_tasks()} periodic tasks removed.")
