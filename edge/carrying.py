"""The sticks of this terminal: those that somebody has mounted below one folder, and what is written and read there.

A part of the composition root. Nothing is ever mounted from here (edge/stick_door.py asks for it), and nothing on a
stick is run or shown.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge import outages, stick_door
from edge.port import StoreLog
from edge.release import Unfit
from edge.steps.stick import StickBoard, StickDone, StickLine
from edge.store import Store, StoreFault
from edge.update_hand import newest
from sync.stick import PointStick, Taken
from sync.stick_file import BadStick, trouble

log = logging.getLogger(__name__)

MOST = 6  # sticks on one page; nobody puts in more


@dataclass(frozen=True, slots=True)
class Place:
    """Where sticks are: the folder of the settings, None without. `plain`: plain folders count too, on a desk."""

    folder: Path | None
    plain: bool = False


class Beside(Protocol):
    """What else the root puts on sticks. Errors: BadStick, StoreFault, OSError; ValueError for a bundle for nobody."""

    def keep(self, stick: Path) -> object:
        """Put a copy of the books there, for the terminal that may replace this one; blocking."""

    async def bundle(self, stick: Path) -> object:
        """Put a support bundle there."""

    async def release(self, stick: Path) -> object:
        """Put the release that lies there into the other slot. Errors: Unfit, too."""


class Carrying:
    """Implements the `Carrier` of edge/flows/sticks.py. `moved` is told when a stick has moved our positions."""

    def __init__(
        self, place: Place, link_key: bytes, store: Store, moved: Callable[[], None],
        more: Beside | None = None,
    ) -> None:  # fmt: skip
        self._place = place
        self._key = link_key
        self._store = store
        self._moved = moved
        self._more = more

    async def board(self) -> StickBoard:
        """List what is mounted now."""
        if self._place.folder is None:
            return StickBoard((), is_set_up=False)
        await asyncio.to_thread(stick_door.look)
        return StickBoard(await asyncio.to_thread(mounted, self._place.folder, self._place.plain))

    async def write(self, name: str) -> StickDone:
        """Write what the hub does not have yet."""
        try:
            stick = await self._stick(name)
            await asyncio.to_thread(stick_door.open_for_writing, name)
            written = await stick.write(StoreLog(self._store))
            await self._keep_copy(name)
        except BadStick as error:
            return StickDone(error.word)
        finally:
            await asyncio.to_thread(stick_door.look)  # closed for writing: whoever pulls it now loses nothing
        return StickDone("written", written.facts)

    async def _keep_copy(self, name: str) -> None:
        """The facts are on the stick in any case; a copy that does not fit is no reason to say otherwise."""
        if self._more is None or self._place.folder is None:
            return
        try:
            await asyncio.to_thread(self._more.keep, self._place.folder / name)
        except (BadStick, StoreFault, OSError) as error:
            log.warning("no copy of the books on the stick: %s", error)

    async def read(self, name: str) -> StickDone:
        """Take what the hub wrote."""
        try:
            taken = await (await self._stick(name)).read(StoreLog(self._store))
        except BadStick as error:
            return StickDone(error.word)
        if taken.figures:
            await self._store.run(outages.from_stick, taken.figures.decode(errors="replace"))
        self._moved()
        return _judged(taken)

    async def bundle(self, name: str) -> StickDone:
        """Write a support bundle, for whoever helps from afar."""
        if self._more is None or self._place.folder is None:
            return StickDone("no_bundle")
        try:
            await self._stick(name)
            await asyncio.to_thread(stick_door.open_for_writing, name)
            await self._more.bundle(self._place.folder / name)
        except (BadStick, OSError) as error:
            return StickDone((error if isinstance(error, BadStick) else trouble(error)).word)
        except ValueError as error:  # no hub to seal it for
            log.warning("no support bundle: %s", error)
            return StickDone("no_bundle")
        finally:
            await asyncio.to_thread(stick_door.look)
        return StickDone("bundled")

    async def release(self, name: str) -> StickDone:
        """Put the stick's release on; it is tried at the next restart."""
        if self._more is None or self._place.folder is None:
            return StickDone("update:no_slots")
        try:
            await self._stick(name)
            await self._more.release(self._place.folder / name)
        except Unfit as error:
            log.warning("the release on the stick was refused: %s", error)
            return StickDone(f"update:{error.word}")
        except (BadStick, OSError) as error:
            return StickDone((error if isinstance(error, BadStick) else trouble(error)).word)
        return StickDone("placed")

    async def _stick(self, name: str) -> PointStick:
        folder = self._place.folder
        if folder is None or all(each.name != name for each in (await self.board()).sticks):
            raise BadStick("not_a_folder")
        return PointStick(folder / name, self._key, asyncio.to_thread)


def _judged(taken: Taken) -> StickDone:
    if taken.trouble is not None:
        return StickDone(taken.trouble)
    if not taken.confirmed and not taken.applied and not taken.forked:
        return StickDone("nothing_new")
    return StickDone("taken", max(0, taken.confirmed), taken.applied)


def mounted(folder: Path, plain: bool) -> tuple[StickLine, ...]:
    """List the sticks below a folder; `plain`: plain folders count too."""
    try:
        there = [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.is_symlink()]
        sticks = [each for each in there if plain or os.path.ismount(each)]
        return tuple(_line(each) for each in sticks[:MOST])
    except OSError:
        return ()  # the folder is not there, or a stick was pulled while we looked: the next look tells


def _line(stick: Path) -> StickLine:
    found = newest(stick)
    free_mb = shutil.disk_usage(stick).free // 1_000_000
    return StickLine(stick.name, free_mb, "" if found is None else found.stem.removeprefix("village-point-"))
