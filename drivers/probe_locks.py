"""How an unknown port is asked whether lock boards hang there: the state of doors, never anything else. Pure.

The frames come from the codecs of the makes (drivers/wire/), whose `looks` are reads. Polarity is not found here: it
takes a door that opens (`village-point device locker commission`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

from drivers.probe_talks import BYTE, CRC, FORM, REPEATS, Ask, Finding, Scalar, Talk, echo, judged, silent, without_echo
from drivers.wire.kerong_cu16 import KerongCu16
from drivers.wire.kerong_cu48 import CommandSet, KerongCu48
from drivers.wire.lock import BoardState, Declined, LockEvent, LockState, LockWire
from drivers.wire.lock_8a80 import Board8A80
from drivers.wire.modbus_relay import ModbusRelay
from drivers.wire.winnsen import Winnsen
from drivers.wire.wkly import MAX_WAYS, Wkly

MAX_BOARDS = 8  # how far the boards of a bus are counted once its make is known
_WKLY_ALL = re.compile(rb"WKLY..\x84\x00(.)", re.DOTALL)  # the answer to "read all", up to its count of channels
XOR_CHECK = "XOR, board and length right"
SUM_CHECK = "sum, board and length right; a CU12 wants ways = 12"


@dataclass(frozen=True, slots=True)
class Board:
    """One board as it may be built: codec, its place in the codec, its number on the switches, what settings say."""

    wire: LockWire
    place: int
    number: int
    settings: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Make:
    """One make. `builds` gives what a board of this number may be; all of them are asked by the same bytes.

    `numbers` are asked before anything is known; `usual` is the number that the settings need not name.
    """

    kind: str
    builds: Callable[[int], Sequence[Board]]
    numbers: tuple[int, ...]
    wait_s: float
    weight: tuple[float, float] = BYTE
    check: str = XOR_CHECK
    usual: int = 0


def ask(make: Make) -> Talk:
    """Ask each number in turn; what answers is asked again until it is sure, then its neighbours are counted."""
    heard = b""
    for number in make.numbers:
        builds = make.builds(number)
        request = builds[0].wire.looks(builds[0].place)[0].request
        reply = yield Ask(request, make.wait_s)
        if not reply and number == make.numbers[0]:  # the usual number gets a second chance
            reply = yield Ask(request, make.wait_s)
        heard = heard or reply
        for board in builds:
            if isinstance(_event(board, request, reply), BoardState | LockState):
                return (yield from _known(make, board))
    return silent(make.kind, heard)


def ask_modbus() -> Talk:
    """Ask units 1 to 3 for eight inputs, or four; then see how many there are."""
    make = Make("modbus_relay", _modbus(8), (1, 2, 3), 0.3, CRC, "CRC, unit and length right", usual=1)
    for number in make.numbers:
        for ways in (8, 4):
            board = _modbus(ways)(number)[0]
            event = yield from _once(board, make.wait_s)
            if isinstance(event, BoardState):
                wide = ways if ways < 8 else (yield from _inputs(number, make.wait_s))
                known = Make(make.kind, _modbus(wide), make.numbers, make.wait_s, make.weight, make.check, make.usual)
                return (yield from _known(known, _modbus(wide)(number)[0]))
            if event is None:
                break
        else:
            why = "a Modbus unit without door inputs answered: another relay board, or an armfly display"
            return Finding(make.kind, True, 0.3, why)
    return silent(make.kind)


def _inputs(number: int, wait_s: float) -> Generator[Ask, bytes, int]:
    """How many inputs a unit has that has at least eight: what it has not it answers with an exception."""
    most = 8
    for ways in (16, 24, 32):
        event = yield from _once(_modbus(ways)(number)[0], wait_s)
        if not isinstance(event, BoardState):
            break
        most = ways
    return most


def _known(make: Make, board: Board) -> Talk:
    """Something of this make answered: ask again until it is sure, and count its neighbours."""
    events: list[LockEvent] = []
    echoes = False
    looks = board.wire.looks(board.place)[:REPEATS]
    for turn in range(REPEATS):
        request = looks[turn % len(looks)].request
        reply = yield Ask(request, make.wait_s)
        echoes = echoes or (reply != request and reply.startswith(request))
        event = _event(board, request, reply)
        events += [event] if isinstance(event, BoardState | LockState) else []
    sure, why = judged(len(events), REPEATS, make.weight, make.check)
    if len(looks) == 1 and len(set(events)) > 1:
        sure, why = min(sure, 0.6), f"{why}; they do not agree with each other"
    boards = yield from _counted(make, board)
    settings = dict(board.settings) | _numbered(make, board.number, boards) | _ways(make, events) | echo(echoes)
    return Finding(make.kind, True, sure, why, settings)


def _counted(make: Make, first: Board) -> Generator[Ask, bytes, int]:
    """How many boards answer in a row from this one on; only reads of its own make go out."""
    for more in range(1, MAX_BOARDS):
        try:
            builds = make.builds(first.number + more)
        except ValueError:  # the make has no such number
            return more
        alike = next(each for each in builds if each.settings == first.settings)
        event = yield from _once(alike, make.wait_s)
        if event is None:
            return more
    return MAX_BOARDS


def _once(board: Board, wait_s: float) -> Generator[Ask, bytes, LockEvent | None]:
    request = board.wire.looks(board.place)[0].request
    reply = yield Ask(request, wait_s)
    return _event(board, request, reply)


def _event(board: Board, request: bytes, reply: bytes) -> LockEvent | None:
    """The answer of this board to this question, when a whole one is in the reply."""
    wire = board.wire
    rest = without_echo(reply, request)
    if isinstance(wire, Wkly) and (told := _WKLY_ALL.search(rest)) is not None:  # it names its number of channels
        wire = Wkly(min(max(told[1][0], 1), MAX_WAYS), wire.first)
    parser = wire.parser()
    parser.expect(request)
    for event in parser.feed(rest):
        if isinstance(event, BoardState | LockState | Declined) and event.board == board.place:
            return event
    return None


def _numbered(make: Make, number: int, boards: int) -> dict[str, Scalar]:
    settings: dict[str, Scalar] = {"boards": boards} if boards > 1 else {}
    if number == make.usual:
        return settings
    if make.kind == "lock_8a80":  # has no `first`
        return settings | {"numbers": ",".join(str(number + more) for more in range(boards))}
    return settings | {"first": number}


def _ways(make: Make, events: Sequence[LockEvent]) -> dict[str, Scalar]:
    """How many locks a board has, where its answer tells that beyond what the codec was built for."""
    states = [event.shorted for event in events if isinstance(event, BoardState)]
    if make.kind == "wkly" and states and len(states[0]) != Wkly().ways:
        return {"ways": len(states[0])}
    if make.kind == "kerong_cu48" and states and not any(states[0][24:]) and any(states[0][:24]):
        return {"ways": 24}  # nothing is wired to the other half
    return {}


def _8a80(number: int) -> list[Board]:
    Board8A80().read_all(number)  # Errors: ValueError for a number that is none
    return [
        Board(Board8A80(ways), number, number, {} if ways == 24 else {"ways": ways}) for ways in (24, 16, 32)
    ]  # as usual first: an answer fits one length only


def _cu16(number: int) -> list[Board]:
    return [Board(KerongCu16(first=number), 1, number, {})]


def _cu48(commands: CommandSet) -> Callable[[int], list[Board]]:
    settings: dict[str, Scalar] = {} if commands is CommandSet.B else {"command_set": commands.value}
    return lambda number: [Board(KerongCu48(first=number, commands=commands), 1, number, settings)]


def _wkly(number: int) -> list[Board]:
    return [Board(Wkly(first=number), 1, number, {})]


def _modbus(ways: int) -> Callable[[int], list[Board]]:
    settings: dict[str, Scalar] = {} if ways == 8 else {"ways": ways}
    return lambda number: [Board(ModbusRelay(ways, number), 1, number, settings)]


def _winnsen(number: int) -> list[Board]:
    Winnsen().read_one(number, 1)  # Errors: ValueError for a number that is none
    return [Board(Winnsen(), number, number, {})]


# Board 2 is left out while the make is unknown: its read ends `02 00 33`, with which a Kerong "open all" begins.
EIGHT_A = Make("lock_8a80", _8a80, (1, 3, 4, 5, 6, 7, 8), 0.3, usual=1)
CU16 = Make("kerong_cu16", _cu16, (0, 1, 2, 3), 0.2, check=SUM_CHECK)
CU48_A = Make("kerong_cu48", _cu48(CommandSet.A), (0, 1), 0.2, check="sum, board, code and layout right")
CU48_B = Make("kerong_cu48", _cu48(CommandSet.B), (0, 1), 0.2, check=CU48_A.check)
WKLY = Make("wkly", _wkly, (0, 1, 2), 0.4)
WINNSEN = Make("winnsen", _winnsen, (1, 2), 1.0, FORM, "no check byte, but head, end, station and lock fit", usual=1)
