"""The file district.toml: all that a new terminal is told before it knows its site. Public; nothing in it is secret.

    language = "zh"            # what the first screen begins with
    phone = "023-00000000"     # whom to call, if told
    [hub]                      # as in the settings of a point that enrols: host, port, enrol_port, ca_fingerprint
    [panel]                    # only where the machine cannot tell by itself

Where it lies and what follows is in edge/first_start.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.config import LANGUAGES, HubLink
from edge.hub_link import PROTOCOLS, read_hub
from edge.mistakes import ConfigError, mistake
from edge.toml_table import Table, parse

NAME = "district.toml"
PHONE_RULE = r"[0-9+ -]{3,20}"


@dataclass(frozen=True, slots=True)
class District:
    """Where the hub is, and whom to call. `panel`: as in the settings, None where the file does not say."""

    language: str
    phone: str
    hub: HubLink
    panel: Mapping[str, int | float | bool] | None

    @property
    def hub_table(self) -> dict[str, str | int]:
        """The table [hub] of the settings that will be made."""
        return hub_table(self.hub)


def hub_table(hub: HubLink) -> dict[str, str | int]:
    """The table [hub] as settings of a point that enrols write it."""
    protocol = next(name for name, number in PROTOCOLS.items() if number == hub.protocol)
    table: dict[str, str | int] = {
        "host": hub.host, "port": hub.port, "enrol_port": hub.enrol_port, "ca_fingerprint": hub.ca_fingerprint,
    }  # fmt: skip
    if protocol != "5":
        table["protocol"] = protocol
    if hub.qos != 1:
        table["qos"] = hub.qos
    return table


def read_district(text: str, file: Path, data_dir: Path) -> District:
    """Read the text of the file. Errors: ConfigError with every mistake and its line."""
    table = parse(text, file)
    language = table.choice("language", LANGUAGES) if table.has("language") else LANGUAGES[0]
    phone = table.optional_text("phone", PHONE_RULE, mistake("phone")) or ""
    panel = _panel(table.table("panel")) if table.has("panel") else None
    inside = table.table("hub")
    if table.has("hub") and not inside.has("ca_fingerprint"):
        inside.wrong(mistake("no_fingerprint"), "ca_fingerprint")
        inside = inside.with_usual({"ca_fingerprint": "0" * 64})  # without it the rules are those of another way in
    hub = read_hub(inside, file.parent, data_dir)
    table.finish()
    if table.problems:
        raise ConfigError(file, table.problems)
    return District(language, phone, hub, panel)


def written(language: str, phone: str, hub: Mapping[str, str | int]) -> str:
    """Write the text of the file."""
    head = "# What new terminals of this district start with. Public: no secret is in it."
    called = [f"phone = {json.dumps(phone)}"] if phone else []
    table = [f"{key} = {json.dumps(value)}" for key, value in hub.items()]
    return "\n".join([head, f'language = "{language}"', *called, "", "[hub]", *table, ""])


def _panel(table: Table) -> dict[str, int | float | bool]:
    panel: dict[str, int | float | bool] = {
        "width": table.whole("width", 480, 7680),
        "height": table.whole("height", 480, 7680),
        "diagonal_inch": table.number("diagonal_inch", 4, 100),
        "fullscreen": table.flag("fullscreen", default=True),
    }
    table.finish()
    return panel
