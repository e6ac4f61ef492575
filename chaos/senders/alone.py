"""The yardstick: one Celery task per message and nothing else, acknowledged early or late.

celery --app chaos.senders.alone worker
"""

import os
import smtplib
from email.message import EmailMessage
from typing import Final

from celery import Celery

EARLY, LATE = "early", "late"
TIMEOUT: Final = 3.0

app = Celery("alone", broker=os.environ["CELERY_BROKER_URL"])
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


def _send(to: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "hello@shop.example.com", to, "You left something"
    mail["Message-ID"] = f"<{to.partition('@')[0]}.1@shop.example.com>"
    mail.set_content("It is still there.")
    with smtplib.SMTP("127.0.0.1", int(os.environ["CHAOS_PORT"]), timeout=TIMEOUT) as server:
        server.send_message(mail)


@app.task(name=EARLY, queue=EARLY)
def early(to: str) -> None:
    """Send one message; the task is acknowledged before it begins, as Celery does unless told."""
    _send(to)


@app.task(name=LATE, queue=LATE, acks_late=True, reject_on_worker_lost=True)
def late(to: str) -> None:
    """Send one message; the task is acknowledged when it is over, else somebody else gets it."""
    _send(to)
