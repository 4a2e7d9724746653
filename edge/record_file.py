"""The record of a commissioning as a picture on a USB stick: for the folder of the point, without a printer.

A part of the composition root, as edge/carrying.py, which says where sticks are.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from edge import stick_door
from edge.carrying import Place, mounted
from edge.commissioning_record import Record
from edge.record_slip import record_slip
from edge.slips import Letterhead
from sync.stick_file import trouble
from ui.slip_picture import draw


async def save(place: Place, head: Letterhead, record: Record) -> str:
    """Write the picture to the one stick that is in. Return saved, or why not: off, none, several, full, ...

    `off`: the settings name no folder of sticks.
    """
    return await asyncio.to_thread(_save, place, head, record)


def _save(place: Place, head: Letterhead, record: Record) -> str:
    if place.folder is None:
        return "off"
    stick_door.look()
    sticks = mounted(place.folder, place.plain)
    if len(sticks) != 1:
        return "several" if sticks else "none"
    stick = place.folder / sticks[0].name
    try:
        stick_door.open_for_writing(sticks[0].name)
        _write(stick / file_name(record), head, record)
    except OSError as error:
        return str(trouble(error).word)
    finally:
        stick_door.look()  # closed for writing: whoever pulls it now loses nothing
    return "saved"


def file_name(record: Record) -> str:
    """The site and the run: a stick may carry the records of a whole township."""
    return f"village-point-{record.run.site}-{record.run.run}.png"


def _write(file: Path, head: Letterhead, record: Record) -> None:
    half = file.with_name(f".{file.name}.part")
    draw(half, record_slip(head, record))
    with half.open("rb") as written:
        os.fsync(written.fileno())
    half.replace(file)
