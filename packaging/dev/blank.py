"""`make run ARGS=--first-start`: the sample district with a terminal that has no settings yet, as out of the box.

The card holds nothing but district.toml. The settings of the sample's point wait at the hub; whoever types `approve`
is the district's desk.
"""

from __future__ import annotations

import json
import re
import sys

import sample
from stand import READY_S, Stand, Step

PHONE = "023-00000000"
OWN_TO_THE_MACHINE = (r"^data_dir = .*\n", r"^\[hub\]\n(?:[^\[\n].*\n|\n)*")  # what a profile leaves out


class BlankStand(Stand):
    """A stand whose terminal is new; once it has its settings, it starts as any other."""

    def lay_out(self) -> bool:
        """As for any stand, but the point's settings go to the hub as a profile, and to the card only the district."""
        if (self.folder / ".blank").exists() and self.point_toml.exists():
            return super().lay_out()
        is_new = super().lay_out()
        profile = self.point_toml.read_text("utf-8")
        for part in OWN_TO_THE_MACHINE:
            profile = re.sub(part, "", profile, flags=re.MULTILINE)
        (self.folder / "profile.toml").write_text(profile, "utf-8")
        self.point_toml.unlink()
        (self.folder / ".blank").touch()
        for name in ("card", "sticks"):
            (self.folder / name).mkdir(exist_ok=True)
        return is_new

    def prepare_card(self) -> None:
        """Write the card as a district does, with the line that can be cut."""
        assert self.ports is not None, "lay_out comes first"
        self.hub_command("district", str(self.folder / "card"), "--phone", PHONE)
        self.ports.write_into(self.folder / "card" / "district.toml", "hub", port=self.ports.line)
        self.hub_command("profile", "set", "--site", sample.SITE, str(self.folder / "profile.toml"))

    def start_kiosk(self, *, headless: bool = False) -> None:
        """Start the terminal; without settings it shows its code."""
        self.start_line()
        places = {"--data": "point", "--boot": "card", "--sticks": "sticks"}
        words = [word for option, name in places.items() for word in (option, str(self.folder / name))]
        command = [sys.executable, "-m", "edge.cli", "run", "--config", str(self.point_toml), *words]
        if headless:
            command.append("--headless")
        self.programs.start(
            "kiosk", command, lambda said: any("state" in s or s.get("ready") for s in said), READY_S["kiosk"]
        )

    def approve(self) -> list[str]:
        """Let every terminal in that waits; return their codes. Errors: StandError."""
        asked = [json.loads(line) for line in self.hub_command("enrolments").splitlines()]
        codes = [str(each["code"]) for each in asked if each["state"] == "waiting"]
        for code in codes:
            self.hub_command("approve", code, "--site", sample.SITE, "--replace")
        if codes:
            (self.folder / ".admitted").touch()
        return codes

    def steps(self, *, only_sim: bool = False) -> list[Step]:
        """What starts all programs, without what the desk and the technician do."""
        if only_sim:
            return super().steps(only_sim=True)
        return [
            ("sample district", self.lay_out),
            ("private broker", self.start_broker),
            ("reception for certificates", self.start_reception),
            ("district hub", self.start_hub),
            ("manifest, bills and notices to the hub", self.send_manifest),
            ("a card with district.toml, the point's settings to the hub", self.prepare_card),
            ("simulated devices", self.start_sim),
            ("a terminal without settings", self.start_kiosk),
        ]
