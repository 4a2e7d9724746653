"""Check digits of numbers printed on labels and cards: GTIN, UPU S10, ID card, social credit code. Nothing else."""

import datetime
import re

_DIGITS = re.compile(r"[0-9]+")
_S10 = re.compile(r"[A-Z]{2}([0-9]{8})([0-9])([A-Z]{2})")
_ID_CARD = re.compile(r"([0-9]{2})[0-9]{4}([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{3}[0-9X]")
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")

_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

# First two digits of a region code: the province (GB/T 2260); 83 and 91 for Taiwan and foreign residents' cards.
_PROVINCES = frozenset(
    (
        "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91"
    ).split()
)

# ISO 3166-1 alpha-2, all 249 assigned codes.
COUNTRIES = frozenset(
    (
        "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT "
        "BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH "
        "ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT "
        "HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS "
        "LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI "
        "NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG "
        "SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG "
        "UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
    ).split()
)


def gtin_is_valid(digits: str) -> bool:
    """Tell whether the last digit is the GS1 check digit (weights 3, 1 from the right); any length, digits only."""
    if not _DIGITS.fullmatch(digits):
        return False
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0


def s10_check_digit(serial: str) -> int:
    """Give the ninth digit for eight.

    Source: UPU S10; 47312482 -> 9, 12345678 -> 5.
    """
    remainder = 11 - sum(int(d) * w for d, w in zip(serial, _S10_WEIGHTS, strict=True)) % 11
    return {10: 0, 11: 5}.get(remainder, remainder)


def s10_fault(text: str) -> str | None:
    """Say what is wrong with a text of S10 shape; "" when it is sound, None when it has not even the shape."""
    match = _S10.fullmatch(text)
    if match is None:
        return None
    if match[3] not in COUNTRIES:
        return "its last two letters are no country"
    if s10_check_digit(match[1]) != int(match[2]):
        return "its check digit is wrong"
    return ""


def looks_like_id_card(text: str) -> bool:
    """Tell whether region and birth date are plausible; the check digit is `id_check_is_right`."""
    match = _ID_CARD.fullmatch(text)
    if match is None or match[1] not in _PROVINCES or match[2][:2] not in {"19", "20"}:
        return False
    try:
        datetime.date(int(match[2]), int(match[3]), int(match[4]))
    except ValueError:
        return False
    return True


def id_check_is_right(text: str) -> bool:
    """Check the last character of 18 (GB 11643); the caller has seen to the shape."""
    return _ID_CHECKS[sum(int(d) * w for d, w in zip(text[:17], _ID_WEIGHTS, strict=True)) % 11] == text[17]


def uscc_is_valid(text: str) -> bool:
    """Tell whether this is a unified social credit code, letter departments (N for village collectives) included.

    Source: GB 32100; 91350100M000100Y43 is valid.
    """
    if not _USCC.fullmatch(text):
        return False
    total = sum(_USCC_ALPHABET.index(c) * w for c, w in zip(text[:17], _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[-total % 31] == text[17]
