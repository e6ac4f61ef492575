"""`manage.py nudges <verb>`, and `saleor-nudges <verb>` of the App: for the person on call."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from saleor_nudges.host import host_class
from saleor_nudges.management.verbs import VERBS


class Command(BaseCommand):
    """One command, many verbs; the same ones in both ways to run."""

    help = f"Look after saleor-nudges: {', '.join(VERBS)}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
        for verb in VERBS.values():
            verb.arguments(verbs.add_parser(verb.name, help=verb.help))

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        with host_class().writing():
            VERBS[options["verb"]].run(self.stdout, options)
