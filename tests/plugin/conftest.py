"""Our hooks without a Saleor: just enough of one to import them, gone again afterwards."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`saleor_nudges.plugin.hooks`, on a BasePlugin that does nothing."""
    for name in ("saleor", "saleor.plugins", "saleor.plugins.base_plugin"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    base = type("BasePlugin", (), {"__init__": lambda _self, **_kwargs: None})
    vars(sys.modules["saleor.plugins.base_plugin"])["BasePlugin"] = base
    monkeypatch.delitem(sys.modules, "saleor_nudges.plugin.hooks", raising=False)
    yield importlib.import_module("saleor_nudges.plugin.hooks")
    sys.modules.pop("saleor_nudges.plugin.hooks", None)
