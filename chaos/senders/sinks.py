"""Sinks in processes of their own: what they have accepted stands in their own logs.

    python -m chaos.senders.sinks smtp PORT FILE
    python -m chaos.senders.sinks keyed PORT FILE

A line is written before the sink answers: whoever was told that it was taken finds it here.
"""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks import machine
from devtools.servers import free_port

START_SECONDS: Final = 20.0
HEADER: Final = b"message-id: <"
FIRST, REPEAT = "first", "repeat"


@dataclass(frozen=True, slots=True)
class Sink:
    """A running sink, and what it has written down."""

    port: int
    log: Path

    def arrivals(self) -> Counter[str]:
        """Return how often each recipient was written to; a key that came again was refused."""
        return Counter(to for verdict, _, to in self._lines() if verdict == FIRST)

    def repeats(self) -> int:
        """Return how often a key came again."""
        return sum(verdict == REPEAT for verdict, _, _ in self._lines())

    def size(self) -> int:
        """Return how many bytes it has written: it tells that something moved."""
        return self.log.stat().st_size

    def _lines(self) -> list[tuple[str, str, str]]:
        lines = (line.split(" ") for line in self.log.read_text().splitlines())
        return [(verdict, key, to) for verdict, key, to in lines]


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Sink]:
    """Run a sink while the block lasts."""
    sink = Sink(free_port(), folder / f"{kind}.sink")
    sink.log.unlink(missing_ok=True)
    sink.log.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "chaos.senders.sinks", kind, str(sink.port), str(sink.log)],
        cwd=machine.ROOT,
        preexec_fn=machine.die_with_parent,
    )
    try:
        _wait_for(sink.port)
        yield sink
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("the sink does not start")


class Log:
    """A file to which whole lines are written."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", buffering=1)

    def say(self, verdict: str, key: str, to: str) -> None:
        """Write one line."""
        self.file.write(f"{verdict} {key} {to}\n")


class Mail:
    """Takes every mail; what aiosmtpd calls a handler."""

    def __init__(self, log: Log) -> None:
        self.log = log

    async def handle_DATA(  # noqa: N802 - aiosmtpd's own name
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        lines = (line for line in content.splitlines() if line.lower().startswith(HEADER))
        name = next(lines, HEADER + b"-")[len(HEADER) :].partition(b".")[0]
        for to in envelope.rcpt_tos:
            self.log.say(FIRST, name.decode() or "-", to)
        return "250 Kept"


class Keyed(ThreadingHTTPServer):
    """Takes each key once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, log: Log) -> None:
        super().__init__(("127.0.0.1", port), Taker)
        self.log, self.keys, self.lock = log, set[str](), threading.Lock()

    def take(self, key: str, to: str) -> None:
        """Write down what came, and whether it is new."""
        with self.lock:
            self.log.say(REPEAT if key in self.keys else FIRST, key, to)
            self.keys.add(key)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever was killed meanwhile is gone; there is nothing to say about it."""


class Taker(BaseHTTPRequestHandler):
    """One request."""

    server: Keyed

    def do_POST(self) -> None:
        """Take the message and say so."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.take(self.headers["Idempotency-Key"], self.headers["To"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        """Say nothing."""


def main(kind: str, port: int, path: Path) -> None:
    """Take what comes, until this process is ended."""
    if kind == "keyed":
        Keyed(port, Log(path)).serve_forever()
        return
    Controller(Mail(Log(path)), hostname="127.0.0.1", port=port).start()
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
