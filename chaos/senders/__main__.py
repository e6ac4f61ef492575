"""`python -m chaos.senders ROW SCALE`: play one row; its lines are JSON, on the last line printed.

`small` plays the short versions of them, which a test does.
"""

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devtools import servers

if TYPE_CHECKING:
    from chaos.verdict import Result

# Far below any wait of the row's own, far above what one message takes.
LEASE_SECONDS = 1


def main(name: str, scale: float) -> list[dict[str, Any]]:
    """Set everything up and play; the environment is this process's own."""
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="nudges-senders-")
        folder = Path(stack.enter_context(temporary))
        os.environ |= {
            "DATABASE_URL": stack.enter_context(
                servers.postgres(folder / "postgres", durable=False)
            ),
            "REDIS_URL": stack.enter_context(servers.valkey(folder / "valkey")),
        }
        set_up(folder)
        # Only now: models cannot be imported before Django is set up.
        found: list[Result] = import_module("chaos.senders.plays").play(name, folder, scale)
        return [asdict(one) for one in found]


def set_up(folder: Path) -> None:
    """Make this process, and all that it starts, one of the App's with a shop that stands still."""
    redis = os.environ["REDIS_URL"].removesuffix("/0")
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "saleor_nudges.service.settings",
        "SECRET_KEY": "a key for tests, known to everybody who can read this file",
        "CELERY_BROKER_URL": f"{redis}/1",
        "NUDGES_HOST": "chaos.senders.host.SteadyHost",
        "NUDGES_EMAIL_CHANNEL": "chaos.senders.channels.FileChannel",
        "NUDGES_PUBLIC_URL": "https://nudges.example.com/",
        "NUDGES_VIEWS_STREAM": "saleor_nudges.stream.postgres.PostgresStream",
        "NUDGES_SEND_LEASE_SECONDS": str(LEASE_SECONDS),
        "NUDGES_SEND_BATCH": "5",
        "CHAOS_SINK": str(folder / "sink"),
        "LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]))))
