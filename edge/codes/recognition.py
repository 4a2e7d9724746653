"""What is this scanned text? Ranked readings with reasons, and whether to act, to ask, to keep it secret or to drop it.

The order of the rules and the ranking live here; shapes and check digits live in the modules imported. No I/O.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from edge.codes import gs1, label_links, private, scan_text
from edge.codes.carriers import LIKELY, RARE, waybills
from edge.codes.check_digits import gtin_is_valid, s10_fault
from edge.codes.notes import why_unknown
from edge.codes.scan_text import Scan
from edge.codes.values import PERSONAL_KINDS, UNSURE, Candidate, Decision, Kind, Recognition, decide, rank

SAME_LABEL_MS = 1500  # a hand needs longer to reach the next parcel than to hit a second code of the same label
MASK = "secret"

_NOTHING_LEARNT: Mapping[tuple[int, str], str] = MappingProxyType({})
_PARCEL_KINDS = frozenset({Kind.WAYBILL, Kind.S10})
_OF_A_LABEL = _PARCEL_KINDS | {Kind.GTIN, Kind.GS1, Kind.URL, Kind.UNKNOWN}
# China, Taiwan, Hong Kong, Macau, periodicals and books, shop scales: numbers that do turn up on goods here.
_LOCAL_PREFIXES = ("69", "680", "681", "471", "489", "958", "977", "978", "979", "2")


def recognise(
    text: str, *, payment_open: bool = False, learnt: Mapping[tuple[int, str], str] = _NOTHING_LEARNT
) -> Recognition:
    """Rank what a scanned text may be.

    Shape:  `text` as the scanner gave it: AIM prefix, control characters and terminators included.
            `learnt` maps (length, first three characters) to the courier this point's operators chose before.
            ACCEPT means the best candidate's kind and value are sure; which kinds are of use is for the caller to say.
            SECRET with `payment_open` is a payment code for the payment in hand; without, it is refused.
    Errors: none, for any text.
    """
    if len(text) > scan_text.LONGEST:
        return _refused(text, None, "", f"more than {scan_text.LONGEST} characters")
    scan = scan_text.split(text)
    if not scan.payload:
        return _refused(text, scan, "", "nothing to read in it")
    if scan.is_linear and len(scan.payload) > scan_text.LONGEST_1D:
        return _refused(text, scan, "", f"a linear code of more than {scan_text.LONGEST_1D} signs")
    if (lines := scan_text.lines(scan)) is not None:
        return _several_lines(text, scan, [recognise(line, payment_open=payment_open, learnt=learnt) for line in lines])
    return _guarded(text, scan, payment_open) or _ruled(text, scan) or _ranked(text, scan, learnt)


def same_label(first: Recognition, second: Recognition, gap_ms: int) -> Recognition:
    """Say which of two scans of one gun counts, when both may come from one label.

    Units:  `gap_ms` milliseconds from the first scan to the second.
    Shape:  answers `first` or `second` itself, or a new recognition with both numbers to ask about. Secrets, persons'
            numbers, our own tokens and set-up codes are never printed on a label and always count by themselves.
    """
    if not 0 <= gap_ms <= SAME_LABEL_MS or first.best.kind not in _PARCEL_KINDS or first.is_sensitive:
        return second
    if second.is_sensitive or second.best.kind not in _OF_A_LABEL or second.decision is Decision.REJECT:
        return second
    if first.best.value == second.best.value:
        return second if second.best.confidence > first.best.confidence or second.best.piece else first
    first_fits = first.decision is Decision.ACCEPT
    second_fits = second.decision is Decision.ACCEPT and second.best.kind in _PARCEL_KINDS
    if first_fits != second_fits:
        return first if first_fits else second
    return Recognition(second.input, second.symbology, rank((*first.candidates, *second.candidates)), Decision.ASK)


def to_json(recognition: Recognition) -> dict[str, object]:
    """Give the answer of the command line; of a payment code or a pickup token neither text nor value is shown."""
    hidden = recognition.is_secret
    return {
        "input": MASK if hidden else recognition.input,
        "candidates": [
            {
                "kind": candidate.kind.value,
                "carrier": candidate.carrier,
                "value": MASK if hidden else candidate.value,
                "confidence": candidate.confidence,
                "why": candidate.why,
            }
            for candidate in recognition.candidates
        ],
        "decision": recognition.decision.value,
    }


def _refused(text: str, scan: Scan | None, value: str, why: str, kind: Kind = Kind.UNKNOWN) -> Recognition:
    symbology = None if scan is None else scan.symbology
    return Recognition(text, symbology, (Candidate(kind, None, value, 1.0, why),), Decision.REJECT)


def _several_lines(text: str, scan: Scan, lines: list[Recognition]) -> Recognition:
    """Judge glued scans and label texts: one number repeated is that number, anything secret keeps the whole secret."""
    if len({(line.best.kind, line.best.value) for line in lines}) == 1:
        return replace(lines[0], input=text, symbology=scan.symbology)
    kept = next((line for line in lines if line.is_secret), None)
    if kept is not None:
        return Recognition(text, scan.symbology, kept.candidates, Decision.SECRET)
    personal = [c for line in lines for c in line.candidates if c.kind in PERSONAL_KINDS]
    whole = Candidate(Kind.UNKNOWN, None, scan.payload, UNSURE, "several lines, a label text or glued scans")
    return Recognition(text, scan.symbology, (whole, *_weaker(personal)), Decision.ASK)


def _weaker(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    return tuple(replace(candidate, confidence=RARE) for candidate in rank(candidates))


def _guarded(text: str, scan: Scan, payment_open: bool) -> Recognition | None:
    """Keep secrets apart before any other rule can show them, and what talks to the gun or is garbled out."""
    if (token := private.pickup_token(scan.code)) is not None:
        whole = token.confidence > private.RAGGED
        return Recognition(text, scan.symbology, (token,), Decision.ACCEPT if whole else Decision.REJECT)
    compact = scan_text.without_blanks(scan.payload)
    is_goods = scan.gun_says_gs1 and gs1.is_sound(scan.payload)
    payment = private.payment_code(compact, payment_open=payment_open)
    if payment is not None and not is_goods:
        return _payment(text, scan, payment, payment_open)
    if scan_text.is_set_up(scan):
        return _refused(text, scan, scan.payload, "set-up or control text of a scanner", Kind.SETUP_CODE)
    if scan_text.has_inner_control(scan.payload):
        return _refused(text, scan, scan.payload, "control characters inside the code, read it again")
    return None


def _payment(text: str, scan: Scan, payment: Candidate, payment_open: bool) -> Recognition:
    """Tell a payment code from an ID card of 11-15, 31 or 51: a right check digit and date are rare by chance."""
    person = private.id_card(payment.value)
    if person is not None and person.confidence > payment.confidence and not payment_open:
        doubt = replace(payment, confidence=0.75)
        return Recognition(text, scan.symbology, (person, doubt), Decision.ASK)
    others = [c for c in (person, private.social_credit_code(payment.value)) if c is not None]
    return Recognition(text, scan.symbology, (payment, *_weaker(others)), Decision.SECRET)


def _ruled(text: str, scan: Scan) -> Recognition | None:
    """Apply the rules for texts that say themselves what they are: addresses, a courier's block, GS1."""
    readings = label_links.link(scan.payload)
    if readings is not None:
        collecting = label_links.is_collecting(scan.payload)
        ranked = rank(readings)
        return Recognition(text, scan.symbology, ranked, Decision.REJECT if collecting else decide(ranked))
    if readings := label_links.block_waybills(scan.payload):
        return _answer(text, scan, readings)
    has_separator = scan_text.GS in scan.payload
    if has_separator or (scan.says_gs1 and gs1.elements(scan.payload) is not None):
        return _answer(text, scan, [_gs1(scan), *_weaker(waybills(scan.code, {}))])
    return None


def _gs1(scan: Scan) -> Candidate:
    found = gs1.elements(scan.payload)
    if found is None:
        return Candidate(Kind.GS1, None, scan.payload, 0.45, "separators of GS1, but not of known elements")
    if found.doubts:
        return Candidate(Kind.GS1, None, str(found), 0.6, f"GS1 elements; {found.doubts[0]}")
    sure = 0.95 if scan.says_gs1 else 0.7
    return Candidate(Kind.GS1, None, str(found), sure, "GS1 elements")


def _ranked(text: str, scan: Scan, learnt: Mapping[tuple[int, str], str]) -> Recognition:
    code = scan.code
    parcels = [] if scan.is_retail else waybills(code, learnt)
    rules = (_s10, private.id_card, private.social_credit_code, private.phone)
    readings = [*_with_gtin(scan, parcels), *(found for rule in rules if (found := rule(code)) is not None)]
    return _answer(text, scan, readings)


def _answer(text: str, scan: Scan, readings: list[Candidate]) -> Recognition:
    ranked = rank(readings)
    if not ranked or ranked[0].confidence < UNSURE:
        unknown = Candidate(Kind.UNKNOWN, None, scan.payload, UNSURE, why_unknown(scan.code))
        ranked = (unknown, *ranked)
    return Recognition(text, scan.symbology, ranked, decide(ranked))


def _s10(code: str) -> Candidate | None:
    fault = s10_fault(code)
    if fault is None:
        return None
    if fault:
        return Candidate(Kind.S10, None, code, 0.45, f"shape of an international postal number, but {fault}")
    carrier = None
    if code.endswith("CN"):
        carrier = "EMS" if code.startswith("E") else "POST"
    return Candidate(Kind.S10, carrier, code, 0.97, "international postal number with right check digit and country")


def _with_gtin(scan: Scan, parcels: list[Candidate]) -> list[Candidate]:
    """Add the product reading. One waybill in ten passes its check digit, so without the gun's word it stays behind."""
    code, said = scan.code, (scan.symbology or "")[:1]
    if said == "E":
        return [_retail(code)]
    if len(code) not in {8, 12, 13, 14} or not gtin_is_valid(code):
        return parcels
    if said == "I" and len(code) == 14:
        box = Candidate(Kind.GTIN, None, code, 0.9, "box code (ITF-14) with right check digit")
        return [box, *(replace(parcel, confidence=round(parcel.confidence / 2, 2)) for parcel in parcels)]
    if said:
        return parcels
    is_local = _is_local(code)
    fits_a_courier = any(parcel.confidence >= LIKELY for parcel in parcels)
    sure = (0.55 if fits_a_courier else 0.7) if is_local else 0.3
    product = Candidate(Kind.GTIN, None, code, sure, "right product check digit, but the gun did not say EAN")
    return [product, *(replace(p, confidence=min(p.confidence, 0.7 if is_local else 0.85)) for p in parcels)]


def _is_local(code: str) -> bool:
    """Tell whether goods sold here bear such a number. A box code from 7 does not count: that is how couriers begin."""
    if len(code) == 14:
        return not code.startswith("7") and code[1:].startswith(_LOCAL_PREFIXES)
    return len(code) != 12 and code.startswith(_LOCAL_PREFIXES)


def _retail(code: str) -> Candidate:
    if len(code) in {8, 12, 13} and gtin_is_valid(code):
        return Candidate(Kind.GTIN, None, code, 0.97, "the gun says EAN or UPC, check digit right")
    return Candidate(Kind.GTIN, None, code, 0.45, "the gun says EAN or UPC, but length or check digit is wrong")
