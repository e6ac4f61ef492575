"""We install into the locked environment of each supported Saleor and move none of its pins."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SALEORS = sorted((ROOT / "requirements").glob("saleor-*.txt"))
# What we bring that no Saleor has: two libraries, and what the first of them needs.
OURS = {
    "crawler-user-agents",
    "importlib-resources",
    "markupsafe",
    "msgspec",
    "prometheus-client",
    "python-liquid",
    "pytz",
    "saleor-nudges",
}


def pins(path: Path) -> dict[str, str]:
    """Return what a Saleor has locked, by normalised name."""
    lines = (line.split(";")[0].strip() for line in path.read_text().splitlines())
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {
        name.split("[")[0].strip().lower().replace("_", "-"): pin.strip() for name, pin in pairs
    }


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def test_every_supported_saleor_is_recorded():
    assert [path.stem for path in SALEORS] == ["saleor-3.21", "saleor-3.22", "saleor-3.23"]


@pytest.mark.slow
@pytest.mark.parametrize("path", SALEORS, ids=lambda path: path.stem)
def test_no_pin_moves(path):
    # given
    locked = pins(path)
    assert len(locked) > 100
    # when pip resolves us within Saleor's lock, as if the environment were empty
    report = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--quiet",
            "--disable-pip-version-check",
            "--report",
            "-",
            "--constraint",
            str(path),
            str(ROOT),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    # then it finds an answer, and everything Saleor has stays what it is
    assert report.returncode == 0, report.stderr[-2000:]
    found = {
        _plain(item["metadata"]["name"]): item["metadata"]["version"]
        for item in json.loads(report.stdout)["install"]
    }
    assert {name: pin for name, pin in found.items() if locked.get(name, pin) != pin} == {}
    assert found.keys() - locked.keys() <= OURS
