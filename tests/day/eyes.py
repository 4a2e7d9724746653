"""What an independent eye can see of the day: the point's file, the hub's file, the pulses of the board. Read only."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg


class NotSeen(AssertionError):
    """Something did not happen in its time. The day ends with exit code 1."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """Looks into the files of the sample district from outside of the programs."""

    folder: Path
    database: str = ""  # URL of the hub's PostgreSQL; empty for its file

    def point(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return _rows(self.folder / "point" / "point.db", sql, values)

    def hub(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        if not self.database:
            return _rows(next((self.folder / "hub").glob("*.db")), sql, values)
        with psycopg.connect(self.database, connect_timeout=10) as db:
            return db.execute(sql.replace("?", "%s").encode(), values).fetchall()

    def state(self, waybill_no: str) -> str | None:
        """State of the newest parcel with this number at the point."""
        rows = self.point("SELECT state FROM parcel WHERE waybill_no = ? ORDER BY arrived_at DESC", waybill_no)
        return rows[0][0] if rows else None

    def slip(self, waybill_no: str) -> tuple[str, str, str]:
        """Code, token and phone tail as the recipient holds them (slip or message)."""
        found = self.point(
            "SELECT code, token, phone FROM parcel WHERE waybill_no = ? AND code IS NOT NULL", waybill_no
        )
        code, token, phone = found[0]
        return code, token, (phone or "0000")[-4:]


def until(what: str, look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Look until something true is seen. Errors: NotSeen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen = look()
        if seen:
            return seen
        time.sleep(0.05)
    raise NotSeen(f"not within {seconds:.0f} s: {what}")


def manifest(folder: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return found


def _rows(path: Path, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()
