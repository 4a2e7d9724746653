"""Asks the system to mount USB sticks: nothing is mounted by itself, and the kiosk may mount nothing.

Shape:  one line to the socket of packaging/session/village-sticks, one JSON line back. Where there is no such socket
        (a desk, a test, plain Debian with an automounter) nothing is asked, and what is mounted is what is found.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

DOOR = Path("/run/village-sticks")
ANSWER_S = 40.0  # several worn sticks, each with its own limit of 20 s there
MAX_ANSWER = 4096


def look(door: Path = DOOR) -> list[str]:
    """Have everything mounted that is plugged in, for reading; what was open for writing is flushed and closed."""
    return _asked("look", door)


def open_for_writing(name: str, door: Path = DOOR) -> bool:
    """Let one stick be written until the next `look`. False when it cannot, or nobody is there to ask."""
    return _asked(f"write {name}", door) == [name]


def _asked(line: str, door: Path) -> list[str]:
    if not door.exists():
        return []
    try:
        with socket.socket(socket.AF_UNIX) as talk:
            talk.settimeout(ANSWER_S)
            talk.connect(str(door))
            talk.sendall(line.encode() + b"\n")
            with talk.makefile("rb") as answer:
                told = json.loads(answer.readline(MAX_ANSWER))
    except (OSError, ValueError):  # the next look tells; a person sees that no stick is listed
        return []
    found = told.get("sticks", []) if isinstance(told, dict) else []
    return [str(name) for name in found] if isinstance(found, list) else []
