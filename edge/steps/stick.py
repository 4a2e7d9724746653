"""Steps and intents of the stick and of the reconciliation sheet: two pages behind the page of the line."""

from __future__ import annotations

from dataclasses import dataclass

# --- what the screen must show


@dataclass(frozen=True, slots=True)
class StickLine:
    """A stick that is mounted: the name of its folder, how much fits on it, and a file of a release if one is there."""

    name: str
    free_mb: int
    release: str = ""


@dataclass(frozen=True, slots=True)
class StickBoard:
    """What is mounted now. `is_set_up` False: the settings name no folder where sticks are mounted."""

    sticks: tuple[StickLine, ...]
    is_set_up: bool = True


@dataclass(frozen=True, slots=True)
class StickBusy:
    """The stick is being written or read: nobody pulls it."""


@dataclass(frozen=True, slots=True)
class StickDone:
    """How it ended.

    `what`: written (`facts`) | taken (`facts` confirmed, `applied` brought) | nothing_new | bundled | no_bundle |
            placed (a release, tried at the next restart) | update:WORD (why not, a word of edge/release.py), or a word
            of BadStick.
    """

    what: str
    facts: int = 0
    applied: int = 0

    @property
    def is_good(self) -> bool:
        return self.what in {"written", "taken", "nothing_new", "bundled", "placed"}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One figure of both sides; `fen` where money belongs to it. The hub's are None until it has answered."""

    name: str
    ours: int
    fen: int | None
    hub: int | None
    hub_fen: int | None

    @property
    def differs(self) -> bool:
        return self.hub is not None and (self.ours, self.fen) != (self.hub, self.hub_fen)


@dataclass(frozen=True, slots=True)
class SheetBoard:
    """The reconciliation sheet of the newest outage; without rows there never was one.

    Units: `since`, `until` UTC ms. `verdict`: waits | agrees | differs | forged. `log`: its name; `first` to `last`.
    """

    verdict: str = ""
    days: int = 0
    hours: int = 0
    since: int = 0
    until: int = 0
    rows: tuple[SheetRow, ...] = ()
    first: int = 0
    last: int = 0
    digest: str = ""
    hub_digest: str = ""
    code: str = ""


# --- what a person wants


@dataclass(frozen=True, slots=True)
class ShowSticks:
    pass


@dataclass(frozen=True, slots=True)
class WriteStick:
    name: str


@dataclass(frozen=True, slots=True)
class ReadStick:
    name: str


@dataclass(frozen=True, slots=True)
class WriteBundle:
    """A technician wants a support bundle on this stick."""

    name: str


@dataclass(frozen=True, slots=True)
class PlaceRelease:
    """A technician wants the release on this stick to be put on."""

    name: str


@dataclass(frozen=True, slots=True)
class ShowSheet:
    pass


@dataclass(frozen=True, slots=True)
class PrintSheet:
    pass


StickStep = StickBoard | StickBusy | StickDone | SheetBoard
StickIntent = ShowSticks | WriteStick | ReadStick | WriteBundle | PlaceRelease | ShowSheet | PrintSheet
