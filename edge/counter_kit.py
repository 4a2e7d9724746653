"""Which devices stand at the counter: printer, price display, scale, loudspeaker. Builds nothing, starts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from drivers.base import Device, PriceDisplay, Scale, Speaker
from drivers.paper import Printer
from edge.config import DEVICE_KINDS
from edge.flows.site import CounterDevices


def counter_of(devices: Sequence[tuple[str, Device]]) -> CounterDevices:
    """Pick the first of each class; `devices` are (kind, device) as `edge.setup.build_all` made them."""
    first: dict[str, Device] = {}
    for kind, device in devices:
        first.setdefault(DEVICE_KINDS[kind][0], device)
    return CounterDevices(  # the table of kinds says what each of them is
        printer=cast("Printer | None", first.get("printer")),
        price=cast("PriceDisplay | None", first.get("price_display")),
        scale=cast("Scale | None", first.get("scale")),
        speaker=cast("Speaker | None", first.get("speaker")),
    )
