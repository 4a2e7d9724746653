"""Logging for the terminal and the last line of defence in it: whatever looks like a number of a person is masked.

Values are masked by their types already; this filter catches what a library or an exception text might carry.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

FILE_BYTES = 2 * 1024 * 1024
FILES = 5
# Runs of six or more digits, also with stars or blanks inside as people write phones; codes have six digits.
DIGITS = re.compile(r"(?<![0-9A-Fa-f])\d(?:[ -]?\d){5,}(?![0-9A-Fa-f])")
HAN_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,}")


class MaskingFormatter(logging.Formatter):
    """Formats a record, traceback included, and masks long digit runs (two kept) and Chinese words (one kept)."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 the library's name
        record.message = mask(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 the library's name
        return mask(super().formatException(ei))


def mask(text: str) -> str:
    """Mask what may be personal in free text."""
    text = HAN_NAME.sub(lambda found: found[0][0] + "*", text)
    return DIGITS.sub(lambda found: "#" * (len(found[0]) - 2) + found[0][-2:], text)


def set_up(folder: Path | None, *, verbose: bool = False) -> None:
    """Send logs to a bounded file, or to standard error when there is no folder."""
    handler: logging.Handler
    if folder is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            folder / "point.log", maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8"
        )
    handler.setFormatter(MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("kivy").setLevel(logging.WARNING)


def signature(error: BaseException) -> str:
    """Return a short text of where a bug is, without the values it met: type, file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {where}"
