"""`python -m demo`: start everything the demo needs, say where it is, run until Ctrl-C."""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import django
import requests

from demo import mailbox
from devtools import servers

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 90.0
APP = "saleor_nudges.service"
PYTHON = (sys.executable, "-m")
# Each writes into a file of its own; `exec` keeps the process we know.
INTO_LOG = ("/bin/sh", "-c", 'exec "$@" >"$0" 2>&1')


class Stopped(BaseException):
    """Somebody pressed Ctrl-C, or sent SIGTERM."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; answer 0 when it was stopped, 1 when it could not go on."""
    options = _options(arguments)
    wanted = os.environ.get("DEMO_PORT") or "8400"
    port = int(wanted) if wanted.isdecimal() else 0
    if not 0 < port < 65_536:
        sys.stderr.write(f"DEMO_PORT must lie between 1 and 65535, not {wanted!r}.\n")
        return 1
    if not _is_free(port):
        sys.stderr.write(f"Port {port} is taken. Try another: DEMO_PORT={port + 1} make demo\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        with contextlib.ExitStack() as stack:
            return _run(stack, options, port)
    except servers.ServerError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except Stopped:
        say("\nStopped.")
        return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=main.__doc__)
    parser.add_argument("--no-traffic", action="store_true", help="an empty shop: only you")
    parser.add_argument("--keep", action="store_true", help="go on with the data of the last run")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "demo", help="for its data")
    return parser.parse_args(arguments)


def _run(stack: contextlib.ExitStack, options: argparse.Namespace, port: int) -> int:
    began = time.monotonic()
    url = f"http://127.0.0.1:{port}"
    folder: Path = options.folder.resolve()
    with step("Postgres"):
        database = servers.postgres(folder / "postgres", fresh=not options.keep, durable=False)
        database_url = stack.enter_context(database)
    with step("Valkey"):
        redis_url = stack.enter_context(servers.valkey(folder / "valkey"))
    with step("mail server"):
        smtp = servers.free_port()
        mail = _clean(folder / "mail", keep=options.keep)
        stack.enter_context(mailbox.receiving(mail, smtp))
    os.environ.update(_environment(url, database_url, redis_url, smtp, mail))
    with step("tables and the sample shop"):
        _load()
    children = _start(stack, folder, url, port, traffic=not options.no_traffic)
    with step("web, worker, beat" + ("" if options.no_traffic else ", played shoppers")):
        _wait_until_it_answers(url, children)
    _welcome(url, time.monotonic() - began, folder)
    return _watch(children, folder)


def _environment(url: str, database: str, redis: str, smtp: int, mail: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "demo.settings",
        "SECRET_KEY": "not a secret: this is a demo on your own machine",
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp}",
        "NUDGES_PUBLIC_URL": f"{url}/nudges/",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "DEMO_URL": url,
        "DEMO_MAIL": str(mail),
    }


def _load() -> None:
    # In this process: the settings read the environment, which is complete only now.
    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from demo.load import load

    call_command("migrate", verbosity=0)
    load()
    connections.close_all()


def _start(
    stack: contextlib.ExitStack, folder: Path, url: str, port: int, *, traffic: bool
) -> dict[str, subprocess.Popen[bytes]]:
    celery = (*PYTHON, "celery", "--quiet", f"--app={APP}.celery")
    commands: dict[str, tuple[str, ...]] = {
        "web": (
            *PYTHON,
            "uvicorn",
            f"{APP}.asgi:application",
            "--host=127.0.0.1",
            f"--port={port}",
            "--log-level=warning",
            "--timeout-graceful-shutdown=3",
        ),
        "worker": (*celery, "worker", "--concurrency=2", "--without-gossip", "--without-mingle"),
        "beat": (
            *celery,
            "beat",
            "--max-interval=1",
            f"--schedule={folder / 'beat'}",
            "--pidfile=",
        ),
    }
    if traffic:
        commands["traffic"] = (*PYTHON, "demo.traffic", url)
    logged = {
        name: (*INTO_LOG, str(folder / f"{name}.log"), *command)
        for name, command in commands.items()
    }
    return stack.enter_context(servers.together(logged, {}, cwd=ROOT))


def _wait_until_it_answers(url: str, children: dict[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and children["web"].poll() is None:
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=5).ok:
                return
        time.sleep(0.2)
    raise servers.ServerError("the shop does not answer: see web.log in the demo's folder")


def _watch(children: dict[str, subprocess.Popen[bytes]], folder: Path) -> int:
    while True:
        for name, child in children.items():
            if child.poll() is not None:
                sys.stderr.write(f"{name} ended: see {folder / name}.log\n")
                return 1
        time.sleep(0.3)


def _welcome(url: str, seconds: float, folder: Path) -> None:
    delay = os.environ.get("DEMO_DELAY") or "20"
    say(
        f"""
The demo is up ({seconds:.0f} s). 30 minutes pass in {delay} seconds here.

  Shop      {url}/
  Mailbox   {url}/mailbox
  Seller    {url}/seller

  Look at a product, put it into the cart, leave an email, walk away: the mail is in the mailbox.
  Logs      {_short(folder)}/*.log
  Ctrl-C stops everything.
"""
    )


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Say what is being started, and how long it took."""
    began = time.monotonic()
    say(f"  {name} … ", end="")
    yield
    say(f"{time.monotonic() - began:.1f} s")


def say(text: str, end: str = "\n") -> None:
    """Write to the terminal, at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def _clean(folder: Path, *, keep: bool) -> Path:
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return folder


def _short(folder: Path) -> Path:
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _leave(number: int, _frame: FrameType | None) -> None:  # noqa: ARG001
    # Once is enough: what is being stopped must not be interrupted.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    raise SystemExit(main())
