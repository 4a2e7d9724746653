"""The table [enrolment] of the hub's settings: the authority, the reception, and how the broker is told of news."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from edge.mistakes import mistake
from edge.toml_table import Table
from sync.hub.https import BURST

HOSTS_RULE = r"[0-9A-Za-z.:-]{1,253}( [0-9A-Za-z.:-]{1,253}){0,9}"


@dataclass(frozen=True, slots=True)
class EnrolmentSettings:
    """Shape: `hosts` are what terminals call broker and reception, `reload` a command, empty for none.

    Units: `days` how long a terminal's certificate lives; `burst` requests one address may make at once.
    """

    hosts: tuple[str, ...]
    listen: str
    port: int
    broker_port: int
    broker_dir: Path
    days: int
    burst: int
    reload: tuple[str, ...]


def read_enrolment(table: Table, folder: Path) -> EnrolmentSettings:
    """Read the table; mistakes are noted in it."""
    reload = table.optional_text("reload", r"\S.{0,400}", mistake("command"))
    settings = EnrolmentSettings(
        hosts=tuple(table.text("hosts", HOSTS_RULE, mistake("hosts", low=1, high=10)).split(" ")),
        listen=table.optional_text("listen", r"[0-9A-Za-z.:-]{1,253}", mistake("address_only")) or "0.0.0.0",  # noqa: S104 the reception is for everybody
        port=table.whole("port", 1, 65535, 8443),
        broker_port=table.whole("broker_port", 1, 65535, 8883),
        broker_dir=folder / (table.optional_text("broker_dir", r"[^\x00]{1,400}", mistake("just_a_path")) or "broker"),
        days=table.whole("days", 1, 825, 90),
        burst=table.whole("burst", 1, 10_000, BURST),
        reload=_words(table, reload or ""),
    )
    table.finish()
    return settings


def _words(table: Table, command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError:
        table.wrong(mistake("open_quote"), "reload")
        return ()
