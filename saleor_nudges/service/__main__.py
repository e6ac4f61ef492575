"""The command `saleor-nudges`: our verbs, and Django's."""

import os
import sys
from collections.abc import Sequence

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line, get_commands

OURS = "nudges"
HELP = """\
saleor-nudges <verb>

  doctor               say what works and what does not
  consume              consume events until told to stop
  sweep                send what is due, once
  clear-schema-cache   forget Saleor's stored introspection
  uninstall            remove our periodic tasks from Saleor's scheduler
  migrate              make or update our tables

Any other word is one of Django's own commands.
All of them need SECRET_KEY and DATABASE_URL in the environment.
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run `saleor-nudges <verb>`; a wrong setting is said in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saleor_nudges.service.settings")
    given = list(sys.argv if argv is None else argv)
    if given[1:] in ([], ["--help"], ["-h"], ["help"]):
        # Without a setting: whoever asks for help has none yet.
        sys.stdout.write(HELP)
        return
    try:
        django.setup()
        from saleor_nudges.service import celery  # noqa: F401 - settings come first

        execute_from_command_line(arguments(given))
    except ImproperlyConfigured as error:
        sys.exit(f"saleor-nudges: {error}")


def arguments(argv: list[str]) -> list[str]:
    """Return the command line Django is given: what it does not know is a verb of ours."""
    name, *rest = argv
    if not rest or rest[0].startswith("-") or rest[0] in {"help", "version", *get_commands()}:
        return argv
    return [name, OURS, *rest]


if __name__ == "__main__":
    main()
