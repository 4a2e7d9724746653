"""Runs a shell script of the image and kills it before its n-th outside program, as a power cut would end it.

Or lets that one program fail without doing anything, as a worn card, a full one or a lack of memory does.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

PROGRAMS = ("cat", "cp", "head", "mkdir", "mv", "rm", "sed", "sync", "tail", "tr", "paste", "grep", "ls", "sort")
WRAPPER = """#!/bin/sh
# one line a call; from the chosen one on (programs of a pipe start together) the whole script dies without a word
echo {name} >>"$KILLED_CALLS"
at=$(/usr/bin/wc -l <"$KILLED_CALLS")
if [ -n "${{KILLED_FAILS:-}}" ]; then
    [ "$at" -ne "$KILLED_AT" ] || exit 1
else
    [ "$at" -lt "$KILLED_AT" ] || kill -9 0
fi
exec /usr/bin/{name} "$@"
"""
TIMEOUT_S = 30


def wrappers(folder: Path) -> Path:
    """Lay programs that count and kill into a folder; tell it."""
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text(WRAPPER.format(name=name))
        (folder / name).chmod(0o755)
    return folder


def run(command: list[str], *, at: int, bin_folder: Path, env: Mapping[str, str]) -> bool:
    """Run a command; kill it before its `at`-th outside program. Tells whether it came to its end before that.

    Errors: AssertionError when it failed by itself.
    """
    calls = bin_folder / "calls"
    calls.write_text("")
    whole = {**env, "PATH": f"{bin_folder}:/usr/sbin:/usr/bin", "KILLED_CALLS": str(calls), "KILLED_AT": str(at)}
    ended = subprocess.run(
        command, check=False, env=whole, capture_output=True, text=True, start_new_session=True, timeout=TIMEOUT_S
    )
    assert ended.returncode in (0, -9), ended.stderr
    return ended.returncode == 0


def fail(command: list[str], *, at: int, bin_folder: Path, env: Mapping[str, str]) -> bool:
    """Run a command to its end; its `at`-th outside program fails. Tells whether the command says that it succeeded."""
    calls = bin_folder / "calls"
    calls.write_text("")
    ended = subprocess.run(
        command,
        check=False,
        env={
            **env,
            "PATH": f"{bin_folder}:/usr/sbin:/usr/bin",
            "KILLED_CALLS": str(calls),
            "KILLED_AT": str(at),
            "KILLED_FAILS": "1",
        },
        capture_output=True,
        timeout=TIMEOUT_S,
    )
    return ended.returncode == 0


def called(bin_folder: Path) -> list[str]:
    """The outside programs of the last run, in order."""
    return (bin_folder / "calls").read_text().split()


def every_cut(most: int = 200) -> Iterator[int]:
    """Numbers of calls to kill at; stop asking when a run came to its end."""
    yield from range(1, most)
    raise AssertionError(f"more than {most} outside programs: this is not the script we know")
