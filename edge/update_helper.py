"""The privileged half of updates: takes one request on standard input, as root, and answers in lines of JSON.

systemd starts it for each connection to the update socket (Accept=yes), which the kiosk's user may open. It installs
only files of the update folder that the releasing people have signed, never an older release for anybody but root, and
restarts only into a slot it has just written. Whoever asks decides nothing else.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from edge import release
from edge.release import Running, Unfit
from sync import bundle

NAME_RULE = r"[0-9a-f]{64}\.raucb"
MAX_REQUEST = 1_000
INSTALL_S = 40 * 60  # 1.5 GiB written at 2 MB/s, read back, and as much again
STATUS_S = 60
BEAT_S = 10.0
PROGRESS = re.compile(r"\s*(\d{1,3})% (.{1,80})")


@dataclass(frozen=True, slots=True)
class Powers:
    """Where things are. `incoming` and `state` belong to root alone; `state` is forgotten at every start."""

    folder: Path
    incoming: Path
    state: Path
    keyring: Path
    running: Running | None
    rauc: tuple[str, ...] = ("rauc",)
    restart: tuple[str, ...] = ("systemctl", "reboot")


def serve(asked: TextIO, told: TextIO, powers: Powers, *, by_root: bool) -> None:
    """Answer one request. The last line says how it ended."""

    def tell(answer: dict[str, Any]) -> None:
        with suppress(OSError):  # whoever asked has gone; what was begun goes on
            told.write(json.dumps(answer) + "\n")
            told.flush()

    try:
        tell(_answer(_request(asked), powers, tell, by_root=by_root))
    except Unfit as error:
        tell({"refused": error.word, "detail": error.detail})
    except OSError as error:
        tell({"refused": "not_written", "detail": str(error)})


def asked_by_root(handle: int) -> bool:
    """Whether root is at the other end of a socket; without a socket, whether root started us."""
    try:
        with socket.socket(fileno=os.dup(handle)) as line:
            packed = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return os.getuid() == 0
    return bool(struct.unpack("3i", packed)[1] == 0)


def _request(asked: TextIO) -> dict[str, Any]:
    try:
        found = json.loads(asked.readline(MAX_REQUEST))
    except ValueError as error:
        raise Unfit("not_ours", "no request") from error
    if not isinstance(found, dict):
        raise Unfit("not_ours", "no request")
    return found


def _answer(
    request: dict[str, Any], powers: Powers, tell: Callable[[dict[str, Any]], None], *, by_root: bool
) -> dict[str, Any]:
    match request.get("do"):
        case "status":
            return status(powers)
        case "install":
            with _alone(powers):
                return _install(str(request.get("file")), powers, tell, force=by_root and request.get("force") is True)
        case "restart":
            if not (powers.state / "armed").exists():
                raise Unfit("not_written", "nothing was written since the last start")
            subprocess.run(powers.restart, timeout=STATUS_S, check=False)
            return {"done": True}
    raise Unfit("not_ours", "no request of ours")


def status(powers: Powers) -> dict[str, Any]:
    """Which slot runs, which one is meant to, and whether this is a trial.

    Errors: Unfit no_slots without RAUC; no_helper when it does not tell, which may be over by the next question.
    """
    try:
        done = subprocess.run(
            [*powers.rauc, "status", "--output-format=json"],
            capture_output=True, text=True, timeout=STATUS_S, check=False,
        )  # fmt: skip
        told = json.loads(done.stdout)
        slots = {name: slot for each in told["slots"] for name, slot in each.items()}
        booted, primary = str(told["booted"]), slots.get(told["boot_primary"], {}).get("bootname")
    except OSError as error:
        raise Unfit("no_slots", f"there is no rauc: {error.strerror}") from error
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unfit("no_helper", f"rauc does not tell: {type(error).__name__}") from error
    armed = (powers.state / "armed").exists()  # then the other slot is the next to start, and nothing is tried yet
    return {
        "done": True,
        "booted": booted,
        "trial": booted != primary and not armed,
        "armed": armed,
        "slots": {slot["bootname"]: slot["boot_status"] for slot in slots.values() if slot.get("bootname")},
    }


def _install(name: str, powers: Powers, tell: Callable[[dict[str, Any]], None], *, force: bool) -> dict[str, Any]:
    if powers.running is None:
        raise Unfit("no_slots")
    if not re.fullmatch(NAME_RULE, name):
        raise Unfit("not_ours", "no file of the update folder")
    with taken_over(powers, name) as file:
        tell({"percent": 0, "what": "checking"})
        told = bundle.read(file, powers.keyring)
        bundle.check_whole(file)
        release.check(told.version, told.compatible, powers.running, force=force)
        if told.base and told.base != powers.running.version:
            raise Unfit("wrong_base", f"builds on {told.base}")
        (powers.state / "armed").unlink(missing_ok=True)
        _run_rauc(file, powers, tell)
        (powers.state / "armed").write_text(told.version)
    return {"done": True, "version": told.version}


@contextmanager
def taken_over(powers: Powers, name: str) -> Iterator[Path]:
    """A copy of root's own: what was checked is what is installed, whoever still holds the file open. One at a time."""
    source, own = powers.folder / name, powers.incoming / name
    powers.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in powers.incoming.iterdir():  # of an update in which the power went: up to half a gigabyte
        left.unlink()
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise Unfit("not_ours", "no plain file")
        if found.st_size > release.MAX_BUNDLE:
            raise Unfit("too_large", f"{found.st_size} bytes")
        shutil.copyfile(f"/proc/self/fd/{handle}", own)
        own.chmod(0o644)
        yield own
    finally:
        os.close(handle)
        own.unlink(missing_ok=True)


def _run_rauc(file: Path, powers: Powers, tell: Callable[[dict[str, Any]], None]) -> None:
    """Let RAUC write the other slot, with its progress. Errors: Unfit not_written."""
    child = subprocess.Popen(
        [*powers.rauc, "install", str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT_S):
            tell({"beat": True})

    limit = threading.Timer(INSTALL_S, child.kill)
    beats = threading.Thread(target=beat, daemon=True)
    limit.start()
    beats.start()
    last = ""
    try:
        assert child.stdout is not None
        for line in child.stdout:
            last = line.strip() or last
            if found := PROGRESS.match(line):
                tell({"percent": int(found[1]), "what": found[2]})
        code = child.wait()
    finally:
        limit.cancel()
        ended.set()
        beats.join()
    if code != 0:
        raise Unfit("not_written", "".join(sign for sign in last if sign.isprintable())[:200])


@contextmanager
def _alone(powers: Powers) -> Iterator[None]:
    powers.state.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (powers.state / "lock").open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unfit("busy") from None
        yield
