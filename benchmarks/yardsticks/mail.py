"""The least a sender could do: Django's own mail over one kept connection, the bodies ready.

    python -m benchmarks.yardsticks.mail 2525 1000 sample

Nobody is asked whether a message may go, nothing is remembered, and a crash repeats all of it.
"""

import email
import email.policy
import json
import sys
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

# What Django writes by itself, and what is another one in each message.
OWN: Final = {"subject", "from", "to", "date", "message-id", "mime-version", "content-type"}


def main(port: int, count: int, sample: Path) -> None:
    """Send so many messages like the sample; print how long it took, in seconds."""
    backend = "django.core.mail.backends.smtp.EmailBackend"
    settings.configure(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port)
    like = email.message_from_bytes(sample.read_bytes(), policy=email.policy.default)
    bodies = {kind: like.get_body((kind,)) for kind in ("plain", "html")}
    text, html = (part.get_content() if part else "" for part in bodies.values())
    subject, sender = str(like["subject"]), str(like["from"])
    headers = {name: str(value) for name, value in like.items() if name.lower() not in OWN}
    with get_connection() as connection:
        began, clock = time.time(), time.perf_counter()
        for _ in range(count):
            mail = EmailMultiAlternatives(
                subject=subject,
                body=text,
                from_email=sender,
                to=["anna@example.com"],
                headers=headers | {"Message-ID": f"<{uuid4().hex}@shop.example.com>"},
            )
            if html:
                mail.attach_alternative(html, "text/html")
            connection.send_messages([mail])
        seconds = time.perf_counter() - clock
    print(json.dumps({"began": began, "seconds": seconds}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
