"""The counter's memory: who is logged in, what intake asks, which grants are out. Lost means asked again."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.clock import Clock
from edge.codes import Recognition, same_label
from edge.model import OperatorId, Parcel, ParcelId, Rejected, Role
from edge.parcels import Arrival

SESSION_MS = 10 * 3_600_000  # absolute limit of an operator's session (reference/reliability.md 3.4)
TECHNICIAN_MS = 2 * 3_600_000


@dataclass(slots=True)
class Session:
    operator: OperatorId
    role: Role
    since_ms: int


@dataclass(slots=True)
class Counter:
    """State between intents. Owned by the io thread."""

    clock: Clock
    session: Session | None = None
    target: str = "auto"
    asked: Arrival | None = None  # the parcel that intake waits for an answer about
    grants: dict[str, tuple[tuple[Parcel, ...], str, int]] = field(default_factory=dict)

    learnt: dict[tuple[int, str], str] = field(default_factory=dict)  # see codes.recognise
    _last: tuple[Recognition, str, int] | None = None

    def same_label(self, seen: Recognition, scanner: str) -> bool:
        """Tell whether this scan is only a further code of the label that the same gun read a moment ago."""
        now = self.clock.ms()
        last, self._last = self._last, (seen, scanner, now)
        return last is not None and last[1] == scanner and same_label(last[0], seen, now - last[2]) is last[0]

    def log_in(self, operator: OperatorId, role: Role) -> None:
        self.log_out()
        self.session = Session(operator, role, self.clock.ms())

    def log_out(self) -> None:
        """Nobody is there: what was asked and chosen went with them, as on the screen."""
        self.session = None
        self.asked = None
        self.target = "auto"

    def operator(self) -> OperatorId:
        """Return who is logged in. Errors: Rejected login_first."""
        session = self.session
        if session is not None:
            limit = SESSION_MS if session.role is Role.OPERATOR else TECHNICIAN_MS
            if self.clock.ms() - session.since_ms < limit:
                return session.operator
            self.log_out()
        raise Rejected("login_first")

    def grant(self, ident: str, parcels: tuple[Parcel, ...], by: str, lasts_ms: int) -> str:
        """Remember that the person before the screen may take these parcels. One grant at a time."""
        self.grants = {ident: (parcels, by, self.clock.ms() + lasts_ms)}
        return ident

    def redeem(self, ident: str, wanted: tuple[ParcelId, ...]) -> tuple[tuple[Parcel, ...], str]:
        """Use a grant, once. Errors: Rejected grant_over; a parcel outside the grant is never given."""
        parcels, by, until = self.grants.pop(ident, ((), "", 0))
        chosen = tuple(parcel for parcel in parcels if parcel.id in wanted)
        if self.clock.ms() > until or not chosen:
            raise Rejected("grant_over")
        return chosen, by
