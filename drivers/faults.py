"""What can be wrong with a device, as a closed list of short names. No words for people, no codes, no remedies.

A driver names a fault only when it has seen it; what is guessed from what was seen says so here. How grave each is and
which number a technician reads out is decided by edge/doctor.py, the sentence by the catalogues.
"""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """What a driver has seen. The values are stable: they travel to other programs."""

    # the port
    STARTING = "starting"  # nothing can be said yet
    NO_PORT = "no_port"
    HELD = "held"  # another program has it
    NO_RIGHT = "no_right"
    LOST = "lost"  # it was there a moment ago
    NO_HOST = "no_host"  # a network address where nobody answers
    PORT_ERROR = "port_error"

    # the talk
    SILENT = "silent"
    GARBLED = "garbled"  # bytes come and never were a frame: speed, kind or wires are set otherwise
    NOISY = "noisy"  # frames come, and damaged ones between them
    REFUSED = "refused"
    ECHO = "echo"  # the adapter repeats what we send, and the settings do not say so

    # lock boards; `where` names boards by their place in the cabinet, or cells
    PART_SILENT = "part_silent"
    ALL_OPEN = "all_open"  # every contact says open: rather the polarity than so many open doors
    NO_SENSOR = "no_sensor"
    STUCK = "stuck"  # pulsed, and its sensor says shut
    WRONG_DOOR = "wrong_door"  # the commanded cell, and those that moved instead
    LOCK_REFUSED = "lock_refused"
    UNCONFIRMED = "unconfirmed"  # without sensors only the board's answer tells, and it gives none

    # scanners
    OTHER_DEVICE = "other_device"  # another vendor or product is in this port
    TWIN = "twin"  # an equal device is there and the path does not tell them apart
    NO_LIBRARY = "no_library"
    DEAF = "deaf"  # reads, and does not take commands
    CODES_LOST = "codes_lost"  # nobody took them
    BAD_CODES = "bad_codes"  # several in a row were damaged

    # displays
    BLIND = "blind"  # never answers, so nobody knows what it shows
    CANNOT_SHOW = "cannot_show"  # the text has signs or digits it does not have
    NO_FONT = "no_font"
    TOO_LONG = "too_long"
    WRONG_AREA = "wrong_area"  # width, height or unit do not fit the panel
    WRONG_TYPE = "wrong_type"  # of card
    WRONG_NUMBER = "wrong_number"  # of card
    BUSY = "busy"
    BAD_CHECK = "bad_check"  # the other end sees damaged frames
    SETTING_REFUSED = "setting_refused"  # shows its text, and does not take the clock, the light or the like

    # scales
    UNIT = "unit"
    NOT_ZEROED = "not_zeroed"
    RANGE = "range"  # an expanded or unknown division
    OVERLOAD = "overload"
    RESTLESS = "restless"

    # printers
    PAPER_OUT = "paper_out"
    PAPER_LOW = "paper_low"
    COVER_OPEN = "cover_open"
    PRINT_ERROR = "print_error"  # knife or head
