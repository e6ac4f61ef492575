"""Email through Django's mail, so through any of its backends, Anymail's included."""

import smtplib
from contextlib import suppress

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


class MailChannel(Channel):
    """One connection per message; `EMAIL_TIMEOUT` bounds how long it may take."""

    def send(self, message: Message) -> None:
        mail = EmailMultiAlternatives(
            subject=message.subject,
            body=message.text,
            from_email=message.sender,
            to=[message.to],
            headers=message.headers,
        )
        if message.html:
            mail.attach_alternative(message.html, "text/html")
        _check(mail)
        connection = get_connection(fail_silently=False)
        try:
            connection.open()
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryStopped from error
        except OSError as error:
            # However the greeting failed, nothing was handed over.
            raise DeliveryFailed from error
        try:
            connection.send_messages([mail])
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryStopped from error
        except BEFORE_THE_MESSAGE as error:
            raise DeliveryFailed from error
        except REFUSALS as error:
            raise (DeliveryRefused if _is_permanent(error) else DeliveryFailed) from error
        except OSError as error:
            # Somewhere between DATA and its answer: RFC 1047 says we cannot know.
            raise DeliveryUnknown from error
        finally:
            # It was taken or it was not; how the goodbye goes changes nothing.
            with suppress(OSError):
                connection.close()


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
