"""One rule for every keypad: a digit is added at the end, "erase" takes the last away, "clear" takes all."""

from __future__ import annotations

PLACE_SIGNS = "ABCDEFGH-"


def typed(text: str, key: str, limit: int, letters: str = "") -> str:
    """Return the text after the key; keys that are not of this pad change nothing."""
    match key:
        case "erase":
            return text[:-1]
        case "clear":
            return ""
        case "dash":
            key = "-"
    if len(key) == 1 and (key in "0123456789" or key in letters) and len(text) < limit:
        return text + key
    return text
