"""Every suite of `make test`, one after the other; ends by naming which ran and which did not.

python -m devtools.suites             # all of them
python -m devtools.suites lint        # by name
"""

import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDGET = ROOT / "storefront-widget"
BUILT_WIDGET = ROOT / "saleor_nudges" / "static" / "saleor_nudges" / "widget.js"
OLDEST = min((ROOT / "requirements").glob("saleor-*.txt"))
SERVED = (sys.executable, "-m", "devtools.servers", "--", sys.executable, "-m", "pytest", "-q")
# A worker for each core, with its own database and Redis; what shares fixtures stays together.
SIDE_BY_SIDE = ("-n", "auto", "--dist", "loadfile")


@dataclass(frozen=True)
class Suite:
    """Some tests with a name. `missing` says why they cannot run here; empty when they can."""

    name: str
    run: Callable[[], bool]
    missing: Callable[[], str] = lambda: ""


def lint() -> bool:
    """Run the linters, the type checker, the import contracts and the drift checks."""
    python = sys.executable
    return all(
        [
            run(python, "-m", "ruff", "check", "-q", "."),
            run(python, "-m", "ruff", "format", "-q", "--check", "."),
            run(python, "-m", "mypy", "--no-error-summary"),
            run(str(Path(python).parent / "lint-imports"), "--no-logo"),
            # In a process of its own: what it sets must not reach the other suites.
            run(python, "-m", "devtools.schema", "--check"),
        ]
    )


def engine() -> bool:
    """Run the Python tests on real Postgres and Valkey."""
    return twice(SERVED, *SIDE_BY_SIDE, "-m", "not browser")


def engine_on_oldest() -> bool:
    """Run the Python tests again with what the oldest supported Saleor has locked."""
    home = ROOT / "build" / "oldest"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
    pip = (str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check")
    needs = ("-c", str(OLDEST), "-r", "requirements/test.in", f"{ROOT}[demo,parquet]")
    # In place of the copy pip just made, so that the tests read this very tree.
    return (
        run(*pip, *needs)
        and run(str(python), "-m", "pip", "uninstall", "-q", "-y", "saleor-nudges")
        and twice(
            (*SERVED[:4], str(python), *SERVED[5:]),
            *(*SIDE_BY_SIDE, "-m", "not browser and not slow"),
            # An urllib3 of that age leaves a socket to the garbage collector.
            *("-W", "ignore::pytest.PytestUnraisableExceptionWarning"),
        )
    )


def widget() -> bool:
    """Run the widget's own linter, types and unit tests."""
    return run("npm", "run", "--silent", "lint", at=WIDGET) and run(
        "npm", "run", "--silent", "test", at=WIDGET
    )


def widget_in_browser() -> bool:
    """Run the widget's tests in a real Chromium."""
    return run("npm", "run", "--silent", "test:browser", at=WIDGET)


def shop_on_nextjs() -> bool:
    """Build a Next.js shop as docs/storefront.md says, and shop there in a real Chromium."""
    return run("npm", "run", "--silent", "test:next", at=WIDGET)


def story_in_browser() -> bool:
    """Tell the whole story on the demo shop in a real Chromium."""
    return twice(SERVED, "-m", "browser")


def saleor() -> bool:
    """Run the hosted suite inside a real Saleor."""
    return run(sys.executable, "-m", "devtools.saleor")


def no_browser() -> str:
    """Say why browser tests cannot run; install Chromium first where that is possible."""
    if _chromium():
        return ""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing chromium from the system's packages …", flush=True)
        _quietly("apt-get", "update")
        _quietly("apt-get", "install", "-y", "--no-install-recommends", "chromium")
    return "" if _chromium() else "no Chromium here, and not root to install one"


def no_saleor() -> str:
    """Say why the hosted suite cannot run."""
    return "" if os.environ.get("SALEOR_DIR") else "SALEOR_DIR is not set"


SUITES = (
    Suite("lint", lint),
    Suite("engine", engine),
    Suite("engine on the oldest pins", engine_on_oldest),
    Suite("widget", widget),
    Suite("widget in a browser", widget_in_browser, no_browser),
    Suite("widget in a Next.js shop", shop_on_nextjs, no_browser),
    Suite("story in a browser", story_in_browser, no_browser),
    Suite("inside Saleor", saleor, no_saleor),
)


def run(*command: str, at: Path = ROOT) -> bool:
    """Run a command in sight; tell whether it succeeded."""
    return subprocess.run(command, cwd=at, check=False).returncode == 0


def twice(pytest: Sequence[str], *options: str) -> bool:
    """Run tests; those that were red are asked once more, alone and one after the other.

    What is red again is a defect. What is not has met a busy machine or a race: it is named above
    all the same, as failed.
    """
    kept = ("-o", f"cache_dir={ROOT / 'build' / 'pytest'}")
    if run(*pytest, *kept, *options):
        return True
    print("\nWhat was red is asked once more, alone:", flush=True)
    alone = [option for option in options if option not in SIDE_BY_SIDE]
    return run(*pytest, *kept, *alone, "-rA", "--lf", "--lfnf", "none")


def main(names: Sequence[str]) -> int:
    """Run the suites of these names, or all; return the exit code."""
    lines, is_green = [], True
    wanted = [suite for suite in SUITES if not names or suite.name in names]
    if any(suite.name != "lint" for suite in wanted):
        _build_widget()
    for suite in wanted:
        reason = suite.missing()
        if reason:
            lines.append(f"not run  {suite.name}: {reason}")
            continue
        print(f"\n== {suite.name}", flush=True)
        started = time.monotonic()
        passed = suite.run()
        is_green &= passed
        took = time.monotonic() - started
        lines.append(f"{'passed ' if passed else 'FAILED '}  {suite.name} ({took:.0f} s)")
    print("\n" + "\n".join(lines), flush=True)
    return 0 if is_green else 1


def _build_widget() -> None:
    subprocess.run(["make", "-s", str(BUILT_WIDGET.relative_to(ROOT))], cwd=ROOT, check=True)


def _quietly(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=False, env=environment, capture_output=True)


def _chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
