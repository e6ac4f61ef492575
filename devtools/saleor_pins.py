"""The runtime pins of a Saleor, from its lock file, as constraints: `requirements/saleor-*.txt`.

    python -m devtools.saleor_pins ~/saleor-3.21 ~/saleor-3.22 ~/saleor
    python -m devtools.saleor_pins --check ~/saleor

uv's lock (from 3.22 on) names what Saleor depends on, so it is walked; poetry's (3.21) marks each
package with its groups.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
# A lock file's tables: whatever TOML holds.
type Table = dict[str, Any]


def constraints(checkout: Path) -> tuple[str, str]:
    """The file's name and its text."""
    uv_lock, poetry_lock = checkout / "uv.lock", checkout / "poetry.lock"
    lock = uv_lock if uv_lock.exists() else poetry_lock
    packages = tomllib.loads(lock.read_text())["package"]
    pins = dict(_uv_pins(packages) if lock is uv_lock else _poetry_pins(packages))
    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    section = project.get("project") or project["tool"]["poetry"]
    version = str(section["version"])
    header = [
        f"# What Saleor {version} runs with, as constraints (commit {_commit(checkout)}).",
        f"# Made by `python -m devtools.saleor_pins SALEOR_DIR` from its {lock.name}; do not edit.",
    ]
    lines = [f"{name}=={pinned}" for name, pinned in sorted(pins.items())]
    line = ".".join(version.split(".")[:2])
    return f"saleor-{line}.txt", "\n".join([*header, *lines]) + "\n"


def _poetry_pins(packages: Sequence[Table]) -> Iterator[tuple[str, str]]:
    for package in packages:
        if "main" in package["groups"]:
            yield _normal(package["name"]), package["version"]


def _uv_pins(packages: Sequence[Table]) -> Iterator[tuple[str, str]]:
    """Walk from Saleor itself along the dependencies and the extras they ask for."""
    by_name = {package["name"]: package for package in packages}
    if len(by_name) != len(packages):
        raise SystemExit("the lock holds two versions of one package: teach this script markers")
    reached = {("saleor", "")}
    waiting = [("saleor", "")]
    while waiting:
        name, extra = waiting.pop()
        for wanted in _wants(by_name[name], extra):
            if wanted not in reached:
                reached.add(wanted)
                waiting.append(wanted)
    for name in {name for name, _ in reached} - {"saleor"}:
        yield _normal(name), by_name[name]["version"]


def _wants(package: Table, extra: str) -> Iterator[tuple[str, str]]:
    groups = package.get("optional-dependencies", {})
    wanted = groups.get(extra, []) if extra else package.get("dependencies", [])
    for dependency in wanted:
        yield dependency["name"], ""
        for asked in dependency.get("extra", []):
            yield dependency["name"], asked


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the constraints of the given checkouts, or compare them with what is written."""
    parser = argparse.ArgumentParser(prog="python -m devtools.saleor_pins")
    parser.add_argument("--check", action="store_true", help="fail where a file differs")
    parser.add_argument("checkouts", nargs="+", type=Path, metavar="SALEOR_DIR")
    options = parser.parse_args(arguments)
    stale = []
    FOLDER.mkdir(exist_ok=True)
    for checkout in options.checkouts:
        name, text = constraints(checkout.expanduser().resolve())
        file = FOLDER / name
        if not options.check:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            stale.append(name)
    if stale:
        sys.stderr.write(f"stale: {', '.join(stale)}\n")
    return int(bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
