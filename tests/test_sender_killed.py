"""kill -9 a real sender: after the claim, after the mark, after the provider took it."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F

from saleor_nudges.models import Send
from saleor_nudges.recovery.sending import send as sending
from saleor_nudges.testing import left_behind, make_shop, switch_on_recovery
from tests.test_worker_killed import environment, wait_until_free

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.slow]

# A sender that stops where it is told to; its provider is a file that knows no keys.
SENDER = """
import os, sys, time, django
django.setup()
from contextlib import contextmanager
from datetime import UTC, datetime
from saleor_nudges.events import Cart, Contact
from saleor_nudges.host import Checkout
from saleor_nudges.host.memory import MemoryHost
from saleor_nudges.messaging.channels import base, memory
from saleor_nudges.recovery.sending import send, volley

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
where, sink = sys.argv[1:]

# The shop in memory is another process's: here it answers that nothing has changed.
@contextmanager
def holding(host, checkout_id):
    yield Checkout(checkout_id, "default-channel", LONG_AGO, LONG_AGO, Contact(), Cart())

MemoryHost.holding = holding

def stop(at):
    if at == where:
        print("there", flush=True)
        time.sleep(60)

class Sink(base.Channel):
    def send(self, message):
        stop("marked")
        with open(sink, "a") as file:
            file.write(message.to + chr(10))
        stop("taken")

memory.MemoryChannel = Sink
mark = volley.mark
def marking(row, ready):
    stop("claimed")
    return mark(row, ready)
volley.mark = marking
send.send_due()
"""


def killed_at(where: str, sink: Path) -> None:
    """Run a sender and kill it at that moment."""
    sender = subprocess.Popen(
        [sys.executable, "-c", SENDER, where, str(sink)],
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    assert sender.stdout is not None
    assert sender.stdout.readline() == "there\n"
    os.kill(sender.pid, signal.SIGKILL)
    assert sender.wait(timeout=10) == -signal.SIGKILL
    sender.stdout.close()
    wait_until_free()


@pytest.mark.parametrize(
    ("where", "left", "then", "in_all"),
    [
        # Nothing was marked, so nothing left: the next sender does it.
        ("claimed", 0, "SENT", 1),
        # Marked: it may have left, and here it did not. It is shown, and never repeated.
        ("marked", 0, "IN_DOUBT", 0),
        # Taken, but nobody lived to write it down. Never repeated either.
        ("taken", 1, "IN_DOUBT", 1),
    ],
)
def test_a_killed_sender_is_never_repeated(tmp_path, where, left, then, in_all):
    # given
    shop = make_shop()
    switch_on_recovery(shop)
    left_behind(shop)
    sink = tmp_path / "sink"
    sink.touch()
    # when
    killed_at(where, sink)
    # then the sink, which knows nothing of our tables, has so many
    assert sink.read_text() == "anna@example.com\n" * left
    # and while the lease runs nobody touches the row
    assert sending.send_due() == 0
    # and when it is over
    Send.objects.of(shop).update(lease_until=F("lease_until") - timedelta(hours=1))
    again = sending.send_due()
    assert left + again == in_all
    assert Send.objects.of(shop).get().state == then
    assert sending.send_due() == 0
