"""Codes that belong to a person or an office: payment code, pickup token, ID card, social credit code, phone.

No reason given here repeats the code: reasons are shown and logged, these codes are not.
"""

import re

from edge.codes.check_digits import id_check_is_right, looks_like_id_card, uscc_is_valid
from edge.codes.values import Candidate, Kind

# Prefix and length of each scheme's customer code; codes live about a minute and are worth money until then.
_PAYMENT = tuple(
    (scheme, re.compile(pattern))
    for scheme, pattern in (
        ("WeChat", r"1[0-5][0-9]{16}"),
        ("Alipay", r"(?:2[5-9]|30)[0-9]{14,22}"),
        ("UnionPay", r"62[0-9]{17}"),
        ("e-CNY", r"01[0-9]{17}"),
        ("Bestpay", r"51[0-9]{16}"),
        ("Baidu", r"31[0-9]{14,16}"),
    )
)

_TOKEN_MARK = "VP1:"  # noqa: S105 - the mark before the secret part
_TOKEN = re.compile(r"VP1:[A-Z2-7]{26}")  # 26 random base32 signs, 130 bits
RAGGED = 0.3  # sureness of a token whose mark is there and whose rest is not whole

# Mobile prefixes in service in phonenumberslite 9.0.42; the others are allotted too (data cards, things).
_MOBILE = re.compile(r"(?:\+86[ -]?|0086)?(1[3-9][0-9]{9})")
_MOBILE_BARE_86 = re.compile(r"86(1[3-9][0-9]{9})")
_IN_SERVICE = re.compile(r"1(?:3[0-9]|4[57]|5[0-35-9]|6[25-7]|7[0-35-8]|8[0-9]|9[0-35-9])[0-9]{8}")
_MASKED = re.compile(r"1[0-9]{0,2}\*{4,6}[0-9]{2,4}")
_VIRTUAL = re.compile(r"([0-9]{7,13})(?:-|,|#|转)([0-9]{2,6})")
_FIXED_LINE = re.compile(r"0[0-9]{2,3}-[0-9]{7,8}|400-?[0-9]{3}-?[0-9]{4}")
_FIXED_LINE_BARE = re.compile(r"0[0-9]{9,11}")


def payment_code(code: str, *, payment_open: bool) -> Candidate | None:
    """Read a customer's payment code; `code` without any blanks, for payment screens group the digits."""
    for scheme, pattern in _PAYMENT:
        if pattern.fullmatch(code):
            why = f"length and prefix of a payment code, {scheme}"
            if payment_open:
                return Candidate(Kind.PAYMENT_CODE, None, code, 0.97, why)
            return Candidate(Kind.PAYMENT_CODE, None, code, 0.85, f"{why}; no payment is open, so it is refused")
    return None


def pickup_token(code: str) -> Candidate | None:
    """Read our own pickup token; a damaged one is still a token, so that what is left of it stays masked."""
    if not code.startswith(_TOKEN_MARK):
        return None
    if _TOKEN.fullmatch(code):
        return Candidate(Kind.PICKUP_TOKEN, None, code, 0.99, "pickup token of this system")
    return Candidate(Kind.PICKUP_TOKEN, None, code, RAGGED, "pickup token with missing or wrong characters")


def id_card(code: str) -> Candidate | None:
    """Read an ID card number (GB 11643): region and birth date must be plausible, the check character decides."""
    if not looks_like_id_card(code):
        return None
    if id_check_is_right(code):
        return Candidate(Kind.ID_CARD, None, code, 0.95, "18 signs with region, birth date and right check character")
    return Candidate(Kind.ID_CARD, None, code, 0.45, "18 signs with region and birth date, but a wrong check character")


def social_credit_code(code: str) -> Candidate | None:
    """Read a unified social credit code (GB 32100); bare digits pass by chance 1 in 31."""
    if not uscc_is_valid(code):
        return None
    if code.isdigit() and not code.startswith("9"):
        return Candidate(Kind.USCC, None, code, 0.6, "18 digits with the check digit of a social credit code")
    return Candidate(Kind.USCC, None, code, 0.93, "18 signs with the right check sign of a social credit code")


def phone(code: str) -> Candidate | None:
    """Read a phone number: mobile, masked, virtual with extension, or fixed line; the value stays as it was written."""
    if (match := _MOBILE.fullmatch(code)) is not None:
        if _IN_SERVICE.fullmatch(match[1]):
            return Candidate(Kind.PHONE, None, code, 0.9, "mobile number")
        return Candidate(Kind.PHONE, None, code, 0.7, "mobile number of a prefix not known to be in service")
    if _MOBILE_BARE_86.fullmatch(code):
        return Candidate(Kind.PHONE, None, code, 0.6, "86 and a mobile number")
    if _MASKED.fullmatch(code) and len(code) == 11:
        return Candidate(Kind.PHONE, None, code, 0.9, "masked mobile number, only its last digits are of use")
    if (match := _VIRTUAL.fullmatch(code)) is not None:
        sure = 0.9 if _MOBILE.fullmatch(match[1]) else 0.7
        return Candidate(Kind.PHONE, None, code, sure, "virtual number with extension; it expires")
    if _FIXED_LINE.fullmatch(code):
        return Candidate(Kind.PHONE, None, code, 0.85, "fixed line or service number")
    if _FIXED_LINE_BARE.fullmatch(code):
        return Candidate(Kind.PHONE, None, code, 0.5, "perhaps a fixed line number with its area code")
    return None
