"""What every codec of a lock board must stand: pieces, garbage, halves, doubles, endless noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drivers.wire.frame_hunt import HuntingParser
from drivers.wire.lock import LockEvent

Frames = Sequence[tuple[bytes, bytes, LockEvent]]  # what was asked, the answer, what it says


def hexed(digits: str) -> bytes:
    return bytes.fromhex(digits)


def read(parser: HuntingParser, asked: bytes, come: bytes) -> list[LockEvent]:
    parser.expect(asked)
    return parser.feed(come)


def stands_everything(
    make: Callable[[], HuntingParser], frame: tuple[bytes, bytes, LockEvent], noise: bytes, cut: int
) -> None:
    """One answer through every bad pipe; `noise` may hold anything, `cut` shortens the answer."""
    asked, answer, event = frame
    parser = make()
    parser.expect(asked)
    assert [told for byte in answer for told in parser.feed(bytes((byte,)))] == [event]
    assert parser.rejected == 0
    assert read(make(), asked, answer * 2) == [event] * 2

    half = answer[: cut % len(answer)]
    parser = make()
    read(parser, asked, noise)
    parser.feed(half)
    assert read(parser, asked, answer) == [event]

    parser = make()
    parser.expect(asked)
    parser.feed(noise)
    assert event in parser.feed(answer * 14), "no noise may deafen the parser for long"


def stays_bounded(parser: HuntingParser, longest: int, endless: bytes) -> None:
    for at in range(0, len(endless), 997):
        parser.feed(endless[at : at + 997])
        assert len(parser._buffer) < longest
