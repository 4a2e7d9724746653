"""First start: the one page of a terminal that has no settings yet. Whoever stands there is a technician."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from edge import steps as s
from ui.viewmodels.frame import Frame, State

Answer = tuple[Frame, tuple[s.Intent, ...]]

# What the page has own sentences for; "other" for all else that stands in the way of being let in.
WORDS = (
    "looking", "no_district", "bad_district", "other_district", "waiting", "refused", "no_profile", "starting",
    "bad_settings", "restoring", "no_books",
    "line", "wrong_hub", "hub_clock", "busy", "full", "closed", "revoked", "expired", "disk",
)  # fmt: skip
GOOD = ("looking", "waiting", "no_profile", "restoring", "starting")
PROFILE_WORDS = (
    "damaged", "altered", "other_district", "other_site", "other_device", "expired", "version", "invalid",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FirstPage(State):
    """`asks_go_on`: the button was pressed once, and what it means is said before it does."""

    screen: ClassVar[str] = "first"
    who: ClassVar[str] = "staff"
    idle: ClassVar[str] = "none"
    scan: ClassVar[str] = "first"
    told: s.FirstStart = field(default_factory=lambda: s.FirstStart("looking"))
    asks_go_on: bool = False


def told(frame: Frame, step: s.FirstStart) -> Frame:
    """Show how far it is; a question that was put stays as long as it has a meaning."""
    page = frame.state
    asks = isinstance(page, FirstPage) and page.asks_go_on and step.may_go_on
    return replace(frame, state=FirstPage(step, asks))


def press_first(frame: Frame, page: FirstPage, name: str) -> Answer:
    """Ask anew after a no; go on without the hub, after a question."""
    match name:
        case "again" if page.told.state == "refused":
            return frame, (s.AskAnew(),)
        case "go_on" if page.told.may_go_on:
            return replace(frame, state=replace(page, asks_go_on=True)), ()
        case "yes" if page.asks_go_on:
            return replace(frame, state=replace(page, asks_go_on=False)), (s.GoOn(),)
        case "no":
            return replace(frame, state=replace(page, asks_go_on=False)), ()
    return frame, ()
