"""The place of the story: a Saleor, the App beside it, a mail server; and patience with them."""

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from subprocess import Popen, run

import requests

from demo import mailbox
from devtools import saleor, servers, storefront

ROOT = Path(__file__).resolve().parents[3]
OURS = ("app-web", "app-worker", "app-beat")
SECONDS = 30.0
LOG_LINES = 30
HUM = re.compile(r'"level": "DEBUG"|Scheduler: Sending|Task saleor_nudges')


@dataclass
class Place:
    """Where everything is, and what must never be in a log."""

    saleor: str
    version: tuple[int, int]
    app: str
    mail: Path
    logs: Path
    children: dict[str, Popen[bytes]] = field(default_factory=dict, repr=False)
    secrets: set[str] = field(default_factory=set, repr=False)

    @property
    def api_url(self) -> str:
        """The shop's name, to an App."""
        return f"{self.saleor}/graphql/"

    def mails(self, to: str = "") -> list[EmailMessage]:
        """Return what has arrived, oldest first; for one address when one is given."""
        found = [
            message_from_bytes(file.read_bytes(), policy=default)
            for file in sorted(self.mail.glob("*.eml"))
        ]
        return [mail for mail in found if not to or mail["To"] == to]

    def until[T](self, look: Callable[[], T], what: str, seconds: float = SECONDS) -> T:
        """Return what is there at last; fail when it takes too long, or when a process is gone."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            for name, child in self.children.items():
                gone = child.poll() is not None
                assert not gone, f"{name} ended while waiting for {what}:\n{self.tail(name)}"
            assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
            time.sleep(0.2)
        return found

    def log(self, name: str) -> str:
        """Return what a process has written so far."""
        return (self.logs / f"{name}.log").read_text(errors="replace")

    def tail(self, name: str) -> str:
        """Return the end of it, without what is said every second."""
        lines = [line for line in self.log(name).splitlines() if not HUM.search(line)]
        return "\n".join(lines[-LOG_LINES:])


@contextlib.contextmanager
def standing() -> Iterator[Place]:
    """Everything up while the block lasts, and nothing of it afterwards."""
    checkout = saleor.find_checkout()
    port, own_port, smtp = (servers.free_port() for _ in range(3))
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(saleor.running(checkout, nudges=False, port=port))
        prefix = f"run-{os.getpid()}-app-"
        temporary = tempfile.TemporaryDirectory(dir=checkout.build, prefix=prefix)
        folder = Path(stack.enter_context(temporary))
        major, minor, *_ = checkout.version.split(".")
        place = Place(
            saleor=environment["PUBLIC_URL"],
            version=(int(major), int(minor)),
            app=f"http://127.0.0.1:{own_port}",
            mail=folder / "mail",
            logs=folder,
        )
        shop = saleor.served(checkout, environment, port, beat=False, logs=folder)
        place.children |= stack.enter_context(shop)
        stack.enter_context(mailbox.receiving(place.mail, smtp))
        settings = _settings(
            place,
            database=stack.enter_context(servers.postgres(folder / "postgres", durable=False)),
            redis=stack.enter_context(servers.valkey(folder / "valkey", aof=True)),
            smtp=smtp,
        )
        _migrate(settings)
        app = servers.together(_processes(own_port, folder), settings, cwd=ROOT, logs=folder)
        place.children |= stack.enter_context(app)
        place.until(lambda: _is_ready(place), "the App to be ready")
        storefront.Api(place.saleor).wait_until_up()
        yield place


def _settings(place: Place, *, database: str, redis: str, smtp: int) -> dict[str, str]:
    """What the App's documentation tells an operator to set, and that this is no internet."""
    return {
        "DJANGO_SETTINGS_MODULE": "saleor_nudges.service.settings",
        "SECRET_KEY": "a key for tests, known to everybody who can read this file",
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp}",
        "NUDGES_PUBLIC_URL": f"{place.app}/",
        "NUDGES_ALLOWED_SHOPS": place.saleor,
        "NUDGES_ALLOW_PRIVATE_ADDRESSES": "true",
        "NUDGES_APP_VOUCHERS": "true",
        # More lines than anybody keeps, so that what none of them may hold is looked for in all.
        "LOG_LEVEL": "DEBUG",
    }


def _processes(port: int, folder: Path) -> dict[str, list[str]]:
    """The three processes of the App."""
    celery = [sys.executable, "-m", "celery", "--app=saleor_nudges.service.celery"]
    web = "saleor_nudges.service.asgi:application"
    commands = (
        [sys.executable, "-m", "uvicorn", web, "--host=127.0.0.1", f"--port={port}"],
        [*celery, "worker", "--concurrency=2"],
        [*celery, "beat", f"--schedule={folder / 'beat'}", "--pidfile="],
    )
    return dict(zip(OURS, commands, strict=True))


def _migrate(settings: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "saleor_nudges.service", "migrate", "--verbosity=0"]
    done = run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, **settings},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _is_ready(place: Place) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{place.app}/readyz", timeout=10).ok
    return False
