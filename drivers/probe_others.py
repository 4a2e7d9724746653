"""How an unknown port is asked whether a display, a scale or a printer hangs there. Pure.

Only questions that every model answers without showing, printing, storing or moving anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from drivers.probe_talks import BYTE, CRC, FORM, REPEATS, Ask, Finding, Scalar, Talk, judged, silent, without_echo
from drivers.wire import alpha, armfly, escpos, onbon, yaohua_a9, yaohua_a12
from drivers.wire.scale import Event, Reading, Unfit

_EVERYBODY = 0xFFFE  # an Onbon card answers to this number whatever its own is
_LABEL = "A"  # of an Alpha sign's file; label 0 would read "02 42 30", which sets the baud rate of an LED8 display
_MODEL = re.compile(rb"LED-[0-9]{3}-[0-9A-Z]{1,8}")


def ask_a12() -> Talk:
    """Ask an XK3190-A12 in command mode: one letter, `R`, which no other family here acts on."""
    codec = yaohua_a12.A12(asks=True)
    codec.feed(b"\r\n")  # an answer is a line of its own, so the first one counts too
    return (yield from _weighed("yaohua_a12", codec.poll, codec.feed, FORM, "letters, digits and unit fit"))


def ask_a9() -> Talk:
    """Ask an XK3190-A9 in command mode for its gross weight, by its usual address."""
    codec = yaohua_a9.A9(address="A")
    return (yield from _weighed("yaohua_a9", codec.poll, codec.feed, BYTE, "XOR, address and digits right"))


def _weighed(
    kind: str, request: bytes, feed: Callable[[bytes], list[Event]], weight: tuple[float, float], check: str
) -> Talk:
    fits, heard = 0, b""
    for turn in range(REPEATS):
        reply = yield Ask(request, 0.4)
        heard += reply
        fits += any(isinstance(event, Reading | Unfit) for event in feed(without_echo(reply, request)))
        if not fits and turn:
            return silent(kind, heard)
    sure, why = judged(fits, REPEATS, weight, check)
    return Finding(kind, True, sure, why, {"mode": "command"})


def ask_printer() -> Talk:
    """Ask an ESC/POS printer why it might not print, how its paper is, and whether it is on line: one byte each."""
    kind, fits, heard = "escpos", 0, b""
    questions = (escpos.CAUSES, escpos.PAPER, escpos.ONLINE)
    for what in questions:
        reply = yield Ask(escpos.ask(what), 0.5)
        heard += reply
        fits += len(reply) == 1 and escpos.is_status(reply[0])
        if not fits:
            return silent(kind, heard)
    sure, why = judged(fits, len(questions), FORM, "one byte with the fixed bits of a status")
    return Finding(kind, True, sure, why)


def ask_armfly() -> Talk:
    """Ask an Armfly digit display in its ASCII form for its model."""
    kind, fits, heard, model = "armfly", 0, b"", b""
    request = armfly.ask_model(1)
    for turn in range(REPEATS):
        reply = yield Ask(request, 0.4)
        heard += reply
        found = _MODEL.search(without_echo(reply, request))
        model = found[0] if found else model
        fits += found is not None
        if not fits and turn:
            return silent(kind, heard)
    sure, why = judged(fits, REPEATS, BYTE, f"it says that it is {model.decode()}")
    return Finding(kind, True, sure, why, {"form": "ascii"})


def ask_onbon() -> Talk:
    """Ping an Onbon font card: screen 1 first, then whichever hangs there. Its end mark is 5A, a `Z`."""
    kind, heard = "onbon", b""
    for screen in (1, _EVERYBODY):
        fits = 0
        for _ in range(REPEATS):
            request = onbon.framed(onbon.Packet(screen, onbon.PC, onbon.ping()))
            reply = yield Ask(request, 1.0)
            heard += reply
            packets = onbon.Parser().feed(without_echo(reply, request))
            fits += any(isinstance(onbon.answer(packet.payload), onbon.Ack | onbon.Nack) for packet in packets)
            if not fits:
                break
        else:
            sure, why = judged(fits, REPEATS, CRC, "CRC, header and acknowledgement right")
            settings: dict[str, Scalar] = {} if screen == 1 else {"screen": screen}
            return Finding(kind, True, sure, why, settings)
    return silent(kind, heard)


def ask_alpha() -> Talk:
    """Ask an Alpha sign for its file A, with seven bits and even parity, then with eight. The type byte is a `Z`."""
    kind, heard = "alpha", b""
    plain = alpha.packet([b"B" + _LABEL.encode()], has_check=True)
    for request in (bytes(map(alpha.even, plain)), plain):
        fits, parity = 0, "even"
        for _ in range(REPEATS):
            reply = yield Ask(request, 1.0)
            heard += reply
            answer = without_echo(reply, request)
            commands = alpha.read_back(answer)
            parity = "none" if any(alpha.even(byte) != byte for byte in answer) else parity
            fits += any(command.startswith(b"A" + _LABEL.encode()) for command in commands)
            if not fits:
                break
        else:
            sure, why = judged(fits, REPEATS, BYTE, "sum and file right")
            return Finding(kind, True, sure, why, {"parity": parity, "answers": True})
    return silent(kind, heard)
