"""The part of the table of device kinds that opens doors: makes of lock boards, their options and their waits.

Opens nothing. Every option that sources contradict each other on has the safer default and is proven at commissioning
by opening one empty cell; the doubt itself is told in the docstring of the make's codec (drivers/wire/).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.base import Clock, Device
from drivers.kinds import DeviceSettings, Kind, Option, Options, link_for
from drivers.lock_bus import USUAL, Timing
from drivers.locker import BoardLocker, Cabinet
from drivers.mistakes import Unfit, unfit
from drivers.wire import kerong_cu16, kerong_cu48, lock_8a80, modbus_relay, winnsen, wkly
from drivers.wire.kerong_cu48 import CommandSet, Layout
from drivers.wire.lock import LockWire, Polarity

# Waits of each make; those of the 8A/80 board are the usual ones.
CU16_TIMING = Timing(reply_s=0.2)  # hosts in the field wait 100 ms and then read
CU48_TIMING = Timing(reply_s=0.2, gap_s=0.2, settle_s=2.0)  # one source leaves 200 ms between commands
WKLY_TIMING = Timing(reply_s=0.4, open_reply_s=0.7)  # twice what the maker names: read all 200 ms, open 350 ms
MODBUS_TIMING = Timing(gap_s=0.01)  # 3.5 characters are 4 ms at 9600 baud; boards answer within 60 ms
# Hosts wait 2 to 3 s for an answer. Without a check byte three equal words are hard to come by, so it is asked less.
# The gap is ours: nobody names one, and each lock is a question of its own.
WINNSEN_TIMING = Timing(reply_s=1.0, open_reply_s=2.5, reads=4, settle_s=1.5, gap_s=0.02)


@dataclass(frozen=True, slots=True)
class _Make:
    """One make: how its codec is made from the options, its waits, and what differs in the options."""

    wire: Callable[[Options], LockWire]
    baud: int
    ways: Option
    max_boards: int
    timing: Timing = USUAL
    first: Option | None = None  # number of the first board; None: 1
    polarity: Polarity = Polarity.SHORT_WHEN_LOCKED

    def kind(self, more: Mapping[str, Option] | None = None, schemes: tuple[str, ...] = ()) -> Kind:
        """Make the line of the table."""
        options = {
            "boards": Option(1, 1, self.max_boards),
            "ways": self.ways,
            "cells": Option(0, 0, self.max_boards * _most(self.ways)),  # 0: every lock is a cell
            "polarity": Option(self.polarity.value, choice=tuple(each.value for each in Polarity)),
            "has_door_sensor": Option(True),
            "numbers": Option(""),  # set on the boards, in the order of their cells, such as "3,1"; empty: in a row
            "echo": Option(False),
        }
        if self.first is not None:
            options["first"] = self.first
        return Kind(self._locker, options | dict(more or {}), self.baud, schemes)

    def _locker(self, settings: DeviceSettings, options: Options, clock: Clock) -> Device:
        boards, ways, cells = int(options["boards"]), int(options["ways"]), int(options["cells"])
        if not (boards - 1) * ways < (cells or boards * ways) <= boards * ways:
            raise Unfit(unfit("cells", "cells_do_not_fit", cells=cells, boards=boards, ways=ways))
        wire = self.wire(options)
        cabinet = Cabinet(
            cells or boards * ways,
            Polarity(options["polarity"]),
            bool(options["has_door_sensor"]),
            _numbered(str(options["numbers"]), boards, int(options.get("first", 1))),
        )
        for board in cabinet.boards:
            _has_board(wire, board, options)
        return BoardLocker(link_for(settings, self.baud, options), wire, cabinet, clock, self.timing)


def _most(ways: Option) -> int:
    return max(int(each) for each in ways.choice) if ways.choice else int(ways.high or 1)


def _has_board(wire: LockWire, board: int, options: Options) -> None:
    try:
        wire.open(board, 1)
    except ValueError as error:
        key, first = "numbers" if options["numbers"] else "boards", int(options.get("first", 1))
        raise Unfit(unfit(key, "no_board", board=board + first - 1)) from error


def _numbered(text: str, boards: int, first: int) -> tuple[int, ...]:
    """Boards of the bus in the order of their cells. Errors: Unfit for a list that is none."""
    if not text:
        return tuple(range(1, boards + 1))
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise Unfit(unfit("numbers", "board_list"))
    numbers = [int(word) for word in words]
    if len(numbers) != boards or len(set(numbers)) != boards or min(numbers) < first:
        raise Unfit(unfit("numbers", "board_numbers", boards=boards, first=first))
    return tuple(number - first + 1 for number in numbers)


def _board_8a80(options: Options) -> LockWire:
    return lock_8a80.Board8A80(int(options["ways"]), int(options["pulse_s"]) or None)


def _cu16(options: Options) -> LockWire:
    return kerong_cu16.KerongCu16(int(options["ways"]), int(options["first"]))


def _cu48(options: Options) -> LockWire:
    commands, layout = CommandSet(options["command_set"]), Layout(options["layout"])
    return kerong_cu48.KerongCu48(int(options["ways"]), int(options["first"]), commands, layout)


def _wkly(options: Options) -> LockWire:
    return wkly.Wkly(int(options["ways"]), int(options["first"]))


def _modbus(options: Options) -> LockWire:
    return modbus_relay.ModbusRelay(int(options["ways"]), int(options["first"]), int(options["pulse_ms"]))


def _winnsen(options: Options) -> LockWire:
    return winnsen.Winnsen(int(options["ways"]), int(options["first"]))


LOCK_KINDS: dict[str, Kind] = {
    "lock_8a80": _Make(_board_8a80, lock_8a80.BAUD, Option(24, choice=lock_8a80.WAYS), lock_8a80.BOARDS[-1]).kind(
        {"pulse_s": Option(0, 0, lock_8a80.MAX_PULSE_S)}
    ),  # 0: the board's own pulse of 300 ms
    "kerong_cu16": _Make(
        _cu16,
        kerong_cu16.BAUD,
        Option(16, choice=kerong_cu16.WAYS),
        kerong_cu16.BOARDS,
        CU16_TIMING,
        Option(0, 0, kerong_cu16.BOARDS - 1),
    ).kind(schemes=("tcp",)),  # there is a version for Ethernet with the same frames
    "kerong_cu48": _Make(
        _cu48,
        kerong_cu48.BAUD,
        Option(48, choice=kerong_cu48.WAYS),
        kerong_cu48.BOARDS,
        CU48_TIMING,
        Option(0, 0, kerong_cu48.BOARDS - 1),
    ).kind(
        {
            "command_set": Option(CommandSet.B.value, choice=tuple(each.value for each in CommandSet)),
            "layout": Option(Layout.AUTO.value, choice=tuple(each.value for each in Layout)),
        }
    ),
    "wkly": _Make(
        _wkly, wkly.BAUD, Option(24, 1, wkly.MAX_WAYS), len(wkly.ADDRESSES), WKLY_TIMING, Option(0, 0, 31)
    ).kind(),
    "modbus_relay": _Make(
        _modbus, modbus_relay.BAUD, Option(8, choice=modbus_relay.WAYS), 32, MODBUS_TIMING, Option(1, 1, 247)
    ).kind({"pulse_ms": Option(modbus_relay.PULSE_MS, 100, modbus_relay.MAX_PULSE_MS)}),
    "winnsen": _Make(
        _winnsen,
        winnsen.BAUD,
        Option(winnsen.WAYS, 1, winnsen.WAYS),
        winnsen.BOARDS,
        WINNSEN_TIMING,
        Option(1, 0, 1),
        Polarity.SHORT_WHEN_OPEN,
    ).kind(),
}
