"""Which of Saleor's plugin hooks we use, and how each Saleor calls them: read from its source.

    python -m devtools.hook_signatures ~/saleor-3.21 ~/saleor-3.22 ~/saleor     # record
    python -m devtools.hook_signatures --check ~/saleor                         # compare

`params` are the types BasePlugin declares, `manager_passes` what PluginsManager hands over besides
`previous_value` (always, by keyword) and `webhooks` (by keyword, where `webhooks_kwarg`). A hook
that a Saleor no longer declares or calls is null.
"""

import argparse
import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

RECORD = Path(__file__).resolve().parent.parent / "tests" / "plugin" / "data" / "hooks.json"

HOOKS = (
    "account_deleted",
    "checkout_created",
    "checkout_fully_paid",
    "checkout_metadata_updated",
    "checkout_updated",
    "customer_created",
    "customer_deleted",
    "customer_updated",
    "order_cancelled",
    "order_confirmed",
    "order_created",
    "order_fulfilled",
    "order_fully_paid",
    "order_fully_refunded",
    "order_paid",
    "order_refunded",
    "order_updated",
    "product_created",
    "product_deleted",
    "product_updated",
    "product_variant_back_in_stock",
    "product_variant_deleted",
    "product_variant_out_of_stock",
    "product_variant_stocks_updated",
    "product_variant_updated",
    "webhook",
)
_DISPATCHERS = {"__run_method_on_plugins": 0, "__run_method_on_single_plugin": 1}
_NOT_FOR_THE_PLUGIN = {"channel_slug", "plugin_ids"}


class Hook(TypedDict):
    """One hook, as a Saleor declares and calls it."""

    params: list[str]
    manager_passes: list[str]
    webhooks_kwarg: bool


class Saleor(TypedDict):
    """What one Saleor does with the hooks we use."""

    commit: str
    hooks: dict[str, Hook | None]


def read(checkout: Path) -> tuple[str, Saleor]:
    """The release line ("3.23", or "main") and the hooks of a checkout."""
    declared = dict(_declarations(_parse(checkout, "base_plugin.py")))
    called = dict(_calls(_parse(checkout, "manager.py")))
    hooks = {
        name: _hook(declared[name], called[name]) if name in declared and name in called else None
        for name in HOOKS
    }
    return _line(checkout), {"commit": _commit(checkout), "hooks": hooks}


def _hook(params: list[str], call: ast.Call) -> Hook:
    skipped = 2 + _DISPATCHERS[_dispatcher(call)]
    keywords = [keyword.arg for keyword in call.keywords if keyword.arg is not None]
    named = [f"{name}=" for name in keywords if name not in {"webhooks", *_NOT_FOR_THE_PLUGIN}]
    return {
        "params": params,
        "manager_passes": [ast.unparse(argument) for argument in call.args[skipped:]] + named,
        "webhooks_kwarg": "webhooks" in keywords,
    }


def _declarations(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """`name: Callable[[A, B], C]` in the body of BasePlugin."""
    for statement in _body(module, "BasePlugin"):
        match statement:
            case ast.AnnAssign(
                target=ast.Name(id=name),
                annotation=ast.Subscript(slice=ast.Tuple(elts=[ast.List(elts=types), *_])),
            ):
                yield name, [_type(node) for node in types]


def _type(node: ast.expr) -> str:
    """As written, without the quotes of a forward reference."""
    return ast.unparse(node).replace("'", "")


def _calls(module: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """`self.__run_method_on_plugins("name", default, …)` in the body of PluginsManager."""
    for statement in _body(module, "PluginsManager"):
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and _dispatcher(node) in _DISPATCHERS:
                match node.args[_DISPATCHERS[_dispatcher(node)] :]:
                    case [ast.Constant(value=str(name)), _, *_]:
                        yield name, node


def _dispatcher(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _body(module: ast.Module, name: str) -> list[ast.stmt]:
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    return next(node.body for node in classes if node.name == name)


def _parse(checkout: Path, name: str) -> ast.Module:
    return ast.parse((checkout / "saleor" / "plugins" / name).read_text())


def _line(checkout: Path) -> str:
    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    section = project.get("project") or project["tool"]["poetry"]
    version = str(section["version"])
    return "main" if "-a" in version else ".".join(version.split(".")[:2])


def _commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Record the hooks of the given checkouts, or compare them with the record."""
    parser = argparse.ArgumentParser(prog="python -m devtools.hook_signatures")
    parser.add_argument("--check", action="store_true", help="fail where the record differs")
    parser.add_argument("checkouts", nargs="+", type=Path, metavar="SALEOR_DIR")
    options = parser.parse_args(arguments)
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    found = dict(read(checkout.expanduser().resolve()) for checkout in options.checkouts)
    if options.check:
        return _compare(recorded, found)
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps({**recorded, **found}, indent=2, sort_keys=True) + "\n")
    return 0


def _compare(recorded: dict[str, Saleor], found: dict[str, Saleor]) -> int:
    """Commits may differ, hooks may not."""
    differs = False
    for line, saleor in found.items():
        known = recorded[line]["hooks"] if line in recorded else {}
        for name, hook in saleor["hooks"].items():
            if known.get(name, "nothing") != hook:
                differs = True
                sys.stderr.write(f"{line} {name}: recorded {known.get(name)}, found {hook}\n")
    return int(differs)


if __name__ == "__main__":
    raise SystemExit(main())
