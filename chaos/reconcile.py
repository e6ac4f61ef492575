"""R7: our side is down for ten minutes and for a day while the shop goes on; then it comes back.

The shop is a stand-in that speaks Saleor's API and signs its webhooks; ours are the App's own
processes, killed with SIGKILL and started again, on a Postgres and a mail server of their own.
What must be there afterwards is read from the stand-in's list and from the mails that arrived.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

from demo import mailbox
from devtools import servers

if TYPE_CHECKING:
    from saleor_nudges.models import Shop
    from tests.service.stand_in import StandIn

Row = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parent.parent
OUTAGES: Final = {"10 min": timedelta(minutes=10), "24 h": timedelta(hours=24)}
# The goal: everything is known so long after the return.
SECONDS: Final = 300.0
# What has not come for so long does not come any more.
QUIET_SECONDS: Final = 45.0
# Saleor repeats a webhook for so long; what is older reaches us by the sweep alone.
RETRIED: Final = timedelta(seconds=310)
DELAY: Final = timedelta(minutes=10)
# Pages hold a hundred: enough of them to be killed between two.
FULL, LEAST = 2000, 150
BEFORE: Final = 10
KILLS: Final = 3
# Between two looks whether the cursor has moved.
LOOK_SECONDS: Final = 0.001
CHANNEL: Final = "default-channel"
# What beat wakes, without its pauses, and sending first: it must hold itself back.
ENGINE: Final = """
import sys, django
django.setup()
from saleor_nudges import tasks
while True:
    if sys.argv[1] == "sending":
        tasks.sweep()
    tasks.drain()
    tasks.reconcile()
    print("round", flush=True)
"""


def rows(scale: float) -> list[Row]:
    """Play both outages in a process of its own; return one row for each."""
    ours = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [sys.executable, "-m", "chaos.reconcile", str(scale)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    found: list[Row] = json.loads(done.stdout.splitlines()[-1])
    return found


@dataclass
class Ours:
    """Our side: its settings, and its processes while it is up."""

    environment: dict[str, str]
    folder: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, mode: str) -> None:
        """Start the web process and the worker; `mode` says whether it sends."""
        web = "saleor_nudges.service.asgi:application"
        self._start("web", ["-m", "uvicorn", web, "--host=127.0.0.1", f"--port={self.port}"])
        self.start_engine(mode)
        until(self._answers, self)

    def start_engine(self, mode: str) -> None:
        """Start the worker alone."""
        self._start("engine", ["-c", ENGINE, mode])

    def kill(self) -> None:
        """Kill -9 all that runs, as a power cut would."""
        for process in self.processes.values():
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def log(self, name: str) -> str:
        """Return what a process has said since it was started."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def rounds(self) -> int:
        """Return how many rounds the worker has made."""
        return self.log("engine").count("round\n")

    def _start(self, name: str, arguments: Sequence[str]) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=self.environment,
            )

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.RequestException:
            return False


@dataclass
class Trade:
    """What the shop did, in its own words; whose carts wait for a mail, and who has bought."""

    standing: "StandIn"
    orders: dict[str, datetime] = field(default_factory=dict)
    checkouts: dict[str, datetime] = field(default_factory=dict)
    buyers: set[str] = field(default_factory=set)
    waiting: dict[str, datetime] = field(default_factory=dict)

    def leave(self, number: str, at: datetime) -> str:
        """Open a checkout and walk away; return its id."""
        from saleor_nudges.host import Checkout
        from tests.service.stand_in import checkout_json

        email = f"left-{number}@example.com"
        checkout = Checkout(f"Checkout:{number}", CHANNEL, at, at, _contact(email), _cart())
        self.standing.checkouts[checkout.id] = checkout_json(checkout)
        self.checkouts[checkout.id] = at
        self.waiting[email] = at
        return checkout.id

    def buy(self, number: str, at: datetime, email: str = "") -> None:
        """Place an order; of somebody who left a cart before, when an address is given."""
        from saleor_nudges.host import Order
        from tests.service.stand_in import order_json

        email = email or f"buyer-{number}@example.com"
        order = Order(f"Order:{number}", CHANNEL, at, at, "UNFULFILLED", _contact(email), _cart())
        self.standing.orders[order.id] = order_json(order)
        self.orders[order.id] = at
        self.buyers.add(email)

    def tell(self, url: str, since: datetime) -> int:
        """Deliver the webhooks of what happened since then; return how many were taken."""
        told = [
            ("checkout", self.standing.checkouts[key], at) for key, at in self.checkouts.items()
        ]
        told += [("order", self.standing.orders[key], at) for key, at in self.orders.items()]
        return sum(self._deliver(url, what, data) for what, data, at in told if at >= since)

    def _deliver(self, url: str, what: str, data: Row) -> bool:
        from tests.service.stand_in import signed

        name = f"{what}_created"
        kind = name.title().replace("_", "")
        issued = datetime.now(UTC).isoformat()
        body = json.dumps({"__typename": kind, "issuedAt": issued, what: data}).encode()
        headers = {
            "Saleor-Api-Url": self.standing.api_url,
            "Saleor-Event": name,
            "Saleor-Signature": signed(body),
            "Content-Type": "application/json",
        }
        answer = requests.post(f"{url}/webhooks/saleor/", body, headers=headers, timeout=30)
        return answer.ok


def outage(name: str, scale: float, ours: Ours, mail: Path) -> Row:
    """Play one outage; return its row."""
    from saleor_nudges.models import Cursor, Shop
    from tests.service.stand_in import standing_in

    length, count = OUTAGES[name], max(round(FULL * scale), LEAST)
    with standing_in() as standing, _killed_at_the_end(ours):
        trade, shop = Trade(standing), _shop(standing)
        left_at = datetime.now(UTC) - length - timedelta(minutes=5)
        for number in range(BEFORE):
            trade.leave(f"{name}-before-{number}", left_at)
        ours.start("not sending yet")
        trade.tell(ours.url, left_at)
        until(lambda: not _missing(trade, shop) and _is_caught_up(shop), ours)
        ours.kill()
        # The clocks of real servers cannot be turned: it is the last success that lies back.
        Cursor.objects.of(shop).update(caught_up_at=datetime.now(UTC) - length)
        _go_on(trade, name, length, count)
        began = time.monotonic()
        kills = sum(_killed_while_reading(ours, shop) for _ in range(KILLS))
        ours.start("sending")
        told = trade.tell(ours.url, datetime.now(UTC) - RETRIED)
        trade.buy(f"{name}-late", datetime.now(UTC))
        until_quiet(lambda: len(_missing(trade, shop)), ours)
        took = time.monotonic() - began
        due = _due(trade)
        until_quiet(lambda: len(due - _written(mail).keys()), ours)
        _rounds_more(ours, 3)
        row = _row(name, trade, shop, _written(mail))
        row["bars"] += [
            ("kills while reading", kills, KILLS, True),
            ("all known s", round(took, 1), SECONDS, False),
            ("unwritten", len(due - _written(mail).keys()), 0, False),
        ]
        row["detail"] |= {"told_twice": told}
        Shop.objects.filter(pk=shop.pk).update(is_active=False)
        return row


def _killed_while_reading(ours: Ours, shop: "Shop") -> bool:
    """Start the worker and kill -9 it as soon as it has gone on; tell whether it had.

    Where it stands is only a hint when to strike; the judge does not ask it.
    """
    from saleor_nudges.models import Cursor

    def positions() -> set[datetime]:
        return set(Cursor.objects.of(shop).values_list("position", flat=True))

    before = positions()
    ours.start_engine("sending")
    has_moved = until(lambda: positions() != before, ours, pause=LOOK_SECONDS)
    ours.kill()
    return has_moved


def _go_on(trade: Trade, name: str, length: timedelta, count: int) -> None:
    """Let the shop take orders and checkouts while nobody hears; half of those who left buy."""
    now = datetime.now(UTC)
    left = sorted(trade.waiting)
    for number in range(count):
        at = now - length * (number + 1) / (count + 1)
        trade.buy(f"{name}-{number}", at)
        trade.leave(f"{name}-{number}", at)
    # What Saleor still repeats when we are back reaches us twice.
    for number in range(5):
        trade.buy(f"{name}-last-{number}", now - timedelta(seconds=10 * number))
        trade.leave(f"{name}-last-{number}", now - timedelta(seconds=10 * number))
    for number, email in enumerate(left[::2]):
        trade.buy(f"{name}-back-{number}", now - length / 2, email)


def _row(name: str, trade: Trade, shop: "Shop", written: Counter[str]) -> Row:
    from saleor_nudges.models import Send

    lost, doubled = _missing(trade, shop), _doubled(shop) + _twice(written)
    mine = {email for email in written if email in trade.waiting or email in trade.buyers}
    wrong = len(mine & trade.buyers)
    in_doubt = Send.objects.of(shop).filter(state="IN_DOUBT").count()
    taken = len(trade.orders) + len(trade.checkouts)
    return {
        "id": f"reconcile {name}",
        "what": "Ours down past Saleor's 310 s: everything reconciled, nobody written to wrongly",
        "injected": f"down {name}, {KILLS} x kill -9 while reading",
        "posted": taken,
        "accepted": taken,
        "lost": len(lost),
        "doubled": doubled,
        "in_doubt": in_doubt,
        "bars": [
            ("lost", len(lost), 0, False),
            ("doubled", doubled, 0, False),
            ("wrong messages", wrong, 0, False),
            ("in doubt", in_doubt, 0, False),
            ("messages", len(mine), 1, True),
        ],
        "detail": {"orders": len(trade.orders), "checkouts": len(trade.checkouts)},
        "why": "",
    }


def _missing(trade: Trade, shop: "Shop") -> set[str]:
    """Return what the shop has done and we do not know."""
    from saleor_nudges.crypto import checkout_hash
    from saleor_nudges.models import ShopEvent

    known = set(ShopEvent.objects.of(shop).values_list("kind", "subject"))
    orders = {key for key in trade.orders if ("order_placed", key) not in known}
    return orders | {
        key for key in trade.checkouts if ("checkout_changed", checkout_hash(key)) not in known
    }


def _doubled(shop: "Shop") -> int:
    """Return how many facts we have more than once; nothing changed twice in this shop."""
    from saleor_nudges.models import ShopEvent

    times = Counter(ShopEvent.objects.of(shop).values_list("kind", "subject"))
    return sum(count - 1 for count in times.values())


def _due(trade: Trade) -> set[str]:
    """Return who must have been written to by now: left for long enough, and did not buy."""
    now = datetime.now(UTC)
    return {email for email, at in trade.waiting.items() if at + DELAY < now} - trade.buyers


def _written(mail: Path) -> Counter[str]:
    found = (message_from_bytes(file.read_bytes()) for file in mail.glob("*.eml"))
    return Counter(str(message["To"]) for message in found)


def _twice(written: Counter[str]) -> int:
    return sum(count - 1 for count in written.values())


def _is_caught_up(shop: "Shop") -> bool:
    from saleor_nudges import reconcile

    return all(reconcile.is_caught_up(shop, kind) for kind in reconcile.KINDS)


def _rounds_more(ours: Ours, count: int) -> None:
    """Wait for some more rounds of the worker: what is sent twice is sent in one of them."""
    wanted = ours.rounds() + count
    until(lambda: ours.rounds() >= wanted, ours)


def _shop(standing: "StandIn") -> "Shop":
    from saleor_nudges.testing import switch_on_recovery
    from tests.service.stand_in import installed

    shop = installed(
        standing,
        sender_email="hello@shop.example.com",
        checkout_url="https://shop.example.com/checkout?checkout={checkout}",
    )
    since = datetime.now(UTC) - timedelta(days=3)
    switch_on_recovery(shop, since=since, delay_seconds=int(DELAY.total_seconds()))
    return shop


def _contact(email: str) -> Any:
    from saleor_nudges.events import Contact

    return Contact(email=email, first_name="Anna")


def _cart() -> Any:
    from saleor_nudges.events import Line
    from tests.service.stand_in import cart

    return cart((Line("UHJvZHVjdDox", "UHJvZHVjdFZhcmlhbnQ6MQ==", 1, "Apple Juice"),))


def until(look: Callable[[], bool], ours: Ours, seconds: float = 120.0, pause: float = 0.2) -> bool:
    """Wait until it is so; False when it takes too long. A process that ended is an error."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if look():
            return True
        for name, process in ours.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended:\n{ours.log(name)[-2000:]}")
        time.sleep(pause)
    return False


def until_quiet(left: Callable[[], int], ours: Ours) -> None:
    """Wait until nothing is left, or what is left has not changed for long."""
    fewest, changed = left(), time.monotonic()

    def is_over() -> bool:
        nonlocal fewest, changed
        if (now := left()) < fewest:
            fewest, changed = now, time.monotonic()
        return not now or time.monotonic() > changed + QUIET_SECONDS

    until(is_over, ours, SECONDS)


@contextmanager
def _killed_at_the_end(ours: Ours) -> Iterator[None]:
    try:
        yield
    finally:
        ours.kill()


def main(scale: float) -> list[Row]:
    """Set everything up and play; the environment is this process's own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nudges-r7-")))
        smtp, port = servers.free_port(), servers.free_port()
        stack.enter_context(mailbox.receiving(folder / "mail", smtp))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "saleor_nudges.service.settings",
            "SECRET_KEY": "a key for tests, known to everybody who can read this file",
            "DATABASE_URL": stack.enter_context(servers.postgres(folder / "postgres")),
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp}",
            "NUDGES_PUBLIC_URL": f"http://127.0.0.1:{port}/",
            "NUDGES_ALLOW_PRIVATE_ADDRESSES": "true",
            "LOG_LEVEL": "WARNING",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        ours = Ours(dict(os.environ), folder, port)
        return [outage(name, scale, ours, folder / "mail") for name in OUTAGES]


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]))))
