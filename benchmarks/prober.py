"""Looks at a product nobody has seen, and asks for its page until the page speaks of it.

As a process (`python -m benchmarks.prober port seconds visitor shop`) it prints the waits as JSON.
"""

import http.client
import json
import sys
import time
from typing import Any, Final

from benchmarks import payloads
from benchmarks.stage import Stage

POLL_SECONDS: Final = 0.02
PROBE_SECONDS: Final = 30.0
PAUSE: Final = 0.05


class Prober:
    """Looks at products nobody has seen and asks until it is said."""

    def __init__(self, port: int, visitor: dict[str, Any], shop: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.visitor, self.shop = visitor, shop
        self.run = payloads.Run()
        self.number = 0

    def probe(self, seconds: float = PROBE_SECONDS) -> float:
        """Return the seconds until a new view is visible; as many as it waited if it is not."""
        self.number += 1
        product = f"probe-{self.run.moment}-{self.run.salt}-{self.number}"
        event = payloads.viewed(str(self.run.id(0, self.number)), product)
        body = payloads.body_of(payloads.Visitor(self.visitor["token"]), [event])
        status, _ = self.ask("POST", f"/v1/events?shop={self.shop}", body)
        accepted = time.perf_counter()
        if status != 202:
            raise AssertionError(f"a probe was answered {status}")
        while (waited := time.perf_counter() - accepted) < seconds:
            if self.is_shown(product):
                return time.perf_counter() - accepted
            time.sleep(POLL_SECONDS)
        return waited

    def is_shown(self, product: str) -> bool:
        """Tell whether this product's page speaks of it."""
        query = f"shop={self.shop}&channel={payloads.CHANNEL}&page=PRODUCT&product={product}"
        status, body = self.ask("GET", f"/v1/nudges?{query}")
        if status != 200:
            return False
        # What is of the whole shop names no product.
        about = [nudge["product"] for nudge in json.loads(body)["nudges"] if nudge["product"]]
        return any(named["id"] == product for named in about)

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return status and body of one request."""
        try:
            self.connection.request(method, path, body or None)
            answer = self.connection.getresponse()
        except (OSError, http.client.HTTPException):
            # The server lets go of a connection that has been still for a while.
            self.connection.close()
            self.connection.request(method, path, body or None)
            answer = self.connection.getresponse()
        return answer.status, answer.read()


def is_visible(stage: Stage, port: int, seconds: float = 5.0) -> bool:
    """Tell whether a new view is visible within these seconds: whether all processes run."""
    prober = Prober(port, stage.shop["visitors"][0], stage.shop["public_id"])
    return prober.probe(seconds) < seconds


def main(port: str, seconds: str, visitor: str, shop: str) -> None:
    """Probe for so long; print the waits in seconds."""
    prober = Prober(int(port), json.loads(visitor), shop)
    waits, end = [], time.monotonic() + float(seconds)
    while time.monotonic() < end:
        waits.append(prober.probe())
        time.sleep(PAUSE)
    print(json.dumps(waits))


if __name__ == "__main__":
    main(*sys.argv[1:])
