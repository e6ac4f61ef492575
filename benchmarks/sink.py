"""A mail server that takes everything and keeps nothing but when each message was accepted.

    python -m benchmarks.sink 2525 build/bench-run/sink

In the folder: `accepted`, a line per message with the time and its Message-ID, and `sample`, the
first message of all.
"""

import contextlib
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.stage import PYTHON, Process, Stage
from devtools import servers

NAME: Final = b"message-id:"


@dataclass(frozen=True, slots=True)
class Sink:
    """A sink that runs, seen from outside."""

    port: int
    folder: Path

    def empty(self) -> None:
        """Forget what was accepted."""
        # The server appends: what comes next stands at the beginning.
        with (self.folder / "accepted").open("w"):
            pass

    def accepted(self) -> list[tuple[float, str]]:
        """Return when each message was accepted, in seconds since the epoch, and its name."""
        lines = (self.folder / "accepted").read_text().splitlines()
        return [(float(line.split()[0]), line.split()[1]) for line in lines]

    def count(self) -> int:
        """Return how many were accepted."""
        return (self.folder / "accepted").read_bytes().count(b"\n")

    @property
    def sample(self) -> Path:
        """Return where the first message of all stands."""
        return self.folder / "sample"

    @property
    def url(self) -> str:
        """Return what to put into EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"


@contextlib.contextmanager
def sink(stage: Stage) -> Iterator[Sink]:
    """Take mail while the block lasts, in a process of its own."""
    port, folder = servers.free_port(), stage.folder / "sink"
    folder.mkdir(exist_ok=True)
    found = Sink(port, folder)
    found.empty()
    found.sample.unlink(missing_ok=True)
    command = [*PYTHON, "benchmarks.sink", str(port), str(folder)]
    with stage.running("sink", command, stage.environment(), port=port, ready=_greets):
        yield found


def _greets(process: Process) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", process.port), timeout=2) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


class Accepting:
    """Takes mails in; what aiosmtpd calls a handler."""

    def __init__(self, folder: Path) -> None:
        self.sample = folder / "sample"
        self.log = (folder / "accepted").open("ab", buffering=0)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's own name
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 Nothing arrived"
        if not self.sample.exists():
            self.sample.write_bytes(content)
        self.log.write(b"%.6f %s\n" % (time.time(), _name(content)))
        return "250 Taken"


def _name(content: bytes) -> bytes:
    at = content.lower().find(NAME)
    return content[at + len(NAME) :].split(None, 1)[0] if at >= 0 else b"-"


def main(port: int, folder: Path) -> None:
    """Serve until SIGTERM."""
    controller = Controller(Accepting(folder), hostname="127.0.0.1", port=port)
    controller.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
