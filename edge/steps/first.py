"""First start: what a terminal shows that has no settings yet, and what the person before it may want."""

from __future__ import annotations

from dataclasses import dataclass

from edge.mistakes import Problem


@dataclass(frozen=True, slots=True)
class ProfileRefused:
    """A profile that was found and is not used.

    Shape: `source` card | stick | hub, `word` as in edge.site_profile.BadProfile or invalid (then `mistakes`),
           `detail` what the sentence names.
    """

    source: str
    word: str
    detail: str = ""
    mistakes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstStart:
    """How far the first start is.

    `state`: looking | no_district | bad_district (`mistakes`) | other_district | waiting | refused | no_profile |
             restoring | no_books | starting, or a word of sync.enrol.EnrolFault; later bad_settings (`mistakes`).
    Shape:   `code`, `qr` as in Pairing; `phone` whom to call, if told; `site` as which we were let in; `network` up |
             no_cable | no_address with our `address`; `may_go_on`: settings are here, only nobody has approved us yet.
    """

    state: str
    code: str = ""
    qr: str = ""
    phone: str = ""
    site: str = ""
    file: str = ""
    mistakes: tuple[Problem, ...] = ()
    refusals: tuple[ProfileRefused, ...] = ()
    network: str = ""
    address: str = ""
    may_go_on: bool = False


@dataclass(frozen=True, slots=True)
class AskAnew:
    """The hub said no, and by now has changed its mind: ask with a new code."""


@dataclass(frozen=True, slots=True)
class GoOn:
    """Start with the settings that are here; the hub may approve later."""


FirstIntent = AskAnew | GoOn
