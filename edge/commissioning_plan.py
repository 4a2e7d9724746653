"""Which steps a point is commissioned by, made of its own settings: nobody is asked for what is not there. Pure.

Also the table of what only eyes and ears find: its codes stand beside those of the doctor (edge/doctor_table.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from edge.doctor_table import LETTERS

# What is tried -> the class of devices it is tried on; "" for what every point has. In the order of the wizard.
ORDER: Mapping[str, str] = {
    "scan": "scanner",
    "door": "lock",
    "line": "display",
    "price": "price_display",
    "weigh": "scale",
    "print": "printer",
    "touch": "",
    "sound": "speaker",
    "hub": "",
}
FOUND: Mapping[str, tuple[tuple[str, int], ...]] = {  # what is tried -> what people find, with its number
    "scan": (("none", 71), ("other", 72), ("double", 73), ("twin", 74)),
    "door": (("inverted", 71), ("stuck", 72), ("other", 73), ("not_opened", 74), ("left_open", 75), ("unanswered", 76)),
    "line": (("none", 71), ("wrong", 72)),
    "price": (("none", 71), ("wrong", 72)),
    "weigh": (("none", 71), ("wrong", 72)),
    "print": (("none", 71), ("wrong", 72)),
    "touch": (("dead", 71), ("far", 72)),
    "sound": (("none", 71), ("wrong", 72)),
    "hub": (("silent", 71),),
}
UNPROVEN = ("scan:none", "scan:other", "door:not_opened", "line:none", "price:none", "weigh:none", "print:none",
            "sound:none", "hub:silent")  # fmt: skip
TOUCH, LINE = "K", "N"  # letters of the screen under the finger, and of the line


def steps_of(devices: Iterable[tuple[str, Sequence[str]]], *, has_hub: bool) -> tuple[str, ...]:
    """Return the keys of the steps in their order.

    Shape: `devices` are (class, names): a gun behind a dongle has a name of its own, a lock outside the cabinet none.
    """
    names: dict[str, list[str]] = {}
    for kind, each in devices:
        names.setdefault(kind, []).extend(each)
    keys: list[str] = []
    for what, kind in ORDER.items():
        if kind:
            keys += [f"{what}:{name}" for name in names.get(kind, ())]
        elif what != "hub" or has_hub:
            keys.append(what)
    return tuple(keys)


def doctor_knows_better(what: str, found: str) -> bool:
    """Whether what people found has a cause that the doctor may have seen; what eyes have proven stands as it is."""
    return f"{what}:{found}" in UNPROVEN


def code_of(what: str, found: str) -> str:
    """The code for what people found. Errors: KeyError for a word that the step does not know."""
    letter = {"touch": TOUCH, "hub": LINE}.get(what) or LETTERS[ORDER[what]]
    return f"{letter}{dict(FOUND[what])[found]}"
