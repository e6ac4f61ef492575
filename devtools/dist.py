"""Build the wheel, look into it, install it into a clean environment and start it there."""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MUST_HOLD = (
    "saleor_nudges/static/saleor_nudges/widget.js",
    "saleor_nudges/messaging/defaults/html.liquid",
    "saleor_nudges/templates/saleor_nudges/return.html",
    "saleor_nudges/migrations/0001_initial.py",
    "saleor_nudges/webhooks/subscriptions/order_created.graphql",
    "saleor_nudges/graphql/schema.graphql",
    "saleor_nudges/py.typed",
)
WIDGET = "saleor_nudges/static/saleor_nudges/widget"
# What the script imports: one file each, whose name it knows.
PARTS = ("view", "watch")
# What a newcomer's first line would do, and Saleor's own discovery.
SMOKE = """
import importlib.metadata as metadata
import saleor_nudges
(point,) = metadata.entry_points(group="saleor.plugins")
assert (point.name, point.module, point.attr) == (
    "saleor_nudges", "saleor_nudges.plugin.hooks", "NudgesPlugin"), point
assert metadata.version("saleor-nudges") == saleor_nudges.__version__
print("installed", saleor_nudges.__version__)
"""


def main() -> int:
    """Build and try; return the exit code."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", "dist", "."], cwd=ROOT, check=True)
    (wheel,) = (ROOT / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        missing = [name for name in MUST_HOLD if name not in archive.namelist()]
        missing += _missing_parts(archive)
        foreign = [name for name in archive.namelist() if name.split("/")[0] in {"tests", "demo"}]
    if missing or foreign:
        print(f"{wheel.name}: missing {missing}, does not belong {foreign}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", f"{wheel}[app]"], check=True)
        subprocess.run([python, "-c", SMOKE], check=True, cwd=folder)
        subprocess.run([python, "-m", "saleor_nudges.service", "--help"], check=True, cwd=folder)
        environment = os.environ | {"SECRET_KEY": "smoke", "DATABASE_URL": "postgres:///smoke"}
        check = [str(python), "-m", "saleor_nudges.service", "check"]
        subprocess.run(check, check=True, cwd=folder, env=environment)
    print(wheel.relative_to(ROOT))
    return 0


def _missing_parts(archive: zipfile.ZipFile) -> list[str]:
    """Name the parts of the widget that are not there, are there twice, or are other builds'."""
    names = archive.namelist()
    if f"{WIDGET}.js" not in names:
        return []
    script = archive.read(f"{WIDGET}.js").decode()
    wrong = []
    for part in PARTS:
        found = [Path(name).name for name in names if name.startswith(f"{WIDGET}/{part}.")]
        # The script knows the hash, and makes the names with it.
        if len(found) != 1 or found[0].split(".")[1] not in script:
            wrong.append(f"{WIDGET}/{part}.<hash>.js: {found}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
