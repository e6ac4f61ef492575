"""The hot requests in front of a real Saleor, in one process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from devtools.servers import free_port

from .conftest import BASE, Seller

START = """
import sys
sys.modules.update({broken})
import uvicorn
uvicorn.run("saleor_nudges.plugin.asgi:application", port={port}, ws="none", access_log=False)
"""
PRODUCTS = '{ products(first: 1, channel: "default-channel") { totalCount } }'


@contextmanager
def served(broken: str = "") -> Iterator[str]:
    """Serve Saleor with us in front; yield its address."""
    port = free_port()
    names = "{" + (f"{broken!r}: None" if broken else "") + "}"
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(broken=names, port=port)],
        env=os.environ | {"ALLOWED_HOSTS": "*"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, url)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(f"{url}/health/", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("Saleor with us in front did not start.")


def sells(url: str) -> bool:
    answer = requests.post(f"{url}/graphql/", json={"query": PRODUCTS}, timeout=30)
    return answer.json()["data"]["products"]["totalCount"] > 0


@pytest.mark.parametrize("broken", ["", "saleor_nudges.asgi.hot"])
def test_shop_sells_and_pages_are_answered(seller: Seller, broken: str) -> None:
    seller.track()
    with served(broken) as url:
        assert sells(url)
        opened = requests.post(f"{url}{BASE}v1/session", data="{}", timeout=10)
        assert (opened.status_code, set(opened.json())) == (200, {"token", "expiresAt"})
        page = requests.get(f"{url}{BASE}v1/nudges?channel=default-channel&page=HOME", timeout=10)
        assert (page.status_code, page.json()["nudges"]) == (200, [])
        # Django's views write this header, the hot requests do not: who answered?
        assert ("X-Content-Type-Options" in page.headers) is bool(broken)
