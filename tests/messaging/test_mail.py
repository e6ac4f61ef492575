"""Email through a real SMTP server that behaves, refuses, hesitates, and hangs up."""

import socket
import threading
from contextlib import closing
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from saleor_nudges.exceptions import DeliveryFailed, DeliveryRefused, DeliveryUnknown
from saleor_nudges.messaging.channels import Message, mail
from saleor_nudges.messaging.channels.mail import MailChannel

MESSAGE = Message(
    key="0123",
    to="anna@example.com",
    sender="Example shop <hello@shop.example.com>",
    subject="You left something behind",
    text="Your cart: still hére",
    html="<p>Your cart: still hére</p>",
    headers={
        "List-Unsubscribe": "<https://nudges.example.com/u/token>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Message-ID": "<0123.1@shop.example.com>",
        "Auto-Submitted": "auto-generated",
    },
)


class Mailbox:
    """What an SMTP server does with what it is told; it answers the steps named in `answers`."""

    def __init__(self, **answers):
        self.answers = answers
        self.taken = []
        self.data = 0
        self.conversations = set()
        self.once = ""

    async def handle_MAIL(self, _server, session, envelope, address, _options):
        self.conversations.add(session.peer)
        if "mail" in self.answers:
            if self.once == "mail":
                return self.answers.pop("mail")
            return self.answers["mail"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, _session, envelope, address, _options):
        if self.answers.get("rcpt") == "hang up":
            server.transport.abort()
            return "250 OK"
        if "rcpt" in self.answers:
            return self.answers["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):
        self.data += 1
        if self.answers.get("data") == "hang up":
            server.transport.abort()
            return "250 OK"
        if "data" in self.answers:
            return self.answers["data"]
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


@pytest.fixture
def serve(settings):
    running = []

    def start(**answers):
        mailbox = Mailbox(**answers)
        controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
        controller.start()
        running.append(controller)
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
        return mailbox

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 2
    yield start
    for controller in running:
        controller.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sent(message):
    """Send one message and say goodbye."""
    with closing(MailChannel()) as channel:
        channel.send(message)


def test_a_message_arrives_whole(serve):
    # given
    mailbox = serve()

    # when
    sent(MESSAGE)

    # then
    [(sender, recipients, raw)] = mailbox.taken
    arrived = message_from_bytes(raw, policy=policy.default)
    assert (sender, recipients) == ("hello@shop.example.com", ["anna@example.com"])
    assert arrived["From"] == "Example shop <hello@shop.example.com>"
    assert arrived["To"] == "anna@example.com"
    assert arrived["Subject"] == "You left something behind"
    assert arrived["List-Unsubscribe"] == "<https://nudges.example.com/u/token>"
    assert arrived["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert arrived["Message-ID"] == "<0123.1@shop.example.com>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content().strip()) for part in arrived.iter_parts()]
    assert parts == [
        ("text/plain", "Your cart: still hére"),
        ("text/html", "<p>Your cart: still hére</p>"),
    ]


def test_many_messages_are_one_conversation(serve):
    mailbox = serve()
    with closing(MailChannel()) as channel:
        for _ in range(5):
            channel.send(MESSAGE)
    assert (len(mailbox.taken), len(mailbox.conversations)) == (5, 1)


def test_a_conversation_does_not_go_on_for_ever(serve, monkeypatch):
    monkeypatch.setattr(mail, "MOST_ON_ONE", 2)
    mailbox = serve()
    with closing(MailChannel()) as channel:
        for _ in range(5):
            channel.send(MESSAGE)
    assert (len(mailbox.taken), len(mailbox.conversations)) == (5, 3)


def test_a_server_that_hung_up_between_two_messages_gets_the_second(serve):
    # given
    mailbox = serve()
    with closing(MailChannel()) as channel:
        channel.send(MESSAGE)
        # when
        channel._connection.connection.sock.shutdown(socket.SHUT_RDWR)
        channel.send(MESSAGE)
    # then
    assert (len(mailbox.taken), len(mailbox.conversations)) == (2, 2)


def test_a_server_that_ends_the_conversation_takes_the_message_in_the_next_one(serve):
    mailbox = serve()
    with closing(MailChannel()) as channel:
        channel.send(MESSAGE)
        mailbox.answers["mail"] = "421 too many"
        mailbox.once = "mail"
        channel.send(MESSAGE)
    assert (len(mailbox.taken), len(mailbox.conversations)) == (2, 2)


def test_a_server_that_takes_nobody_is_asked_once(serve):
    mailbox = serve(mail="421 go away")
    with closing(MailChannel()) as channel, pytest.raises(DeliveryFailed):
        channel.send(MESSAGE)
    assert len(mailbox.conversations) == 1


def test_a_server_that_hangs_up_before_data_has_got_nothing(serve):
    mailbox = serve(rcpt="hang up")
    with closing(MailChannel()) as channel, pytest.raises(DeliveryFailed):
        channel.send(MESSAGE)
    assert mailbox.data == 0


def test_after_trouble_the_next_message_begins_anew(serve):
    mailbox = serve(data="450 full")
    with closing(MailChannel()) as channel:
        with pytest.raises(DeliveryFailed):
            channel.send(MESSAGE)
        mailbox.answers.clear()
        channel.send(MESSAGE)
    assert (len(mailbox.taken), len(mailbox.conversations)) == (1, 2)


def test_without_html_it_is_plain_text(serve):
    mailbox = serve()
    sent(Message("1", "anna@example.com", "hello@example.com", "Hi", "text"))
    arrived = message_from_bytes(mailbox.taken[0][2], policy=policy.default)
    assert arrived.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("_case", "answers", "error", "data"),
    [
        ("sender_never", {"mail": "550 no"}, DeliveryRefused, 0),
        ("sender_not_now", {"mail": "450 later"}, DeliveryFailed, 0),
        ("recipient_never", {"rcpt": "550 no such user"}, DeliveryRefused, 0),
        ("recipient_not_now", {"rcpt": "450 greylisted"}, DeliveryFailed, 0),
        ("message_never", {"data": "550 spam"}, DeliveryRefused, 1),
        ("message_not_now", {"data": "450 full"}, DeliveryFailed, 1),
        ("hung_up_after_data", {"data": "hang up"}, DeliveryUnknown, 1),
    ],
)
def test_what_the_server_says_is_what_is_raised(_case, answers, error, data, serve):
    mailbox = serve(**answers)
    with pytest.raises(error) as raised:
        sent(MESSAGE)
    assert type(raised.value) is error
    assert (mailbox.taken, mailbox.data) == ([], data)


def test_a_server_that_is_not_there_has_got_nothing(serve, settings):
    serve()
    settings.EMAIL_PORT = free_port()
    with pytest.raises(DeliveryFailed):
        sent(MESSAGE)


def test_a_server_that_never_greets_has_got_nothing(serve, settings):
    # given a port that takes the connection and says nothing
    settings.EMAIL_TIMEOUT = 0.3
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()

        # when, then
        with pytest.raises(DeliveryFailed):
            sent(MESSAGE)


def test_a_server_that_falls_silent_after_data_may_have_got_it(serve, settings):
    # given
    settings.EMAIL_TIMEOUT = 0.3
    stop = threading.Event()

    def talk(listening):
        link, _ = listening.accept()
        with link:
            link.sendall(b"220 hello\r\n")
            for answer in (b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
                link.recv(4096)
                link.sendall(answer)
            stop.wait(5)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.EMAIL_HOST, settings.EMAIL_PORT = listening.getsockname()
        thread = threading.Thread(target=talk, args=(listening,))
        thread.start()

        # when, then
        with pytest.raises(DeliveryUnknown):
            sent(MESSAGE)
        stop.set()
        thread.join()


def test_a_goodbye_that_fails_does_not_undo_the_delivery(serve, monkeypatch):
    mailbox = serve()
    monkeypatch.setattr("smtplib.SMTP.quit", _time_out)
    sent(MESSAGE)
    assert len(mailbox.taken) == 1


def _time_out(self):
    self.close()
    raise TimeoutError


@pytest.mark.parametrize(
    ("_case", "changes"),
    [
        ("line_break_in_the_subject", {"subject": "Hi\nBcc: all@example.com"}),
        ("line_break_in_the_sender", {"sender": "Shop\nBcc: x <hello@example.com>"}),
        ("line_break_in_the_address", {"to": "anna@example.com\nBcc: all@example.com"}),
    ],
)
def test_a_header_that_would_smuggle_another_is_refused(_case, changes, serve):
    mailbox = serve()
    with pytest.raises(DeliveryRefused):
        sent(
            Message(
                **{
                    "key": "1",
                    "to": "anna@example.com",
                    "sender": "hello@example.com",
                    "subject": "Hi",
                    "text": "text",
                }
                | changes
            )
        )
    assert (mailbox.taken, mailbox.data) == ([], 0)
