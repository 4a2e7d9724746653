"""`village-point keep`: a sealed copy of the books, to the hub or on a stick, for the terminal that comes after us."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge import backup
from edge.cli.common import DEVICE, DONE, REFUSED, NotNow, command, emit, settings_of
from edge.cli.store import reading
from edge.clock import SystemClock
from edge.kept_copy import Books, books_of
from edge.uplink import enroller, true_time
from sync.identity import Identity
from sync.renewal import FAULTS
from sync.stick_file import BadStick
from sync.stick_words import DAMAGED, sentence


def add(commands: Any) -> None:
    keep = command(commands, "keep", "copy the books now, sealed, to the hub or on a stick", _keep)
    keep.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="the stick; the hub when not given")


def _keep(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    if settings.hub is None or not settings.hub.is_ready:
        raise NotNow("this point is not enrolled, so nobody could read a copy of its books")
    with reading(settings):
        copy = backup.make(settings.data_dir)
    books, clock = books_of(settings), SystemClock()
    now_ms = clock.stamp().at
    if arguments.folder is None:
        return _to_hub(settings.hub, books, now_ms)
    try:
        file = books.to_stick(arguments.folder, now_ms)
    except BadStick as error:
        sys.stderr.write(f"{sentence(error.word)}\n")
        return DEVICE if error.word in DAMAGED else REFUSED
    emit({"kept": str(file), "upto": copy.upto})
    return DONE


def _to_hub(hub: Any, books: Books, now_ms: int) -> int:
    if hub.identity_dir is None:
        raise NotNow("this point has no certificate to send a copy with; give the folder of a stick")
    voice = enroller(hub, Identity(hub.identity_dir), true_time(SystemClock()))
    try:
        voice.ask_time()
        upto = books.to_hub(voice.say, now_ms)
    except (*FAULTS, BadStick) as error:
        raise NotNow(f"the hub has no new copy: {error}") from error
    emit({"kept": "hub", "upto": upto})
    return DONE
