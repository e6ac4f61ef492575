"""Saleor with the hot requests in front: who answers what, and that the shop comes first."""

import asyncio
import importlib
import sys
from types import ModuleType

import pytest

from saleor_nudges.asgi import start

BASE = "/plugins/global/saleor-nudges/"


def answering(name):
    async def app(scope, receive, send):
        await send(name)

    return app


@pytest.fixture
def load(monkeypatch):
    """Import our entry as in a Saleor, whose own application answers `saleor`."""
    stand_in = ModuleType("saleor.asgi")
    stand_in.application = answering("saleor")
    monkeypatch.setitem(sys.modules, "saleor", ModuleType("saleor"))
    monkeypatch.setitem(sys.modules, "saleor.asgi", stand_in)

    def load(make):
        monkeypatch.setattr(start, "application", make)
        monkeypatch.delitem(sys.modules, "saleor_nudges.plugin.asgi", raising=False)
        return importlib.import_module("saleor_nudges.plugin.asgi").application

    yield load
    sys.modules.pop("saleor_nudges.plugin.asgi", None)


def who(application, path, kind="http"):
    """Return who answers a path."""
    said = []

    async def send(name):
        said.append(name)

    asyncio.run(application({"type": kind, "path": path}, None, send))
    return said


@pytest.mark.parametrize("door", ["v1/events", "v1/nudges", "v1/session", "v1/device", "v1/words"])
def test_hot_requests_do_not_reach_saleor(load, door):
    application = load(lambda: answering("nudges"))
    assert who(application, BASE + door) == ["nudges"]


@pytest.mark.parametrize(
    "path",
    [
        "/graphql/",
        "/v1/events",
        "/thumbnail/v1/nudges",
        BASE + "v1/widget.js",
        BASE + "v1/widget/view.0123456789.js",
        BASE + "v1/events/",
        BASE + "r/abc",
        BASE + "healthz",
    ],
)
def test_everything_else_is_saleors(load, path):
    application = load(lambda: answering("nudges"))
    assert who(application, path) == ["saleor"]


def test_start_and_end_of_the_process_are_saleors(load):
    application = load(lambda: answering("nudges"))
    assert who(application, BASE + "v1/events", "websocket") == ["saleor"]
    assert asyncio.run(_lifespan(application)) == ["saleor"]


async def _lifespan(application):
    said = []

    async def send(name):
        said.append(name)

    await application({"type": "lifespan"}, None, send)
    return said


def test_what_fails_in_us_leaves_saleor_as_it_was(load, caplog):
    def fail():
        raise RuntimeError("broken on purpose")

    application = load(fail)
    assert who(application, BASE + "v1/events") == ["saleor"]
    assert "hot requests are answered by Django" in caplog.text
