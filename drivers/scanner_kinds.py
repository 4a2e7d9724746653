"""The part of the table of device kinds that reads codes: plain lines, keyboards, and guns that take commands."""

from __future__ import annotations

from drivers.base import Clock, Device
from drivers.batch import GAP_MS, Memory, Rhythm
from drivers.input_nodes import grab_nodes, read_usb_id
from drivers.kinds import DeviceSettings, Kind, Option, Options, link_for
from drivers.outbox import Habits
from drivers.scanner import EvdevScanner, SerialScanner
from drivers.talking_scanner import TalkingScanner
from drivers.wire.gun import GunWire
from drivers.wire.honeywell import Honeywell
from drivers.wire.keys import KeyScans
from drivers.wire.newland import Newland
from drivers.wire.prefixes import read_gs_sign, read_prefixes
from drivers.wire.scans import IDLE_MS, LineScans
from drivers.wire.ssi import Ssi

SCANNER_BAUD = 9600  # usual factory setting; guns on USB ignore it


def _habits(options: Options) -> Habits:
    rhythm = Rhythm(Memory(options["memory"]), int(options["batch_gap_ms"]))
    return Habits(read_prefixes(str(options["prefixes"])), rhythm, read_gs_sign(str(options["gs_sign"])))


def _serial(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    lines = LineScans(int(options["idle_ms"]), bool(options["stx"]))
    link = link_for(settings, SCANNER_BAUD, options)
    return SerialScanner(link, lines, clock, _habits(options), has_bell=bool(options["bell"]))


def _evdev(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    where, usb_id = str(options["phys"]) or settings.path, read_usb_id(str(options["usb_id"]))
    keys = KeyScans(int(options["idle_ms"]), bool(options["tab_ends"]), bool(options["alt_is_gbk"]))
    return EvdevScanner(settings.name, lambda: grab_nodes(where, usb_id), keys, clock, _habits(options))


def _talking(wire: GunWire, settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    return TalkingScanner(link_for(settings, SCANNER_BAUD, options), wire, clock, _habits(options))


def _ssi(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    wire = Ssi(int(options["idle_ms"]), bool(options["aim"]), bool(options["wake"]))
    return _talking(wire, settings, options, clock)


def _newland(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    return _talking(Newland(int(options["idle_ms"]), bool(options["wake"])), settings, options, clock)


def _honeywell(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    return _talking(Honeywell(int(options["idle_ms"]), bool(options["framed"])), settings, options, clock)


_COMMON = {
    "idle_ms": Option(IDLE_MS, 20, 2000),
    "prefixes": Option(""),  # of several guns behind one dongle, with commas between
    "gs_sign": Option(""),  # what the guns were set to type for GS
    # "held" for a gun that is carried out of range: then not even its first stored code counts as scanned now
    "memory": Option(Memory.WATCHED.value, choice=tuple(each.value for each in Memory)),
    "batch_gap_ms": Option(GAP_MS, 20, 400),
}
_WAKE = {"wake": Option(False)}  # true for heads that sleep through the first byte
SCANNER_KINDS: dict[str, Kind] = {
    "serial_scanner": Kind(_serial, {"stx": Option(False), "bell": Option(False)} | _COMMON, SCANNER_BAUD),
    "evdev_scanner": Kind(
        _evdev,
        {"phys": Option(""), "usb_id": Option(""), "tab_ends": Option(True), "alt_is_gbk": Option(False)} | _COMMON,
        None,
    ),
    "ssi_scanner": Kind(_ssi, {"aim": Option(True)} | _WAKE | _COMMON, SCANNER_BAUD),
    "newland_scanner": Kind(_newland, _WAKE | _COMMON, SCANNER_BAUD),
    "honeywell_scanner": Kind(_honeywell, {"framed": Option(True)} | _COMMON, SCANNER_BAUD),
}
