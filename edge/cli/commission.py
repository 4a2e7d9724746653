"""`village-point commission`: how far the commissioning is, and the record of the last one, as JSON or a picture.

It is done on the screen; these look at it, also beside the running kiosk. The hub tells its side in its own status.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge import commissioning
from edge.cli.common import NotNow, command, emit, settings_of
from edge.cli.store import reading
from edge.commissioning_record import device_id, to_json
from edge.config import Settings
from edge.fittings import wizard_steps
from edge.record_slip import record_slip
from edge.slips import Letterhead


def add(commands: Any) -> None:
    group = commands.add_parser("commission", help="how the point was commissioned")
    acts = group.add_subparsers(required=True, metavar="ACTION")
    command(acts, "status", "which steps are done and which are to come", _status)
    record = command(acts, "record", "the one-page record of the last commissioning that was finished", _record)
    record.add_argument("--picture", type=Path, metavar="FILE", help="draw it as a PNG, too")


def _status(arguments: argparse.Namespace) -> None:
    """The open run, or the last one; before the first the steps that are to come."""
    settings = settings_of(arguments)
    with reading(settings) as tx:
        found = commissioning.newest(tx, settings.site)
        due, device = commissioning.is_due(tx), device_id(tx.keys.device)
    if found is None:
        steps = [{"step": step, "result": None} for step in wizard_steps(settings)]
        emit({"site": settings.site, "device": device, "run": None, "due": due, "verdict": "open", "steps": steps})
        return
    emit({**to_json(found), "due": due, "left": list(found.left)})


def _record(arguments: argparse.Namespace) -> None:
    """Errors: NotNow without a finished run."""
    settings = settings_of(arguments)
    with reading(settings) as tx:
        found = commissioning.newest(tx, settings.site, ended=True)
    if found is None:
        raise NotNow("no commissioning has been finished yet; a technician does it on the screen")
    if arguments.picture is not None:
        from ui.slip_picture import draw

        draw(arguments.picture, record_slip(_letterhead(settings), found))
    emit(to_json(found))


def _letterhead(settings: Settings) -> Letterhead:
    from ui.papers import say

    def speak(key: str, **slots: str | int) -> str:
        return say(key, settings.language, **slots)

    return Letterhead(speak, settings.name)
