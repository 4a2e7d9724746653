"""The courier table as data, and the waybill readings it gives a code. What else a code may be is not known here.

No courier publishes a check digit for its national numbers, and shapes overlap: every reading is given with its score.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge.codes.values import Candidate, Kind

CARRIER_NAMES: Mapping[str, str] = {
    "SF": "顺丰速运",
    "ZTO": "中通快递",
    "YTO": "圆通速递",
    "STO": "申通快递",
    "YUNDA": "韵达快递",
    "JT": "极兔速递",
    "JD": "京东快递",
    "DEPPON": "德邦快递",
    "POST": "邮政快递包裹",
    "EMS": "邮政EMS",
    "DANNIAO": "丹鸟",
    "CAINIAO": "菜鸟裹裹",
    "BEST": "百世快递",
    "FENGWANG": "丰网速运",
    "ZJS": "宅急送",
    "TTK": "天天快递",
    "UC": "优速快递",
    "ANE": "安能物流",
    "YMDD": "壹米滴答",
    "ZTOKY": "中通快运",
    "SUER": "速尔快递",
    "KYE": "跨越速运",
    "DHL": "DHL",
    "FEDEX": "FedEx",
}

# How sure a shape makes us. Scores are a ranking agreed from the recognisers compared, not measured frequencies.
LETTERS = 0.97  # letters and length belong to one courier
MODERN = 0.92  # digits only, but prefix and length belong to one courier
LIKELY = 0.85  # as above, printed by a courier that has left the market
WIDE = 0.7  # a courier's whole range by some sources, a part of it by others
SHARED = 0.5  # two or more couriers claim it
OLD = 0.35  # of an earlier numbering, rarely met
RARE = 0.2  # only a length
LEARNT = 0.9  # the operators of this point said so before

SHORTEST_LEARNT = 8  # shorter numbers are shelf marks, counters, route codes


@dataclass(frozen=True, slots=True)
class Shape:
    carrier: str
    pattern: re.Pattern[str]
    score: float
    why: str


def _shapes(*rows: tuple[str, str, float, str]) -> tuple[Shape, ...]:
    return tuple(Shape(carrier, re.compile(pattern), score, why) for carrier, pattern, score, why in rows)


SHAPES = _shapes(
    ("SF", r"SF[0-9]{13}", LETTERS, "SF and 13 digits"),
    ("SF", r"[0-9]{12}", SHARED, "12 digits, old numbers of this courier and of others"),
    ("YTO", r"YT[0-9]{13}", LETTERS, "YT and 13 digits"),
    ("YTO", r"YT[0-9]{12}", SHARED, "YT and only 12 digits"),
    ("YTO", r"[6-8][0-9]{17}", OLD, "18 digits, old numbering"),
    ("YTO", r"[0-9]{12}", 0.25, "12 digits, old numbering"),
    ("YTO", r"[0-9]{10}", RARE, "10 digits, old numbering"),
    ("JT", r"JT[0-9]{13}", LETTERS, "JT and 13 digits"),
    ("JT", r"JT[0-9]{12}", SHARED, "JT and only 12 digits"),
    ("JT", r"5[5689][0-9]{14}", 0.6, "16 digits from 55, 56, 58 or 59, taken over from BEST"),
    ("JD", r"JD[0-9A-Z]{2}[0-9]{11}", LETTERS, "JD, two signs and 11 digits"),
    ("JD", r"VA[0-9]{11}", LIKELY, "VA and 11 digits, older numbering"),
    ("DHL", r"JD[0-9]{16}(?:[0-9]{2})?|JJD[0-9]{12,20}", WIDE, "JD or JJD and a long number, an international courier"),
    ("DEPPON", r"DP[KL][0-9]{12}", LETTERS, "DPK or DPL and 12 digits"),
    ("DEPPON", r"[0-9]{8,10}", 0.3, "8 to 10 digits, old numbering"),
    ("ZTO", r"7[345689][0-9]{12}", MODERN, "14 digits from 73-76, 78, 79"),
    ("ZTO", r"771[0-9]{11}|7777[0-9]{10}|777600[0-9]{8}|77761[0-9]{9}", 0.6, "14 digits from 771, 7776 or 7777"),
    ("ZTO", r"77[0-9]{12}", OLD, "14 digits from 77"),
    ("ZTO", r"[0-9]{12}", 0.3, "12 digits, before 2019"),
    ("STO", r"77[0-9]{13}", MODERN, "15 digits from 77"),
    ("STO", r"77[0-9]{12}", SHARED, "14 digits from 77"),
    ("STO", r"(?:33|37|55|66|77|88)[0-9]{11}", 0.45, "13 digits from 33, 37, 55, 66, 77 or 88, old numbering"),
    ("STO", r"[0-9]{12}", 0.4, "12 digits, old numbering"),
    ("YUNDA", r"(?:31|42|43|46)[0-9]{13}", MODERN, "15 digits from 31, 42, 43 or 46"),
    ("YUNDA", r"[34][0-9]{14}", WIDE, "15 digits from 3 or 4"),
    ("YUNDA", r"3[37][0-9]{11}", 0.4, "13 digits from 33 or 37, old numbering"),
    ("YUNDA", r"[0-9]{13}", RARE, "13 digits, old numbering"),
    ("POST", r"9[5-9][0-9]{11}", MODERN, "13 digits from 95-99"),
    ("POST", r"(?:SA|SB|PA|PH|PQ|KA|XA)[0-9]{11}", MODERN, "two letters of the post and 11 digits"),
    (
        "POST",
        r"[GAKQPH][A-Z][0-9]{9}(?:1[1-9]|[2-5][0-9]|6[0-5])",
        LIKELY,
        "two letters, 11 digits, province at the end",
    ),
    ("EMS", r"1[0-2][0-9]{11}", MODERN, "13 digits from 10-12"),
    ("EMS", r"5[0-2][0-9]{11}", MODERN, "13 digits from 50-52"),
    ("DANNIAO", r"6[12][0-9]{13}", MODERN, "15 digits from 61 or 62"),
    ("CAINIAO", r"9[0-9]{14}", 0.45, "15 digits from 9"),
    ("FENGWANG", r"99[0-9]{13}", SHARED, "15 digits from 99, now part of J&T"),
    ("BEST", r"7[0-2][0-9]{12}", LIKELY, "14 digits from 70-72, now part of J&T"),
    ("BEST", r"58[0-9]{14}", OLD, "16 digits from 58"),
    ("BEST", r"5[0-9]{13,14}|6[0-9]{13}", 0.4, "14 or 15 digits from 5 or 6"),
    ("BEST", r"[ABDE][0-9]{12}|K8[0-9]{11}", SHARED, "a letter and 12 digits, or K8 and 11"),
    ("ZJS", r"ZJS[0-9]{12}", LETTERS, "ZJS and 12 digits"),
    ("ZJS", r"A[0-9]{12}", 0.45, "A and 12 digits"),
    ("ZJS", r"[0-9]{10}", 0.25, "10 digits"),
    ("TTK", r"TT[0-9]{13}", LIKELY, "TT and 13 digits"),
    ("UC", r"VIP[0-9]{9}|LBX[0-9]{15}", LIKELY, "VIP and 9 digits, or LBX and 15"),
    ("UC", r"V[0-9]{11}", LIKELY, "V and 11 digits"),
    ("KYE", r"KY[0-9]{10,13}", SHARED, "KY and digits"),
    *((carrier, r"[0-9]{12}", RARE, "12 digits") for carrier in ("ANE", "YMDD", "ZTOKY", "UC", "TTK", "SUER", "FEDEX")),
)

# Package numbers: the waybill, then piece n of m, then perhaps the chute of the sorting line.
_PACKAGES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<waybill>(?:JD[0-9A-Z]{2}|VA)[0-9]{11})-(?P<n>[0-9]{1,4})-(?P<m>[0-9]{1,4})(?:-[0-9A-Z]{0,12})?",
        r"(?P<waybill>(?:JD[0-9A-Z]{2}|VA)[0-9]{11})N(?P<n>[0-9]{1,4})S(?P<m>[0-9]{1,4})(?:H[0-9A-Z]{0,12})?",
        r"(?P<waybill>DP[KL][0-9]{12})-(?P<n>[0-9]{1,4})(?:-(?P<m>[0-9]{1,4}))?(?:-[0-9A-Z]{0,12})?",
        r"(?P<waybill>LBX[0-9]{15})-(?P<n>[0-9]{1,4})-(?P<m>[0-9]{1,4})",
    )
)


def waybills(code: str, learnt: Mapping[tuple[int, str], str]) -> list[Candidate]:
    """Give every courier whose table knows this number, the best shape of each; package suffixes are taken off.

    Shape:  `code` upper-case, without AIM prefix. `learnt` maps (length, first three characters) to the courier the
            operators of this point chose for such numbers before; couriers not in the table are passed over.
    """
    package = next((match for pattern in _PACKAGES if (match := pattern.fullmatch(code))), None)
    if package is not None:
        return [_piece_of(candidate, package) for candidate in _by_shape(package["waybill"])]
    best: dict[str, Candidate] = {}
    for candidate in (*_by_shape(code), *_by_habit(code, learnt)):
        known = best.get(candidate.carrier or "")
        if known is None or candidate.confidence > known.confidence:
            best[candidate.carrier or ""] = candidate
    return list(best.values())


def _by_shape(code: str) -> Iterator[Candidate]:
    for shape in SHAPES:
        if shape.pattern.fullmatch(code):
            yield Candidate(Kind.WAYBILL, shape.carrier, code, shape.score, shape.why)


def _by_habit(code: str, learnt: Mapping[tuple[int, str], str]) -> Iterator[Candidate]:
    carrier = learnt.get((len(code), code[:3]))
    if carrier in CARRIER_NAMES and len(code) >= SHORTEST_LEARNT and code.isascii() and code.isalnum():
        yield Candidate(Kind.WAYBILL, carrier, code, LEARNT, "this point chose this courier for such numbers before")


def _piece_of(candidate: Candidate, package: re.Match[str]) -> Candidate:
    n, m = int(package["n"]), int(package["m"] or 0)
    if n == 0 or (package["m"] is not None and n > m):
        why = f"{candidate.why}; its piece number makes no sense"
        return Candidate(candidate.kind, candidate.carrier, candidate.value, WIDE, why)
    why = f"{candidate.why}; package suffix taken off"
    return Candidate(candidate.kind, candidate.carrier, candidate.value, candidate.confidence, why, (n, m))
