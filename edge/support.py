"""Gathers what somebody far away needs to understand a terminal, and nothing of a person. Reads only.

Logs are masked when they are written and once more here; settings go without comments, phone and names; of the facts
only kinds, numbers and times. Sealed and packed in sync/support.py.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from edge import examine, log, network
from edge.logs import mask
from edge.steps import Finding
from edge.store import Tx
from edge.toml_table import parse, read_text
from sync import support
from sync.files import replace_file

LOG_BYTES = 512 * 1024  # of the end of each file
LOG_FILES = 5
LAST_FACTS = 500
STAMP_SIGNS = 19  # of a log line, `2026-07-01 09:30:00`: digits that are nobody's number
FOR_ALL = 0o644  # a stick is read by another machine's user; what it says only the district can read
LIBRARIES = ("kivy", "paho-mqtt", "pyserial", "sqlite-utils", "cryptography", "requests", "evdev", "python-escpos")
LEFT_OUT = ("help_phone", "name", "username")  # of the settings
MACHINE_FILES = ("/etc/village-image", "/etc/os-release", "/proc/meminfo", "/proc/mounts", "/proc/loadavg")
WATCHDOG = Path("/sys/class/watchdog/watchdog0")
MAX_MACHINE_FILE = 16 * 1024


def about(version: str, now_ms: int, data_dir: Path) -> dict[str, Any]:
    """Versions, the machine, its disk and its network."""
    disk, net = examine.disk(data_dir), network.look()
    return {
        "version": version,
        "made": now_ms,
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "kernel": platform.release(),
        "board": _machine_file("/proc/device-tree/model").strip("\0\n"),
        "libraries": {name: _version_of(name) for name in LIBRARIES},
        "uptime_s": _uptime_s(),
        "memory_mb": examine.memory_mb(),
        "heat_c": examine.heat_c(),
        "watchdog": watchdog(),
        "disk_free_mb": disk.free_mb,
        "disk_read_only": disk.is_read_only,
        "disk_used_up_percent": disk.used_up,
        "network": net.word,
        "backups": sorted(each.name for each in (data_dir / "backup").glob("*.db")),
    }


@dataclass(frozen=True, slots=True)
class Told:
    """What was asked of others for a bundle: `about` as below, the findings of the check-up, the newest facts."""

    about: Mapping[str, Any]
    findings: Sequence[Finding] = ()
    facts: Sequence[Mapping[str, Any]] = ()


def files(told: Told, data_dir: Path, settings_file: Path | None) -> dict[str, bytes]:
    """The files of a bundle by name. `settings_file`: None where it cannot be read as settings."""
    found = {"about.json": _json(told.about), "doctor.json": _json([_finding(each) for each in told.findings])}
    if settings_file is not None:
        found["settings.txt"] = "\n".join(settings_lines(settings_file)).encode()
    if told.facts:
        found["facts.jsonl"] = b"".join(json.dumps(fact).encode() + b"\n" for fact in told.facts)
    for path in MACHINE_FILES:
        if text := _machine_file(path):
            found[f"machine-{Path(path).name}"] = text.encode()
    for number, file in enumerate(sorted((data_dir / "log").glob("point.log*"))[:LOG_FILES]):
        found[f"log-{number}.txt"] = _log(file)
    return found


def watchdog(folder: Path = WATCHDOG) -> str:
    """The hardware watchdog of this machine and whether it runs, "Broadcom BCM2835 Watchdog timer, active"; or ""."""
    said = (_machine_file(str(folder / name)).strip() for name in ("identity", "state"))
    return ", ".join(word for word in said if word)


def write(content: Mapping[str, bytes], authority: Path, folder: Path, site: str, now_ms: int) -> Path:
    """Seal the files for the authority and put them into a folder. Return the file.

    Errors: ValueError where there is no authority to seal for, or too much to pack; OSError.
    """
    if not authority.exists():
        raise ValueError("this terminal has never met its district's hub, so there is nobody to seal a bundle for")
    sealed = support.sealed(content, authority.read_bytes())
    minute = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    file = folder / f"{site or 'new'}-{minute}{support.SUFFIX}"
    replace_file(file, sealed, FOR_ALL)
    return file


def last_facts(tx: Tx) -> list[dict[str, Any]]:
    """Kind, number and time of the newest facts; what they say stays here."""
    top = int(log.head(tx).upto)
    return [
        {
            "seq": item.seq, "kind": item.kind, "at": item.stamp.at, "boot": item.stamp.boot, "ms": item.stamp.ms,
            "synced": item.stamp.synced,
        }
        for item, _ in log.items(tx, after=max(0, top - LAST_FACTS))
    ]  # fmt: skip


def settings_lines(file: Path) -> list[str]:
    """The settings as `table.key = value`, without comments and without what names a person."""
    return list(_flat("", parse(read_text(file), file).plain()))


def _flat(before: str, values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _flat(f"{name}.", value)
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield from _flat(f"{name}.{number}.", each) if isinstance(each, Mapping) else [f"{name} = list"]
        elif key in LEFT_OUT and isinstance(value, str):
            yield f"{name} = *"
        else:
            yield f"{name} = {mask(str(value))}"


def _log(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - LOG_BYTES))
            text = opened.read(LOG_BYTES).decode(errors="replace")
    except OSError as error:
        return f"cannot be read: {error.strerror}\n".encode()
    return "\n".join(_line(line) for line in text.splitlines()).encode() + b"\n"


def _line(line: str) -> str:
    head = line[:STAMP_SIGNS]
    is_stamped = len(head) == STAMP_SIGNS and head[4] == head[7] == "-" and head[13] == head[16] == ":"
    return head + mask(line[STAMP_SIGNS:]) if is_stamped else mask(line)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "what": finding.what, "name": finding.subject, "level": finding.level, "code": finding.code,
        "key": finding.key, "slots": dict(finding.slots),
    }  # fmt: skip


def _machine_file(path: str) -> str:
    try:
        with open(path, "rb") as opened:  # noqa: PTH123 files of the kernel have no size to ask for
            return opened.read(MAX_MACHINE_FILE).decode(errors="replace")
    except OSError:
        return ""


def _uptime_s() -> int | None:
    words = _machine_file("/proc/uptime").split()
    return int(float(words[0])) if words else None


def _version_of(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
