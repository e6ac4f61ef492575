"""What a verb of the command is: its name, its arguments, and what it does."""

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import OutputWrapper


class Verb(ABC):
    """One verb of `nudges`. `options` are what its own arguments were given."""

    name: ClassVar[str]
    help: ClassVar[str]

    def arguments(self, parser: ArgumentParser) -> None:  # noqa: B027 - most verbs need none
        """Add what the verb can be told."""

    @abstractmethod
    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        """Do it, and say what was done; raises CommandError when something is not well."""
