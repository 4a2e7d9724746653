"""What a recognised code is made of: kind, decision, candidate, recognition. The rules live beside this module."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    WAYBILL = "waybill"
    S10 = "s10"
    PAYMENT_CODE = "payment_code"
    GTIN = "gtin"
    GS1 = "gs1"
    ID_CARD = "id_card"
    USCC = "uscc"
    PHONE = "phone"
    URL = "url"
    SETUP_CODE = "setup_code"
    PICKUP_TOKEN = "pickup_token"  # noqa: S105 - the name of a kind, not a secret
    UNKNOWN = "unknown"


class Decision(StrEnum):
    """What the caller may do: act on the best candidate, ask the operator, keep it secret and refuse, or drop it."""

    ACCEPT = "accept"
    ASK = "ask"
    SECRET = "secret"  # noqa: S105 - the name of a decision, not a secret
    REJECT = "reject"


SECRET_KINDS = frozenset({Kind.PAYMENT_CODE, Kind.PICKUP_TOKEN})
PERSONAL_KINDS = frozenset({Kind.ID_CARD, Kind.PHONE})

ACCEPT_FROM = 0.8  # every modern national waybill shape scores above this, every legacy or shared shape below
CLEAR_LEAD = 0.25  # a runner-up closer than this is a real doubt, and the operator is asked
UNSURE = 0.4  # below this a guess is no better than "unknown"


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """One reading of the text. `piece` is (n, of m) of a package suffix; m is 0 when the label does not tell it."""

    kind: Kind
    carrier: str | None
    value: str
    confidence: float
    why: str
    piece: tuple[int, int] | None = None

    def __repr__(self) -> str:
        # The value never shows: it may be a number of a person, and an unknown text may hold anything.
        carrier = f" {self.carrier}" if self.carrier else ""
        return f"<Candidate {self.kind.value}{carrier} {self.confidence:.2f}, {len(self.value)} characters>"


@dataclass(frozen=True, slots=True, repr=False)
class Recognition:
    """The ranked answer to one scan; `candidates` is never empty and its best comes first."""

    input: str
    symbology: str | None
    candidates: tuple[Candidate, ...]
    decision: Decision

    @property
    def best(self) -> Candidate:
        return self.candidates[0]

    @property
    def is_secret(self) -> bool:
        """Tell whether the text must never be shown, stored or logged, by anyone."""
        return self.decision is Decision.SECRET or any(c.kind in SECRET_KINDS for c in self.candidates)

    @property
    def is_sensitive(self) -> bool:
        """Tell whether the text is a secret or belongs to a person, and so is masked wherever it is shown."""
        return self.is_secret or any(c.kind in PERSONAL_KINDS for c in self.candidates)

    def __repr__(self) -> str:
        return f"<Recognition {self.decision.value} {self.symbology or 'no symbology'} {list(self.candidates)}>"


def rank(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Best first; of several readings with the same kind, carrier and value only the best stays."""
    ranked: dict[tuple[Kind, str | None, str], Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: -c.confidence):
        ranked.setdefault((candidate.kind, candidate.carrier, candidate.value), candidate)
    return tuple(ranked.values())


def decide(candidates: tuple[Candidate, ...]) -> Decision:
    """Accept a sure best candidate with a clear lead, else ask. Secrets and refusals are decided by their own rules."""
    best = candidates[0]
    runner_up = candidates[1].confidence if len(candidates) > 1 else 0.0
    lead = round(best.confidence - runner_up, 2)
    if best.kind is not Kind.UNKNOWN and best.confidence >= ACCEPT_FROM and lead >= CLEAR_LEAD:
        return Decision.ACCEPT
    return Decision.ASK
