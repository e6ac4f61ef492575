"""Email through Django's mail, so through any of its backends, Anymail's included."""

import smtplib
from contextlib import suppress
from functools import cached_property
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection

from saleor_nudges.exceptions import (
    DeliveryFailed,
    DeliveryRefused,
    DeliveryStopped,
    DeliveryUnknown,
)
from saleor_nudges.messaging.channels.base import Channel, Message

# Raised by smtplib before it says DATA, so that nothing can have left.
BEFORE_THE_MESSAGE = (smtplib.SMTPHeloError, smtplib.SMTPNotSupportedError)
REFUSALS = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError)
# From here on a server means "never"; below it, "not now" (RFC 5321, 4.2.1).
PERMANENT = 500
GOODBYE = 421
# Servers end a conversation that goes on for too long, and some count it against the sender.
MOST_ON_ONE = 100


class MailChannel(Channel):
    """One connection for many messages; `EMAIL_TIMEOUT` bounds how long each may take."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._used = 0
        self._has_begun = False

    def send(self, message: Message) -> None:
        mail = _Mail(
            subject=message.subject,
            body=message.text,
            from_email=message.sender,
            to=[message.to],
            headers=message.headers,
        )
        if message.html:
            mail.attach_alternative(message.html, "text/html")
        _check(mail)
        try:
            self._hand_over(mail)
        except BaseException:
            # Nobody knows what state the conversation is in.
            self.close()
            raise

    def close(self) -> None:
        """Say goodbye. What was taken stays taken, however the goodbye goes."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _hand_over(self, mail: EmailMultiAlternatives) -> None:
        connection = self._opened()
        # Other backends than SMTP do not tell how far they came.
        self._has_begun = not isinstance(getattr(connection, "connection", None), smtplib.SMTP)
        try:
            connection.send_messages([mail])
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryStopped from error
        except BEFORE_THE_MESSAGE as error:
            raise DeliveryFailed from error
        except REFUSALS as error:
            if self._is_over(error):
                self._hand_over(mail)
                return
            raise (DeliveryRefused if _is_permanent(error) else DeliveryFailed) from error
        except OSError as error:
            if self._has_begun:
                # Somewhere between DATA and its answer: RFC 1047 says we cannot know.
                raise DeliveryUnknown from error
            if not self._used:
                raise DeliveryFailed from error
            # It hung up after an earlier message, before this one began.
            self.close()
            self._hand_over(mail)
            return
        self._used += 1

    def _is_over(self, error: smtplib.SMTPException) -> bool:
        """Tell whether the server only ends the conversation; then begin another one."""
        is_over = self._used > 0 and getattr(error, "smtp_code", 0) == GOODBYE
        if is_over:
            self.close()
        return is_over

    def _opened(self) -> Any:
        """Return an open connection. Nothing was handed over when it raises."""
        if self._used >= MOST_ON_ONE:
            self.close()
        if self._connection is None:
            connection = get_connection(fail_silently=False)
            try:
                connection.open()
            except smtplib.SMTPAuthenticationError as error:
                raise DeliveryStopped from error
            except OSError as error:
                # However the greeting failed, nothing was handed over.
                raise DeliveryFailed from error
            self._connection, self._used = connection, 0
            self._listen(getattr(connection, "connection", None))
        return self._connection

    def _listen(self, server: object) -> None:
        """Note when a message begins: what goes wrong before that took nothing."""
        if isinstance(server, smtplib.SMTP):
            say_data = server.data

            def data(message: Any) -> Any:
                self._has_begun = True
                return say_data(message)

            server.data = data  # type: ignore[assignment, method-assign]


class _Mail(EmailMultiAlternatives):
    """A mail that is put together once, for the check and for the server."""

    @cached_property
    def _whole(self) -> Any:
        return super().message()

    def message(self, *_args: Any, **_options: Any) -> Any:
        return self._whole


def _check(mail: EmailMultiAlternatives) -> None:
    """Raise DeliveryRefused for what no server can be given, such as a broken address."""
    try:
        mail.message()
    except ValueError as error:
        raise DeliveryRefused from error


def _is_permanent(error: smtplib.SMTPException) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= PERMANENT for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= PERMANENT
