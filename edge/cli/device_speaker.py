"""`village-point device speaker …`: sound the two tones of the counter."""

from __future__ import annotations

import argparse
from typing import Any, cast

from drivers.base import Device, Speaker, Tone
from edge.cli.common import DONE, emit
from edge.cli.device_run import group, named, with_device


def add(device: Any) -> None:
    """Add the group `speaker`."""
    speaker = group(device, "speaker", "a loudspeaker")
    named(speaker, "test", "sound the high tone for taken, then the low one for refused", _test)


def _test(arguments: argparse.Namespace) -> int:
    """Nobody can tell from here whether it was heard. Errors: DeviceError."""

    async def work(device: Device) -> None:
        await cast("Speaker", device).sound([Tone.ACCEPTED, Tone.REFUSED])

    with_device(arguments, work, "speaker")
    emit({"name": arguments.name, "sounded": [Tone.ACCEPTED.value, Tone.REFUSED.value]})
    return DONE
