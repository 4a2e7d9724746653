"""ALSA's file output as a tape: what would be heard is read back, sound by sound. Not a test."""

from __future__ import annotations

import math
import wave
from pathlib import Path

QUIET_S = 0.05  # between two sounds
LEAST = 400  # of 32767: what is softer is silence


def tape(file: Path) -> str:
    """The name of an ALSA output that writes a WAV file. Source: /usr/share/alsa/alsa.conf, pcm.file."""
    return f"file:'{file}',wav"


def heard(file: Path) -> list[tuple[float, float]]:
    """Pitch in hertz and length in seconds of each sound on the tape."""
    with wave.open(str(file)) as sound:
        rate, frames = sound.getframerate(), sound.readframes(sound.getnframes())
    values = [int.from_bytes(frames[i : i + 2], "little", signed=True) for i in range(0, len(frames) - 1, 2)]
    loud = [at for at, value in enumerate(values) if abs(value) >= LEAST]
    found: list[tuple[int, int]] = []
    for at in loud:
        if found and at - found[-1][1] <= QUIET_S * rate:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return [(_pitch(values[a : b + 1], rate), (b - a) / rate) for a, b in found]


def _pitch(values: list[int], rate: int) -> float:
    """The frequency whose single wave fits best, of those between 200 and 2000 Hz."""
    part = values[: rate // 10]

    def strength(hertz: float) -> float:
        turn = 2 * math.pi * hertz / rate
        real = sum(value * math.cos(turn * at) for at, value in enumerate(part))
        imaginary = sum(value * math.sin(turn * at) for at, value in enumerate(part))
        return real**2 + imaginary**2

    return max(range(200, 2000, 20), key=strength)
