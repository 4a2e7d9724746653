"""Where `village-point run` looks for what a new terminal needs, while the settings it names do not exist yet."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from edge.cli.common import CONFIG_VARIABLE
from edge.first_files import Place

DATA, BOOT, STICKS = "VILLAGE_POINT_DATA", "VILLAGE_POINT_BOOT", "VILLAGE_POINT_STICKS"
SETTINGS = Path("/etc/village-point/point.toml")
USUAL = {
    DATA: Path("/var/lib/village-point"),
    BOOT: Path("/boot/firmware/village-point"),
    STICKS: Path("/media/village-point"),
}


def add_places(run: argparse.ArgumentParser) -> None:
    """Add the options to `run`."""
    for option, variable, text in (
        ("--data", DATA, "data folder of a new terminal"),
        ("--boot", BOOT, "folder on the boot partition with district.toml"),
        ("--sticks", STICKS, "where USB sticks are mounted"),
    ):
        run.add_argument(
            option,
            type=Path,
            metavar="DIR",
            help=f"{text}, while there are no settings; or {variable}; {USUAL[variable]}",
        )


def first_place(arguments: argparse.Namespace) -> Place:
    """The places of a first start. Errors: ValueError when no settings file is named."""
    named = getattr(arguments, "config", None) or os.environ.get(CONFIG_VARIABLE)
    if not named:
        raise ValueError(f"give --config FILE or set {CONFIG_VARIABLE}")
    data, boot, sticks = (
        (given or Path(os.environ.get(variable) or USUAL[variable])).absolute()
        for given, variable in ((arguments.data, DATA), (arguments.boot, BOOT), (arguments.sticks, STICKS))
    )
    return Place(Path(named).absolute(), data, boot, sticks)


def is_first(place: Place, arguments: argparse.Namespace) -> bool:
    """Whether this is a new terminal. Settings that are not there may also be a mistyped name, which is an error."""
    if place.config.exists():
        return False
    is_told = arguments.boot is not None or arguments.data is not None or any(map(os.environ.get, (BOOT, DATA)))
    return is_told or place.config == SETTINGS or place.boot.is_dir()
