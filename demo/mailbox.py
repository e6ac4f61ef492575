"""Every mail that arrives: a real SMTP server that keeps each in a folder, and the reading."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import islice
from pathlib import Path
from time import time_ns

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

SHOWN = 40
# The mail stands in a frame: its links must lead the whole page there, not the frame.
LEAVE_THE_FRAME = '<head><base target="_top">'


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, as it arrived."""

    name: str
    arrived_at: datetime
    sender: str
    to: str
    subject: str
    text: str
    html: str


class Folder:
    """Takes mails in; what aiosmtpd calls a handler."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(  # noqa: N802 - aiosmtpd's own name
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 Nothing arrived"
        # Written aside and renamed, so that a reader never finds half a mail.
        name = f"{time_ns()}.eml"
        unfinished = self.folder / f"{name}.new"
        unfinished.write_bytes(content)
        unfinished.rename(self.folder / name)
        return "250 Kept"


@contextmanager
def receiving(folder: Path, port: int) -> Iterator[None]:
    """Receive mail into a folder while the block lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(Folder(folder), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def mails(folder: Path, to: str = "") -> list[Mail]:
    """Return the newest mails, newest first; those to one address when one is given."""
    found = (_read(path) for path in sorted(folder.glob("*.eml"), reverse=True))
    wanted = (mail for mail in found if not to or to.lower() == mail.to.lower())
    return list(islice(wanted, SHOWN))


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=default)
    return Mail(
        name=path.stem,
        arrived_at=datetime.fromtimestamp(int(path.stem) / 1e9, UTC),
        sender=str(message["From"]),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=_body(message, "plain"),
        html=_body(message, "html").replace("<head>", LEAVE_THE_FRAME, 1),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""
