"""Ways for messages to leave whose other end is the harness's own."""

import http.client
import os
from typing import ClassVar, Final

from chaos.senders import moments
from saleor_nudges.exceptions import DeliveryFailed, DeliveryUnknown
from saleor_nudges.messaging.channels import Channel, Message

TIMEOUT: Final = 3.0


class FileChannel(Channel):
    """A provider that knows no keys: whatever it is handed arrives, as a line of a file."""

    def send(self, message: Message) -> None:
        moments.at(moments.MARKED)
        line = f"{message.key} {message.to} {message.subject}\n".encode()
        # One write of one line: lines of several workers never mix.
        sink = os.open(os.environ["CHAOS_SINK"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(sink, line)
        finally:
            os.close(sink)
        moments.at(moments.TAKEN)


class KeyedChannel(Channel):
    """Hands over to a sink of ours by HTTP, which takes each key once (`chaos.senders.sinks`)."""

    honours_keys: ClassVar[bool] = True

    def send(self, message: Message) -> None:
        line = http.client.HTTPConnection("127.0.0.1", int(os.environ["CHAOS_PORT"]), TIMEOUT)
        try:
            line.connect()
        except OSError as error:
            raise DeliveryFailed from error
        try:
            headers = {"Idempotency-Key": message.key, "To": message.to}
            line.request("POST", "/", message.text.encode(), headers)
            answer = line.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise DeliveryUnknown from error
        finally:
            line.close()
        if answer.status != http.client.OK:
            raise DeliveryFailed
