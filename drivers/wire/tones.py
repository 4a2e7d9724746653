"""The two sounds of the counter as samples: a short high "taken", a longer low "refused". Pure; no player here.

They differ in pitch, length and number, so that one alone is known without the other. Both lie below 1.5 kHz: hearing
goes with age from the high end on, and a small loudspeaker has nothing below 300 Hz. The low one has odd overtones,
which a small loudspeaker brings out where it loses the ground tone.
"""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections.abc import Sequence

from drivers.base import Tone

RATE = 22_050  # samples a second; enough for 1.5 kHz with its overtones
PEAK = 0.7 * 32_767
EDGE_S = 0.008  # rise and fall: a hard edge is heard as a click
PAUSE_S = 0.18  # between two sounds, to be counted
LEAD_S = 0.05  # some cards swallow what comes first


_SHAPES = {Tone.ACCEPTED: ((1320.0,), 0.12), Tone.REFUSED: ((440.0, 1320.0), 0.45)}  # ground tone and overtones, s


def samples(tones: Sequence[Tone]) -> array[int]:
    """Return the tones one after another, 16 bits, one channel."""
    made = array("h", bytes(2 * round(LEAD_S * RATE)))
    for tone in tones:
        made.extend(_tone(*_SHAPES[tone]))
        made.extend(array("h", bytes(2 * round(PAUSE_S * RATE))))
    return made


def wav(tones: Sequence[Tone]) -> bytes:
    """The same as a WAV file. Shape: an empty sequence is a moment of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples(tones).tobytes())
    return file.getvalue()


def seconds(tones: Sequence[Tone]) -> float:
    """How long they last."""
    return LEAD_S + sum(_SHAPES[tone][1] + PAUSE_S for tone in tones)


def _tone(pitches: Sequence[float], length_s: float) -> array[int]:
    count = round(length_s * RATE)
    edge = round(EDGE_S * RATE)
    weights = [1 / (1 + 2 * at) for at in range(len(pitches))]
    made = array("h")
    for at in range(count):
        loud = min(1.0, at / edge, (count - at) / edge)
        waves = sum(w * math.sin(2 * math.pi * p * at / RATE) for p, w in zip(pitches, weights, strict=True))
        made.append(round(PEAK * loud * waves / sum(weights)))
    return made
