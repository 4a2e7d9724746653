"""What one question after another makes of an unknown port: the parts that the talks of all families share. Pure.

A talk is a generator: it yields a question, is sent what came back, and ends with a finding. Talks with lock boards are
in drivers/probe_locks.py, with the other devices in drivers/probe_others.py; order and safety in drivers/probe.py.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

Scalar = str | int | float | bool
REPEATS = 3  # the same question, once something has answered it
SURE = 0.9  # what a person may write into the configuration without a second thought

# How sure one right answer makes, and several that agree, by the check that its frame carries.
CRC, BYTE, FORM = (0.8, 0.99), (0.5, 0.95), (0.3, 0.9)


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, and how long its answer may take, in seconds."""

    request: bytes
    wait_s: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What one family's talk came to. `sure` is 0 to 1; `settings` is what the configuration should say of it."""

    kind: str
    answered: bool
    sure: float
    why: str
    settings: Mapping[str, Scalar] = field(default_factory=dict)


Talk = Generator[Ask, bytes, Finding]


def silent(kind: str, heard: bytes = b"") -> Finding:
    """The family did not answer; `heard` is what came instead."""
    return Finding(kind, False, 0.0, f"{len(heard)} bytes came, no answer of it" if heard else "did not answer")


def judged(fits: int, asked: int, weight: tuple[float, float], check: str) -> tuple[float, str]:
    """How sure so many right answers make, and why."""
    sure = 0.0 if fits == 0 else weight[0] if fits == 1 else weight[1] if fits == asked else weight[1] - 0.1
    return sure, f"{fits} of {asked} answers were whole frames: {check}"


def without_echo(reply: bytes, request: bytes) -> bytes:
    """What came back but the adapter's own copy of the question."""
    return reply.removeprefix(request)


def echo(echoes: bool) -> dict[str, Scalar]:
    """What the settings say of an adapter that repeats what is sent."""
    return {"echo": True} if echoes else {}
