"""A real Saleor with saleor-nudges in it, from a checkout: what `make test-saleor` runs in.

    SALEOR_DIR=~/saleor python -m devtools.saleor                    # the hosted suites
    SALEOR_DIR=~/saleor python -m devtools.saleor test -- -k hooks   # some of it
    SALEOR_DIR=~/saleor python -m devtools.saleor shell -- python manage.py shell
    SALEOR_DIR=~/saleor python -m devtools.saleor serve --port 8000

The checkout needs an environment of its own in `.venv`. Nothing is written into either: Saleor runs
from a folder of links below `build/`, where its media, byte code and database go too. Each run gets
a copy of one migrated database with Saleor's sample data (admin@example.com / admin); the database
`saleor` in it stays untouched, for `CREATE DATABASE … TEMPLATE saleor`.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devtools import servers

ROOT = Path(__file__).resolve().parent.parent
NAME = "saleor-nudges"
SETTINGS = "saleor_nudges.plugin.settings"
TEMPLATE = "saleor"
PLUGIN_SUITE = ROOT / "tests" / "saleor"
APP_SUITE = PLUGIN_SUITE / "app"
# What pytest answers when no test was selected.
NOTHING_CHOSEN = 5
# And when it ran to its end, and not all was green.
SOME_FAILED = 1


class SetupError(RuntimeError):
    """There is no Saleor to run in; the message says what is missing."""


@dataclass(frozen=True)
class Checkout:
    """A Saleor on disk."""

    path: Path
    version: str
    commit: str

    @property
    def python(self) -> Path:
        return self.path / ".venv" / "bin" / "python"

    @property
    def build(self) -> Path:
        return ROOT / "build" / f"saleor-{self.version}"

    def __str__(self) -> str:
        return f"Saleor {self.version} ({self.commit[:10]})"


def find_checkout() -> Checkout:
    """The Saleor that SALEOR_DIR names."""
    if not (named := os.environ.get("SALEOR_DIR")):
        raise SetupError("SALEOR_DIR is not set: it names a Saleor checkout with a `.venv` in it")
    path = Path(named).expanduser().resolve()
    if not (path / "saleor" / "settings.py").is_file():
        raise SetupError(f"SALEOR_DIR: {path} is no Saleor checkout")
    project = tomllib.loads((path / "pyproject.toml").read_text())
    section = project.get("project") or project["tool"]["poetry"]
    checkout = Checkout(path, section["version"], _commit(path))
    if not checkout.python.exists():
        raise SetupError(f"SALEOR_DIR: {path} has no environment of its own in .venv")
    return checkout


def _commit(path: Path) -> str:
    command = ["git", "-C", str(path), "rev-parse", "HEAD"]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


# The package, installed beside Saleor -------------------------------------------------------------


def install(checkout: Checkout, site: Path) -> list[Path]:
    """Install this repository into `site`, and beside it what Saleor's environment lacks for it.

    Every version Saleor has locked is a constraint: what would move a pin fails here.
    """
    _pip(checkout, "install", "--no-deps", f"--target={site}", str(ROOT))
    lacking = _lacking(checkout, _requirements(site))
    digest = hashlib.sha256(" ".join(lacking).encode()).hexdigest()[:12]
    extras = checkout.build / f"extras-{digest}"
    if lacking and not extras.exists():
        unfinished = site.with_name("extras")
        _pip(checkout, "install", "--no-deps", f"--target={unfinished}", *lacking)
        unfinished.rename(extras)
    return [site, extras]


def _requirements(site: Path) -> list[str]:
    folder = next(site.glob("saleor_nudges-*.dist-info"))
    lines = (folder / "METADATA").read_text().split("\n\n", 1)[0].splitlines()
    wanted = [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")]
    return sorted(line for line in wanted if "extra ==" not in line)


def _lacking(checkout: Checkout, requirements: Sequence[str]) -> list[str]:
    """`name==version` of every distribution to add. Remembered, for it asks the package index."""
    pins = sorted(
        f"{row['name']}=={row['version']}"
        for row in json.loads(_pip(checkout, "list", "--format=json"))
    )
    memory = checkout.build / "lacking.json"
    question = {"requirements": list(requirements), "pins": pins}
    with contextlib.suppress(OSError, ValueError):
        remembered = json.loads(memory.read_text())
        if remembered["question"] == question:
            return list(remembered["answer"])
    constraints = checkout.build / "constraints.txt"
    constraints.write_text("\n".join(pins) + "\n")
    dry_run = ("install", "--dry-run", "--report=-", "--quiet", f"--constraint={constraints}")
    report = json.loads(_pip(checkout, *dry_run, *requirements))
    answer = [
        f"{row['metadata']['name']}=={row['metadata']['version']}" for row in report["install"]
    ]
    memory.write_text(json.dumps({"question": question, "answer": sorted(answer)}, indent=1))
    return sorted(answer)


def _pip(checkout: Checkout, *arguments: str) -> str:
    """This environment's pip, acting for Saleor's: that one need not have a pip."""
    quiet = ("--disable-pip-version-check", "--no-input")
    command = [sys.executable, "-m", "pip", "--python", str(checkout.python), *quiet, *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, cwd=checkout.build
    )
    if done.returncode:
        raise SetupError(f"pip {arguments[0]} failed:\n{done.stderr.strip()}")
    return done.stdout


# The environment Saleor runs in -------------------------------------------------------------------


def _linked(checkout: Checkout) -> Path:
    """A folder of links to the checkout: Saleor takes its parent folder for a place to write to."""
    folder = checkout.build / "root"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("saleor", "templates", "manage.py", "pyproject.toml"):
        link = folder / name
        if not link.is_symlink() and (checkout.path / name).exists():
            link.symlink_to(checkout.path / name)
    for name in ("media", "static"):
        (folder / name).mkdir(exist_ok=True)
    return folder


def _environment(
    checkout: Checkout, installed: Sequence[Path], scratch: Path, port: int
) -> dict[str, str]:
    """What a self-hosted Saleor is given, every part of it replaceable from outside."""
    paths = [*installed, _linked(checkout), ROOT]
    public = f"http://127.0.0.1:{port}"
    chosen = {
        "ALLOWED_CLIENT_HOSTS": "127.0.0.1,localhost",
        "ALLOWED_HOSTS": "*",
        "DEBUG": "False",
        "DEFAULT_FROM_EMAIL": "shop@example.com",
        "EMAIL_URL": f"file:///{scratch / 'mail'}",
        "HTTP_IP_FILTER_ALLOW_LOOPBACK_IPS": "True",
        "PUBLIC_URL": public,
        "RSA_PRIVATE_KEY": _private_key(checkout),
        "SECRET_KEY": "a key for tests, known to everybody who can read this file",
        "SEND_USAGE_TELEMETRY": "False",
    }
    required = {
        # Whoever works on us has another one set.
        "DJANGO_SETTINGS_MODULE": _settings_module(installed),
        "PATH": f"{checkout.python.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(checkout.build / "pycache"),
        "PYTHONSAFEPATH": "1",
        "SALEOR_DIR": str(checkout.path),
        "SALEOR_VERSION": checkout.version,
    }
    return {name: os.environ.get(name, value) for name, value in chosen.items()} | required


def _settings_module(installed: Sequence[Path]) -> str:
    file = f"{SETTINGS.replace('.', '/')}.py"
    return SETTINGS if any((path / file).is_file() for path in installed) else "saleor.settings"


def _private_key(checkout: Checkout) -> str:
    """One key per build folder, so that every process signs with the same."""
    file = checkout.build / "rsa.pem"
    if not file.exists():
        file.write_text(new_private_key(checkout))
    return file.read_text()


def new_private_key(checkout: Checkout) -> str:
    """A key to sign with, made by Saleor's own cryptography."""
    make = (
        "from cryptography.hazmat.primitives import serialization as s\n"
        "from cryptography.hazmat.primitives.asymmetric import rsa\n"
        "key = rsa.generate_private_key(public_exponent=65537, key_size=2048)\n"
        "form = s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()\n"
        "print(key.private_bytes(*form).decode())\n"
    )
    return _run([str(checkout.python), "-B", "-c", make], {})


def _run(command: Sequence[str], environment: Mapping[str, str], cwd: Path = ROOT) -> str:
    done = subprocess.run(
        command,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-40:])
        raise SetupError(f"`{' '.join(command[-4:])}` failed:\n{tail}")
    return done.stdout


# The database -------------------------------------------------------------------------------------


def _named(url: str, database: str) -> str:
    """The same server, another database."""
    parts = urlsplit(url)
    # urlunsplit would drop the empty host that a socket's URL has.
    return f"{parts.scheme}://{parts.netloc}/{database}?{parts.query}"


def template(checkout: Checkout) -> Path:
    """A stopped Postgres holding Saleor's schema and sample data; made once per Saleor commit.

    It is kept in the user's cache, where every clone of this repository finds it.
    """
    made_by = hashlib.sha256(Path(servers.__file__).read_bytes()).hexdigest()[:12]
    name = f"saleor-{checkout.version}-{checkout.commit[:12]}-{made_by}"
    done = _cache(checkout) / name
    if done.exists():
        return done
    unfinished = checkout.build / f"{name}-{os.getpid()}"
    _say(f"migrating {checkout} and filling it with sample data, once (about three minutes)")
    with (
        _scratch(checkout) as scratch,
        servers.postgres(unfinished, fresh=True, saleor=True, durable=False) as url,
    ):
        _query(checkout, url, f"CREATE DATABASE {TEMPLATE}")
        environment = _environment(checkout, [], scratch, servers.free_port())
        environment |= {"DATABASE_URL": _named(url, TEMPLATE)}
        manage = [str(checkout.python), "manage.py"]
        root = _linked(checkout)
        _run([*manage, "migrate", "--no-input"], environment, root)
        populate = ["populatedb", "--createsuperuser", "--withoutimages"]
        _run([*manage, *populate], environment, root)
    return _moved(unfinished, done)


def _cache(checkout: Checkout) -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / NAME
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        return checkout.build
    return home if os.access(home, os.W_OK) else checkout.build


def _moved(folder: Path, place: Path) -> Path:
    """Put a whole folder in its place, which may be on another disk, or be taken meanwhile."""
    copy = place.with_name(f"{place.name}-{os.getpid()}")
    _run(["cp", "-a", str(folder), str(copy)], {})
    shutil.rmtree(folder)
    try:
        copy.rename(place)
    except OSError:
        if not place.exists():
            raise
        shutil.rmtree(copy)
    return place


def _query(checkout: Checkout, url: str, *statements: str) -> None:
    """Run SQL with Saleor's own driver: this environment need not have one."""
    script = (
        "import sys, psycopg\n"
        "with psycopg.connect(sys.argv[1], autocommit=True) as connection:\n"
        "    for statement in sys.argv[2:]: connection.execute(statement)\n"
    )
    command = [str(checkout.python), "-B", "-c", script, _named(url, "postgres"), *statements]
    _run(command, {})


@contextlib.contextmanager
def _scratch(checkout: Checkout) -> Iterator[Path]:
    """A folder for one run."""
    checkout.build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=checkout.build, prefix=f"run-{os.getpid()}-") as folder:
        scratch = Path(folder)
        (scratch / "mail").mkdir()
        try:
            yield scratch
        finally:
            shutil.rmtree(f"{checkout.build / 'pycache'}{scratch}", ignore_errors=True)


@contextlib.contextmanager
def running(
    checkout: Checkout, *, nudges: bool = True, port: int | None = None
) -> Iterator[dict[str, str]]:
    """Servers up, database migrated: yield the environment in which Saleor runs."""
    for name in ("DATABASE_URL", "REDIS_URL"):  # always a server of our own
        os.environ.pop(name, None)
    checkout.build.mkdir(parents=True, exist_ok=True)
    servers.sweep(checkout.build)
    source = template(checkout)
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(_scratch(checkout))
        installed = install(checkout, scratch / "site") if nudges else []
        _run(["cp", "-a", str(source), str(scratch / "postgres")], {})
        database = servers.postgres(scratch / "postgres", saleor=True, durable=False)
        url = stack.enter_context(database)
        redis = stack.enter_context(servers.valkey(scratch / "valkey"))
        copy = f"CREATE DATABASE {servers.DATABASE} TEMPLATE {TEMPLATE} STRATEGY file_copy"
        _query(checkout, url, f"DROP DATABASE {servers.DATABASE}", copy)
        environment = _environment(checkout, installed, scratch, port or servers.free_port())
        environment |= {
            "DATABASE_URL": url,
            "REDIS_URL": redis,
            "CACHE_URL": redis.removesuffix("/0") + "/1",
            "CELERY_BROKER_URL": redis.removesuffix("/0") + "/2",
            "MAIL_DIR": str(scratch / "mail"),
        }
        if nudges:
            migrate = [str(checkout.python), "manage.py", "migrate", "--no-input"]
            _run(migrate, environment, _linked(checkout))
        yield environment


# The verbs ----------------------------------------------------------------------------------------


def test(checkout: Checkout, arguments: Sequence[str], *, nudges: bool) -> int:
    """Run the hosted suites, or the parts of them that are named; answer the worse exit code.

    The plugin's is told inside Saleor, by Saleor's Python; the App's beside it, by ours.
    """
    named = [argument for argument in arguments if _is_test(argument)]
    options = [argument for argument in arguments if argument not in named]
    apart = [path for path in named if _is_for_app(path)]
    inside = [path for path in named if path not in apart]
    codes = []
    if nudges and (inside or not named):
        with running(checkout) as environment:
            _say(f"{checkout} with {environment['DJANGO_SETTINGS_MODULE']}")
            codes.append(_plugin_suite(checkout, environment, [*options, *inside]))
    if apart or not named:
        _say(f"{checkout} and the App beside it")
        codes.append(_app_suite(checkout, [*options, *apart]))
    # Asked for a part, one suite of the two may know nothing of it.
    told = [code for code in codes if code != NOTHING_CHOSEN] if arguments else codes
    return max(told, default=NOTHING_CHOSEN)


def _plugin_suite(
    checkout: Checkout, environment: Mapping[str, str], arguments: Sequence[str]
) -> int:
    beside = f"--ignore={APP_SUITE}"
    command = _pytest(checkout, checkout.python, PLUGIN_SUITE, [beside, *arguments])
    # From the repository's root the package's source would hide the installed copy.
    return _twice(command, environment, _linked(checkout))


def _app_suite(checkout: Checkout, arguments: Sequence[str]) -> int:
    command = _pytest(checkout, Path(sys.executable), APP_SUITE, arguments)
    return _twice(command, {"SALEOR_DIR": str(checkout.path)}, ROOT)


def _twice(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> int:
    """Run a suite; ask what was red once more, alone, as `devtools.suites` does: what is red again
    is a defect, what is not has met a busy machine, and is named above all the same.
    """
    if (code := servers.run(command, environment, cwd=cwd)) != SOME_FAILED:
        return code
    _say("What was red is asked once more, alone:")
    return servers.run([*command, "-rA", "--lf", "--lfnf=none"], environment, cwd=cwd)


def _pytest(checkout: Checkout, python: Path, suite: Path, arguments: Sequence[str]) -> list[str]:
    options = [
        f"--rootdir={ROOT}",
        f"-c={suite / 'pytest.ini'}",
        "--import-mode=importlib",
        "-o",
        f"cache_dir={checkout.build / 'pytest_cache'}",
    ]
    named = [str(ROOT / part) if _is_test(part) else part for part in arguments]
    targets = [] if any(map(_is_test, arguments)) else [str(suite)]
    return [str(python), "-m", "pytest", *options, *named, *targets]


def _is_test(argument: str) -> bool:
    path = argument.partition("::")[0]
    return path.startswith("tests") and (ROOT / path).exists()


def _is_for_app(argument: str) -> bool:
    return (ROOT / argument.partition("::")[0]).is_relative_to(APP_SUITE)


def shell(checkout: Checkout, environment: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run any command where Saleor runs: `python` is Saleor's, `manage.py` is at hand."""
    return servers.run(list(arguments) or ["sh"], environment, cwd=_linked(checkout))


def serve(checkout: Checkout, environment: Mapping[str, str], port: int) -> int:
    """Run web, worker and beat until Ctrl-C, or until one of them ends."""
    _say(f"{environment['PUBLIC_URL']}/graphql/  (admin@example.com / admin)")
    return servers.run_together(processes(checkout, port), environment, cwd=_linked(checkout))


@contextlib.contextmanager
def served(
    checkout: Checkout,
    environment: Mapping[str, str],
    port: int,
    *,
    beat: bool = True,
    logs: Path | None = None,
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Run the same while the block lasts; into `logs` each writes its <name>.log."""
    commands = processes(checkout, port)
    if not beat:
        commands.pop("beat")
    with servers.together(commands, environment, cwd=_linked(checkout), logs=logs) as children:
        yield children


def processes(checkout: Checkout, port: int) -> dict[str, list[str]]:
    """What a Saleor consists of."""
    celery = [str(checkout.python), "-m", "celery", "--app=saleor.celeryconf:app"]
    scheduler = "--scheduler=saleor.schedulers.schedulers.DatabaseScheduler"
    listen = ["--host=127.0.0.1", f"--port={port}", "--ws=none", "--no-access-log"]
    return {
        "web": [str(checkout.python), "-m", "uvicorn", "saleor.asgi:application", *listen],
        "worker": [*celery, "worker", "--concurrency=2", "--loglevel=info"],
        "beat": [*celery, "beat", scheduler, "--pidfile=", "--loglevel=info"],
    }


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devtools.saleor")
    without = argparse.ArgumentParser(add_help=False)
    without.add_argument("--without-nudges", action="store_true", help="Saleor alone")
    verbs = parser.add_subparsers(dest="verb")
    for verb in (test, shell, serve):
        chosen = verbs.add_parser(verb.__name__, parents=[without], help=verb.__doc__)
        if verb is serve:
            chosen.add_argument("--port", type=int, default=8000)
        else:
            chosen.add_argument("arguments", nargs="*", metavar="ARG", help="after `--`")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Set up, say which Saleor it is, do as told."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given or ["test"])
    port = options.port if options.verb == "serve" else None
    try:
        checkout = find_checkout()
        if options.verb == "test":
            return test(checkout, options.arguments, nudges=not options.without_nudges)
        with running(checkout, nudges=not options.without_nudges, port=port) as environment:
            _say(f"{checkout} with {environment['DJANGO_SETTINGS_MODULE']}")
            if options.verb == "serve":
                return serve(checkout, environment, options.port)
            return shell(checkout, environment, options.arguments)
    except (SetupError, servers.ServerError) as error:
        _say(str(error))
        return 2
    finally:
        with contextlib.suppress(UnboundLocalError, NameError):
            _say(f"that was {checkout}")


if __name__ == "__main__":
    raise SystemExit(main())
