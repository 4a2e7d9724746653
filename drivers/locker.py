"""The locker: cells 1..n on one bus of lock boards, opened one at a time and watched all the time.

No frames here (drivers/wire/) and no bus turns (drivers/lock_bus.py). The rule of this file: one command, one pulse,
then only looking. A silent board is never an open door and never a closed one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from drivers.base import (
    Clock,
    DeviceError,
    Door,
    DoorChanged,
    Health,
    NotThere,
    Opening,
    Refused,
    Status,
    WrongDoor,
)
from drivers.faults import Fault
from drivers.feed import Feed
from drivers.link import Link
from drivers.lock_bus import USUAL, Contacts, LockBus, OpenAnswer, Timing
from drivers.lock_troubles import LockTroubles
from drivers.wire.lock import Declined, LockWire, Polarity

log = logging.getLogger(__name__)

MAX_CHANGES = 256  # as the contract says
DEGRADED_MS = 60_000  # a fault stays visible on the device board for a minute


@dataclass(frozen=True, slots=True)
class Cabinet:
    """How the cabinet is wired: cells count through the boards of the bus, in this order; usually 1, 2, ..."""

    cells: int
    polarity: Polarity
    has_door_sensor: bool = True
    boards: tuple[int, ...] = ()


class BoardLocker:
    """`drivers.base.Locker` over one bus.

    Without door sensors nothing is read back: `open` tells OPEN when the board itself reports success for this cell,
    else UNKNOWN; `doors` and `until_closed` tell UNKNOWN. On an adapter with unconfigured echo the echo of some
    requests equals a success; once an echo has been seen such a success is no longer believed.
    """

    def __init__(self, link: Link, wire: LockWire, cabinet: Cabinet, clock: Clock, timing: Timing = USUAL) -> None:
        self.name = link.name
        self.cells: Sequence[int] = range(1, cabinet.cells + 1)
        self.has_door_sensor = cabinet.has_door_sensor
        self._link = link
        self._ways = wire.ways
        self._sees_board = len(wire.looks(1)) == 1  # one question tells all doors of a board
        self._polarity = cabinet.polarity
        self._clock = clock
        self._timing = timing
        self._bus = LockBus(link, wire, timing)
        self._boards = cabinet.boards or tuple(range(1, -(-cabinet.cells // wire.ways) + 1))
        self._contacts: dict[int, Contacts] = {}
        self._doors: dict[int, Door] = {}
        self._commanded: set[int] = set()
        self._opening: int | None = None
        self._changes: Feed[DoorChanged] = Feed(MAX_CHANGES, keep_newest=True)
        self._silent: dict[int, DeviceError] = {}  # board -> why the last look failed
        self._troubles = LockTroubles()
        self._fault_ms: int | None = None
        self._watch_task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the port and begin to watch the doors."""
        if self._watch_task is None:
            await self._bus.start()
            self._watch_task = asyncio.create_task(self._watch(), name=f"doors of {self.name}")

    async def stop(self) -> None:
        """Release the port and end `changes()`. Safe to call twice."""
        if self._watch_task is not None:
            self._watch_task.cancel()
            await asyncio.gather(self._watch_task, return_exceptions=True)
            self._watch_task = None
        await self._bus.stop()
        self._changes.end()

    def status(self) -> Status:
        """Tell how the locker is, from what was last seen."""
        if not self._link.is_open:
            return Status(self.name, Health.AWAY, self._link.hint, fault=self._link.fault)
        if len(self._silent) == len(self._boards):
            error = next(iter(self._silent.values()))
            return Status(self.name, Health.AWAY, error.hint, fault=error.fault)
        if len(self._contacts.keys() | self._silent.keys()) < len(self._boards):
            return Status(self.name, Health.DEGRADED if self._silent else Health.OK, fault=Fault.STARTING)
        if self._silent:
            places = tuple(at for at, board in enumerate(self._boards, 1) if board in self._silent)
            hint = f"silent boards: {sorted(self._silent)}"
            return Status(self.name, Health.DEGRADED, hint, fault=Fault.PART_SILENT, where=places)
        if self._bus.sees_echo:
            return Status(self.name, Health.DEGRADED, "the adapter echoes: set echo = true", fault=Fault.ECHO)
        is_noisy = self._fault_ms is not None and self._clock.ms() - self._fault_ms < DEGRADED_MS
        fault, where = self._of_doors(is_noisy)
        hint = f"{self._bus.faults} failed questions so far" if is_noisy else ""
        return Status(self.name, Health.DEGRADED if is_noisy else Health.OK, hint, fault=fault, where=where)

    def _of_doors(self, is_noisy: bool) -> tuple[Fault | None, tuple[int, ...]]:
        """What openings, the line and the contacts tell of locks whose boards answer."""
        worst = self._troubles.worst()
        if worst is not None:
            return worst
        if is_noisy:
            return Fault.NOISY, ()
        if not self.has_door_sensor:
            return Fault.NO_SENSOR, ()
        seen = [self._doors.get(cell) for cell in self.cells]
        return (Fault.ALL_OPEN if len(seen) > 1 and set(seen) == {Door.OPEN} else None), ()

    def senses(self, cell: int) -> bool:
        """Tell whether the door of this cell is seen by a sensor. Errors: ValueError."""
        self._place(cell)
        return self.has_door_sensor

    async def open(self, cell: int) -> Opening:
        """Pulse one door exactly once and tell what is known of it. Errors: as in the contract."""
        try:
            outcome = await self._open(cell)
        except WrongDoor as error:
            self._troubles.went_wrong(error)
            raise
        except Refused:
            self._troubles.refused(cell)
            raise
        self._troubles.opened(cell, outcome, self.has_door_sensor)
        return outcome

    async def _open(self, cell: int) -> Opening:
        board, lock = self._place(cell)
        async with self._bus.turn:
            if not self.has_door_sensor:
                return self._believed(cell, await self._bus.pulse(board, lock))
            before = await self._before(board)
            self._opening = cell
            self._commanded.add(cell)
            try:
                reply = await self._bus.pulse(board, lock)
                return await self._outcome(cell, before, reply)
            except (NotThere, Refused):
                self._commanded.discard(cell)
                raise
            finally:
                self._opening = None

    async def doors(self) -> Mapping[int, Door]:
        """Ask the state of every door; cells of a silent board are UNKNOWN. Errors: when no board can be asked."""
        doors = dict.fromkeys(self.cells, Door.UNKNOWN)
        async with self._bus.turn:
            doors.update(await self._look_at_all(is_fresh=False))
        return doors

    async def items(self) -> Mapping[int, bool]:
        """Tell in which cells something lies; a cell the boards cannot tell is left out. Errors: as `doors`."""
        async with self._bus.turn:
            await self._look_at_all(is_fresh=True)
            lying = {self._cell(board, lock): lies for board in self._boards
                     for lock, lies in self._bus.items.get(board, {}).items() if board not in self._silent}  # fmt: skip
        return {cell: lies for cell, lies in lying.items() if cell in self.cells}

    async def until_closed(self, cell: int, timeout_s: float) -> Door:
        """Wait until the door is closed: CLOSED, OPEN (time is over), or UNKNOWN (board silent or no sensor)."""
        board, _ = self._place(cell)
        if not self.has_door_sensor:
            return Door.UNKNOWN
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            door = await self._door(board, cell)
            left_s = deadline - loop.time()
            if door is Door.CLOSED or left_s <= 0:
                return door
            await self._push_or(min(self._timing.poll_s, left_s))

    def changes(self) -> AsyncIterator[DoorChanged]:
        """Yield door movements for the life of the device. One consumer only."""
        return self._changes.items()

    def _place(self, cell: int) -> tuple[int, int]:
        if cell not in self.cells:
            raise ValueError(f"cell {cell} is not in 1..{self.cells[-1]}")
        board, lock = divmod(cell - 1, self._ways)
        return self._boards[board], lock + 1

    def _cell(self, board: int, lock: int) -> int:
        """The cell behind a lock; 0 when the board is not ours."""
        return self._boards.index(board) * self._ways + lock if board in self._boards else 0

    async def _before(self, board: int) -> dict[int, Door]:
        """Doors of all boards before the pulse. A board that cannot be watched gets no pulse."""
        before: dict[int, Door] = {}
        for each in self._boards:
            try:
                before.update(await self._look(each, is_fresh=self._sees_board))
            except DeviceError as error:
                if each == board:
                    raise NotThere(self.name, f"no pulse was sent: {error.hint}", error.fault) from error
        return before

    async def _look_at_all(self, is_fresh: bool) -> dict[int, Door]:
        """Look at each board. Errors: when none can be asked."""
        failures: list[DeviceError] = []
        doors: dict[int, Door] = {}
        for board in self._boards:
            try:
                doors.update(await self._look(board, is_fresh))
            except DeviceError as error:
                failures.append(error)
        if len(failures) == len(self._boards):
            raise failures[0]
        return doors

    async def _outcome(self, cell: int, before: Mapping[int, Door], reply: OpenAnswer | None) -> Opening:
        """Look until the door is seen open or the time is over, then look at all others."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (0 if isinstance(reply, Declined) and reply.is_certain else self._timing.settle_s)
        board, _ = self._place(cell)
        door = await self._door_in_turn(board, cell)
        while door is not Door.OPEN and loop.time() < deadline:
            await asyncio.sleep(self._timing.gap_s)
            door = await self._door_in_turn(board, cell)
        is_blind = False
        for other in {self._place(each)[0] for each in before}:
            if other != board or not self._sees_board:
                is_blind |= not await self._glance(other)
        moved = {each for each, was in before.items() if was is Door.CLOSED and self._doors[each] is Door.OPEN} - {cell}
        named = self._named(reply)
        if not moved and door is not Door.OPEN and named not in (None, cell):
            moved = {named or 0}
        if moved:
            raise WrongDoor(self.name, cell, sorted(moved))
        if named not in (None, cell):
            self._faulted()  # the answer was damaged, the sensors speak for themselves
        if door is Door.OPEN:
            return Opening.OPEN
        nothing_moved = door is Door.CLOSED and not is_blind  # else the pulse may have reached a door nobody sees
        if isinstance(reply, Declined) and (reply.is_certain or nothing_moved):
            raise Refused(self.name, f"cell {cell}: {reply.reason}")
        return Opening.STAYED_CLOSED if nothing_moved else Opening.UNKNOWN

    def _believed(self, cell: int, reply: OpenAnswer | None) -> Opening:
        """Outcome without door sensors: the board's word, when it is about this cell."""
        if reply is None:
            return Opening.UNKNOWN
        if self._named(reply) not in (None, cell):
            raise WrongDoor(self.name, cell, [self._named(reply) or 0])
        if isinstance(reply, Declined):
            if reply.is_certain:
                raise Refused(self.name, f"cell {cell}: {reply.reason}")
            return Opening.UNKNOWN
        if reply.shorted is None:
            return Opening.UNKNOWN
        is_success = self._polarity.is_open(reply.shorted) and not self._bus.sees_echo
        return Opening.OPEN if is_success else Opening.UNKNOWN

    def _named(self, reply: OpenAnswer | None) -> int | None:
        return None if reply is None or reply.lock is None else self._cell(reply.board, reply.lock)

    async def _door(self, board: int, cell: int) -> Door:
        async with self._bus.turn:
            return await self._door_in_turn(board, cell)

    async def _door_in_turn(self, board: int, cell: int) -> Door:
        return (await self._glance(board, self._place(cell)[1])).get(cell, Door.UNKNOWN)

    async def _glance(self, board: int, lock: int | None = None) -> dict[int, Door]:
        """As `_look`, but a board that cannot be read shows nothing."""
        try:
            return await self._look(board, is_fresh=lock is not None or self._sees_board, lock=lock)
        except DeviceError as error:
            log.debug("%s", error)
            return {}

    async def _look(self, board: int, is_fresh: bool = False, lock: int | None = None) -> dict[int, Door]:
        """Read one board, or what tells this lock, and note what changed.

        With `is_fresh` what was known before counts for nothing. Boards that tell one lock at a time are spared that
        where no single door is in question: 16 locks twice would take seconds, and one answer that agrees is enough.
        """
        faults, known = self._bus.faults, self._contacts.get(board, {})
        try:
            contacts = await self._bus.contacts(board, None if is_fresh else known, lock)
        except DeviceError as error:
            self._note_silence(board, error)
            raise
        if self._bus.faults > faults:
            self._faulted()
        if self._silent.pop(board, None):
            log.info("%s: board %d answers again", self.name, board)
        self._contacts[board] = {**known, **contacts}
        seen = {self._cell(board, each): self._meant(shorted) for each, shorted in contacts.items()}
        seen = {cell: door for cell, door in seen.items() if cell in self.cells}
        for cell, door in seen.items():
            self._note(cell, door)
        return seen

    def _meant(self, shorted: bool | None) -> Door:
        if not self.has_door_sensor or shorted is None:
            return Door.UNKNOWN
        return Door.OPEN if self._polarity.is_open(shorted) else Door.CLOSED

    def _note(self, cell: int, door: Door) -> None:
        was = self._doors.get(cell)
        self._doors[cell] = door
        if was is not None and was is not door:
            self._changes.put(DoorChanged(cell, door, cell in self._commanded))
        if door is Door.CLOSED and cell != self._opening:
            self._commanded.discard(cell)

    def _note_silence(self, board: int, error: DeviceError) -> None:
        if board not in self._silent:
            log.warning("%s: board %d cannot be read: %s", self.name, board, error.hint)
        self._silent[board] = error
        self._faulted()

    def _faulted(self) -> None:
        self._fault_ms = self._clock.ms()

    async def _push_or(self, seconds: float) -> None:
        self._bus.pushed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._bus.pushed.wait()
        except TimeoutError:
            return

    async def _watch(self) -> None:
        """Look at all doors every `watch_s`, at once after a push, and never while the port is away."""
        while True:
            for board in self._boards if self._link.is_open else ():
                async with self._bus.turn:
                    try:
                        await self._look(board)
                    except DeviceError as error:
                        log.debug("%s", error)
            await self._push_or(self._timing.watch_s)
