"""`village-point sheet`: the reconciliation sheet of the newest outage, as JSON or a picture, and the check of a code.

The hub prints the same with `village-hub sheet --site CODE`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge import outages
from edge.cli.common import NotNow, command, emit, settings_of
from edge.cli.store import reading
from edge.sheet import Sheet, code_of, same_code, to_json
from edge.slips import Letterhead, sheet_slip


def add(commands: Any) -> None:
    sheet = command(commands, "sheet", "the reconciliation sheet of the newest outage", _sheet)
    sheet.add_argument("--png", type=Path, metavar="FILE", help="draw it as a picture, too")
    sheet.add_argument("--check", metavar="CODE", help="compare the hub's code, as it was read out, with our figures")


def _sheet(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    with reading(settings) as tx:
        sheet = outages.newest(tx, settings.site)
        key = tx.keys.link
    if sheet is None:
        raise NotNow("there was no outage of an hour or longer yet, so there is no sheet")
    if arguments.check is not None:
        _check(key, sheet, arguments.check)
    if arguments.png is not None:
        from ui.papers import say
        from ui.slip_picture import draw

        def speak(key: str, **slots: str | int) -> str:
            return say(key, settings.language, **slots)

        draw(arguments.png, sheet_slip(Letterhead(speak, settings.name), sheet))
    emit(to_json(sheet) | ({"checked": True} if arguments.check is not None else {}))


def _check(key: bytes, sheet: Sheet, typed: str) -> None:
    """A code is right when it belongs to our own figures: then the hub counts the same. Errors: NotNow."""
    if not same_code(typed, code_of(key, sheet.stretch, sheet.ours)):
        raise NotNow("this code does not belong to our figures: the hub counts something else, or it was misread")
