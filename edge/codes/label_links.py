"""What stands in the QR codes of labels: the block of one courier, and addresses of couriers, payment schemes, apps."""

import re
from dataclasses import replace

from edge.codes.carriers import waybills
from edge.codes.values import Candidate, Kind

PRINTED_LINK = 0.95  # a number in the courier's own link or block, confirmed by that courier's shape

# MMM={'k1':…,'k5':'<waybill>',…}: single quotes, padding M before the brace, so not JSON.
_SF_BLOCK = re.compile(r"M=\{")
_SF_WAYBILL = re.compile(r"['\"]k5['\"] ?: ?['\"]([0-9A-Za-z]{8,32})['\"]")
_LINK = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20})://([^/?#\s]*)(/[^?#\s]*)?(?:\?([^#\s]*))?(?:#\S*)?")
_WEB = frozenset({"http", "https"})
_POST_HOST = "mini.ems.com.cn"
_SF_HOST = "ucmp.sf-express.com"

# Codes a shop shows to be paid; a villager may hold one up by mistake. Static, so no secret.
_COLLECTING_HOSTS = frozenset({"qr.alipay.com", "qr.95516.com", "payapp.weixin.qq.com"})
_COLLECTING_SCHEMES = frozenset({"wxp"})
_IDENTITY_MARKS = ("station_code", "authcode.html")


def block_waybills(payload: str) -> list[Candidate] | None:
    """Read the waybill out of the QR block printed by SF; None when it is no such block, [] when it names none."""
    if _SF_BLOCK.search(payload) is None:
        return None
    numbers = dict.fromkeys(number.upper() for number in _SF_WAYBILL.findall(payload))
    sure = PRINTED_LINK if len(numbers) == 1 else 0.5
    return [_confirmed(number, "SF", sure, "field k5 of the courier's QR block") for number in numbers]


def link(payload: str) -> list[Candidate] | None:
    """Read an address; a courier's own address that carries a number gives the waybill first. None when it is none."""
    match = _LINK.fullmatch(payload)
    if match is None:
        return None
    scheme, host = match[1].lower(), _host(match[2])
    path, query = match[3] or "", match[4] or ""
    if scheme in _WEB:
        found = _post_waybill(host, path) or _sf_waybill(host, query)
        if found is not None:
            return [found, Candidate(Kind.URL, None, payload, 0.3, "address on a courier's label")]
    return [Candidate(Kind.URL, None, payload, 0.9, _about(scheme, host, path, query))]


def is_collecting(payload: str) -> bool:
    """Tell whether this address is a shop's own collecting code, which nobody at the counter can use."""
    match = _LINK.fullmatch(payload)
    return match is not None and (match[1].lower() in _COLLECTING_SCHEMES or _host(match[2]) in _COLLECTING_HOSTS)


def _host(authority: str) -> str:
    """Take the host out of user@host:port; what stands before the last @ is no host and must not pass for one."""
    return authority.rpartition("@")[2].partition(":")[0].lower()


def _about(scheme: str, host: str, path: str, query: str) -> str:
    if scheme in _COLLECTING_SCHEMES or host in _COLLECTING_HOSTS:
        return "collecting code of a shop, not a customer's payment code"
    if any(mark in f"{path}?{query}".lower() for mark in _IDENTITY_MARKS):
        return "identity code of a courier's app, cannot be verified here"
    return "address"


def _post_waybill(host: str, path: str) -> Candidate | None:
    number = path.rstrip("/").rpartition("/")[2]
    if host != _POST_HOST or not re.fullmatch(r"[0-9A-Za-z]{13}", number):
        return None
    readings = [c for c in waybills(number.upper(), {}) if c.carrier in {"POST", "EMS"}]
    if not readings:
        return None
    return replace(readings[0], confidence=PRINTED_LINK, why="number in the postal mini-program's address")


def _sf_waybill(host: str, query: str) -> Candidate | None:
    number = re.search(r"(?:^|&)p1=([0-9]{12}|SF[0-9]{13})(?:&|$)", query, re.IGNORECASE)
    if host != _SF_HOST or number is None:
        return None
    return _confirmed(number[1].upper(), "SF", PRINTED_LINK, "number in the courier's promotion address")


def _confirmed(number: str, carrier: str, sure: float, why: str) -> Candidate:
    """Trust the place a number is printed in only when that courier's table knows the number."""
    if any(candidate.carrier == carrier for candidate in waybills(number, {})):
        return Candidate(Kind.WAYBILL, carrier, number, sure, why)
    return Candidate(Kind.WAYBILL, carrier, number, 0.5, f"{why}, but of no shape known for this courier")
