"""Starting the demo where it cannot start."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def test_taken_port_is_said_in_one_line(tmp_path):
    # given
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        # when
        done = subprocess.run(
            [sys.executable, "-m", "demo", "--folder", str(tmp_path / "demo")],
            cwd=ROOT,
            env=os.environ | {"DEMO_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    # then: nothing was begun
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"Port {port} is taken. Try another: DEMO_PORT={port + 1} make demo\n"
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("port", ["abc", "0", "99999", "-5"])
def test_a_port_that_is_none_is_said_in_one_line(port, monkeypatch, capsys):
    monkeypatch.setenv("DEMO_PORT", port)
    assert main([]) == 1
    assert capsys.readouterr().err == (f"DEMO_PORT must lie between 1 and 65535, not '{port}'.\n")
