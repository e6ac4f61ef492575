"""The message as a real SMTP server gets it."""

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from .conftest import Seller, Storefront
from .test_story import sweep


class Inbox(socketserver.ThreadingTCPServer):
    """An SMTP server that takes everything, or refuses everyone; RFC 5321 at its smallest."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages: list[EmailMessage] = []
        self.refuses = False


class _Session(socketserver.StreamRequestHandler):
    server: Inbox

    def handle(self) -> None:
        self._say("220 inbox")
        while line := self.rfile.readline().strip():
            match line.split(b" ")[0].upper():
                case b"EHLO" | b"HELO":
                    self._say("250 inbox")
                case b"RCPT" if self.server.refuses:
                    self._say("550 no such person")
                case b"DATA":
                    self._say("354 go on")
                    self._take()
                case b"QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")

    def _take(self) -> None:
        body = b""
        while (line := self.rfile.readline()) != b".\r\n":
            body += line
        message = message_from_bytes(body, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.server.messages.append(message)
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    """A mail server, and Saleor told to use it."""
    with Inbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield server
        server.shutdown()


def test_one_message_leaves_by_smtp(seller: Seller, shopper: Storefront, email: str, inbox: Inbox):
    seller.track()
    seller.write()
    [product] = shopper.products(1)
    checkout = shopper.start(product["variant"], email=email)
    sweep()
    sweep()
    [message] = inbox.messages
    assert message["To"] == email
    assert "shop@example.com" in message["From"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, html = (message.get_body([kind]) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert product["name"] in plain.get_content()
    assert product["name"] in html.get_content()
    assert checkout not in message.as_string()


def test_refused_address_is_not_tried_again(
    seller: Seller, shopper: Storefront, email: str, inbox: Inbox
):
    inbox.refuses = True
    seller.track()
    seller.write()
    [product] = shopper.products(1)
    shopper.start(product["variant"], email=email)
    sweep()
    inbox.refuses = False
    sweep()
    assert inbox.messages == []
    [left] = [checkout for checkout in seller.left_behind() if checkout["sends"]]
    assert left["sends"] == [{"state": "REFUSED", "reason": "PROVIDER_REFUSED"}]
