"""Logging for the terminal and the last line of defence in it: whatever looks like a number of a person is masked.

Values are masked by their types already; this filter catches what a library or an exception text might carry.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from copy import copy
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

FILE_BYTES = 2 * 1024 * 1024
FILES = 5
# Runs of six or more digits, also with a blank or a hyphen between as people write phones; codes have six digits.
# Left alone are whole words of 16, 32 or 64 hex signs with a letter among them: ids, marks and hashes of ours.
DIGITS = re.compile(
    r"(?<![0-9A-Za-z])(?=[0-9]*[a-f])(?:[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64})(?![0-9A-Za-z])|\d(?:[\s-]?\d){5,}"
)
KEEP_FROM = 11  # digits: a phone keeps its last two, a code or a PIN nothing
HAN_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,}")


class MaskingFormatter(logging.Formatter):
    """Formats a record, traceback included, and masks long digit runs and Chinese words (one sign kept)."""

    def format(self, record: logging.LogRecord) -> str:
        own = copy(record)
        own.exc_text = None  # what another handler may have left there is not masked
        return super().format(own)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 the library's name
        record.message = mask(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 the library's name
        return mask(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 the library's name
        return mask(super().formatStack(stack_info))


class Quiet(logging.Handler):
    """A handler that says nothing when it cannot write.

    The library would print the record to standard error, with its values as they are, once for every line.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 the library's name
        del record


class QuietFile(Quiet, RotatingFileHandler):
    """A bounded log file."""


class QuietStream(Quiet, logging.StreamHandler[TextIO]):
    """Standard error."""


def mask(text: str) -> str:
    """Mask what may be personal in free text."""
    return DIGITS.sub(_masked, HAN_NAME.sub(lambda found: found[0][0] + "*", text))


def _masked(found: re.Match[str]) -> str:
    run = found[0]
    if not run[0].isdigit() or any(sign.isalpha() for sign in run):
        return run
    keep = 2 if sum(sign.isdigit() for sign in run) >= KEEP_FROM else 0
    return "#" * (len(run) - keep) + run[len(run) - keep :]


def set_up(folder: Path | None, *, verbose: bool = False) -> None:
    """Send logs to a bounded file, or to standard error when there is no folder or it cannot be used."""
    handler = QuietStream(sys.stderr) if folder is None else _file_in(folder)
    handler.setFormatter(MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("kivy").setLevel(logging.WARNING)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _file_in(folder: Path) -> logging.Handler:
    """A disk that takes no log must not keep the kiosk from saying that it is closed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return QuietFile(folder / "point.log", maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8")
    except OSError:
        return QuietStream(sys.stderr)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Send the trace of what nobody caught through the mask as well; it would go to standard error as it is."""
    if error is not None and not issubclass(kind, KeyboardInterrupt):
        logging.getLogger(__name__).critical("nobody caught this", exc_info=(kind, error, trace))


def signature(error: BaseException) -> str:
    """Return a short text of where a bug is, without the values it met: type, file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {where}"
