"""`nudges doctor`: what works and what does not."""

from typing import Any, ClassVar

from django.core.management.base import CommandError, OutputWrapper

from saleor_nudges import doctor
from saleor_nudges.management.verbs.base import Verb


class Doctor(Verb):
    """Say what works; fail when something does not."""

    name: ClassVar[str] = "doctor"
    help: ClassVar[str] = "Say what works and what does not."

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:  # noqa: ARG002
        findings = doctor.examine()
        for finding in findings:
            out.write(f"{'ok  ' if finding.is_well else 'FAIL'}  {finding.what}")
        if not all(finding.is_well for finding in findings):
            raise CommandError("Something is not well; see above.")
