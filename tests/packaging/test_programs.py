"""What the stand is built from: a line that can be cut, and child programs with logs."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

DEV = Path(__file__).parents[2] / "packaging/dev"
PATIENCE_S = 20.0

if str(DEV) not in sys.path:  # the folder is no package
    sys.path.insert(0, str(DEV))
line, ports, programs = (importlib.import_module(name) for name in ("line", "ports", "programs"))


def until(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


# -- the line --------------------------------------------------------------------------------------------------


@pytest.fixture
def echoing_line() -> Iterator[Any]:
    """Give a line to a server that says everything back."""
    server = socket.create_server(("127.0.0.1", 0))

    def echo(end: socket.socket) -> None:
        with end:
            while chunk := end.recv(4096):
                end.sendall(chunk)

    def serve() -> None:
        while True:
            try:
                end, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(end,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    near = line.Line(ports.free_port(), server.getsockname()[1])
    near.start()
    yield near
    near.stop()
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def called(near: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", near.listen_port), timeout=PATIENCE_S)


def test_the_line_carries_bytes_unchanged(echoing_line: Any) -> None:
    sent = bytes(range(256)) * 1000

    with called(echoing_line) as end:
        threading.Thread(target=end.sendall, args=(sent,)).start()
        back = b""
        while len(back) < len(sent):
            back += end.recv(65536)

    assert back == sent


def test_a_cut_line_breaks_connections_and_refuses_new_ones_until_mended(echoing_line: Any) -> None:
    with called(echoing_line) as end:
        end.sendall(b"x")
        assert end.recv(1) == b"x"

        echoing_line.cut()

        assert end.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        called(echoing_line)
    echoing_line.mend()
    with called(echoing_line) as end:
        end.sendall(b"y")
        assert end.recv(1) == b"y"


def test_a_stalled_line_delivers_after_mending_what_waited(echoing_line: Any) -> None:
    with called(echoing_line) as end:
        end.sendall(b"x")
        assert end.recv(1) == b"x"
        echoing_line.stall()
        end.sendall(b"y")
        end.settimeout(0.3)
        with pytest.raises(TimeoutError):
            end.recv(1)
        end.settimeout(PATIENCE_S)

        echoing_line.mend()

        assert end.recv(1) == b"y"


# -- the programs ----------------------------------------------------------------------------------------------

READY = "print('{\"ready\": true, \"pid\": %d}' % __import__('os').getpid(), flush=True)\n"
SLEEP = "__import__('time').sleep(60)\n"


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Any]:
    """Give an empty set of child programs; whatever was started ends with the test."""
    started = programs.Programs(tmp_path / "log", os.environ)
    yield started
    for name in ("a", "b"):
        started.stop(name)


def start(children: Any, code: str, name: str = "a", wait_s: float = PATIENCE_S) -> None:
    children.start(name, [sys.executable, "-c", code], lambda said: any("ready" in each for each in said), wait_s)


def test_a_program_that_dies_at_its_start_is_told_with_its_last_words(children: Any) -> None:
    with pytest.raises(programs.StandError, match=r"(?s)a ended with exit code 3:.*no such port"):
        start(children, "import sys; print('no such port', file=sys.stderr); sys.exit(3)")


def test_a_program_that_never_gets_ready_is_ended(children: Any, tmp_path: Path) -> None:
    write_pid = f"import os, pathlib; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"

    with pytest.raises(programs.StandError, match="not up after"):
        start(children, write_pid + SLEEP, wait_s=1)

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_killed_program_starts_again_and_only_its_new_words_count(children: Any) -> None:
    start(children, READY + SLEEP)
    first = children.said("a")
    children.kill("a")

    start(children, READY + SLEEP)

    assert len(children.said("a")) == 1
    assert children.said("a") != first
    assert children.said("a")[0]["pid"] == children.pid("a")
    assert len(children.log("a", "out").read_text().splitlines()) == 2  # nothing of the first start is lost


def test_a_program_that_ends_by_itself_is_noticed(children: Any) -> None:
    start(children, READY + SLEEP, "a")
    start(children, READY + "import sys; sys.exit('out of paper')", "b")

    assert until(lambda: children.ended() is not None)

    ended = children.ended()
    assert (ended.name, ended.code, ended.last_words) == ("b", 1, "out of paper")


def test_a_program_deaf_to_the_polite_signal_is_killed(children: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "STOP_S", 0.5)
    start(children, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY + SLEEP)

    assert children.stop("a") == -signal.SIGKILL


def test_a_log_beyond_its_bound_is_emptied_while_the_program_writes_on(
    children: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "LOG_BYTES", 1000)
    start(children, READY + "import time\nwhile True: print('x' * 500, flush=True); time.sleep(0.05)\n")
    log = children.log("a", "out")
    assert until(lambda: log.stat().st_size > 1000)

    children.bound_logs()

    assert log.stat().st_size <= 1000
    assert until(lambda: log.stat().st_size > 0)
