"""Strict reading of what came over the line: JSON, numbers, texts and hashes within bounds, or BadBatch. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from edge.model import LogId

INT64 = 2**63  # SQLite and PostgreSQL keep whole numbers in 64 bits

is_mark = re.compile(r"[0-9a-f]{64}").fullmatch
is_log_id = re.compile(r"[0-9A-Za-z_-]{1,64}").fullmatch


class BadBatch(ValueError):
    """Bytes that are no batch, no answer or no presence. The text says what is wrong, never what was in them."""


def dump(value: object) -> bytes:
    """Write JSON without blanks, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def bounded(payload: bytes, most: int) -> bytes:
    """Return the bytes as they are. Errors: BadBatch for more than `most`."""
    if len(payload) > most:
        raise BadBatch(f"longer than {most} bytes")
    return payload


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(f"{name} is no JSON")


def load(plain: bytes, version: int) -> dict[str, Any]:
    """Read an object of this version. Errors: BadBatch, also for nesting without end."""
    try:
        top = json.loads(plain.decode(), parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise BadBatch("no JSON") from None
    if not isinstance(top, dict):
        raise BadBatch("no object")
    if type(top.get("v")) is not int or top["v"] != version:
        raise BadBatch("another version")
    return top


def whole(top: Mapping[str, Any], name: str, low: int) -> int:
    """Read a whole number from `low` on. Errors: BadBatch."""
    value = top.get(name)
    if type(value) is not int or not low <= value < INT64 // 2:
        raise BadBatch(f"{name}: no number in range")
    return value


def list_of(top: Mapping[str, Any], name: str, most: int) -> list[Any]:
    """Read a list. Errors: BadBatch."""
    value = top.get(name)
    if not isinstance(value, list) or len(value) > most:
        raise BadBatch(f"{name}: no list of at most {most}")
    return value


def text_of(value: object, where: str, most: int) -> str:
    """Return a text that can be encoded and stored: JSON may smuggle in half of a surrogate pair."""
    if not isinstance(value, str) or len(value) > most:
        raise BadBatch(f"{where}: no text of at most {most}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadBatch(f"{where}: half a character") from None
    return value


def mark_of(value: object) -> str:
    """Read a hash. Errors: BadBatch."""
    if not isinstance(value, str) or not is_mark(value):
        raise BadBatch("a mark is no hash")
    return value


def log_id_of(top: Mapping[str, Any]) -> LogId:
    """Read the name of a log. Errors: BadBatch."""
    value = top.get("log")
    if not isinstance(value, str) or not is_log_id(value):
        raise BadBatch("log: no log id")
    return LogId(value)
