"""The rows that one transaction changes, in memory: read once, changed many times, written once at its end.

A batch touches the same parcel and the same door again and again; a statement for each touch is what a hub would spend
its day on. What the rows mean is in sync/hub/projections.py and sync/hub/biller.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from operator import itemgetter
from typing import Any

from sync.hub.database import Table, Values
from sync.hub.store import Tx

Row = dict[str, Any]
_ABSENT: Any = object()


class Rows:
    """Rows by table and key. `back_to(mark)` forgets changes one by one; nothing is written before `flush`."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self._now: defaultdict[Table, dict[Values, Row | None]] = defaultdict(dict)
        self._stored: defaultdict[Table, set[Values]] = defaultdict(set)
        self._dirty: defaultdict[Table, dict[Values, None]] = defaultdict(dict)
        self._found: defaultdict[Table, dict[Values, list[Values]]] = defaultdict(dict)
        self._groups: defaultdict[Table, dict[Values, list[Values]]] = defaultdict(dict)
        self._blanks: dict[tuple[Table, str], dict[Values, None]] = {}
        self._numbers: dict[str, int] = {}
        self._undo: list[tuple[Table | None, dict[Any, Any], Any, Any]] = []

    def load(self, table: Table, keys: Iterable[Values]) -> None:
        """Read rows ahead, all in one."""
        now = self._now[table]
        wanted = [key for key in keys if key not in now]
        if not wanted:
            return
        now.update(dict.fromkeys(wanted))
        of = itemgetter(*table.key) if len(table.key) > 1 else lambda row: (row[table.key[0]],)
        for values in self.tx.session.fetch(table, wanted):
            row = dict(zip(table.columns, values, strict=True))
            key = of(row)
            now[key] = row
            self._stored[table].add(key)

    def find(self, view: Table, table: Table, keys: Iterable[Values]) -> list[Row]:
        """Return the rows of a table that another key of it, that of `view`, found in the database; read once each.

        Rows made in this transaction are not among them, rows changed in it are as they are now.
        """
        wanted = list(keys)
        found = self._found[view]
        new = [key for key in wanted if key not in found]
        if new:
            found.update((key, []) for key in new)
            self._note_found(view, table, new)
        rows = [self._now[table][own] for key in wanted for own in found[key]]
        return [row for row in rows if row is not None]

    def made(self, table: Table, group: Values) -> list[Row]:
        """Return the rows of a group that were added in this transaction."""
        now = self._now[table]
        return [row for key in self._groups[table].get(group, ()) if (row := now[key]) is not None]

    def _note_found(self, view: Table, table: Table, keys: list[Values]) -> None:
        now, stored = self._now[table], self._stored[table]
        for values in self.tx.session.fetch(view, keys):
            row = dict(zip(table.columns, values, strict=True))
            own = tuple(row[column] for column in table.key)
            self._found[view][tuple(row[column] for column in view.key)].append(own)
            if own not in now:
                now[own] = row
                stored.add(own)

    def get(self, table: Table, key: Values) -> Row | None:
        """Return a row, None if there is none. Not to be changed: use `put`."""
        now = self._now[table]
        if key not in now:
            self.load(table, [key])
        return now[key]

    def put(self, table: Table, key: Values, **values: Any) -> None:
        """Change columns of a row, or make it."""
        now = self._now[table]
        old = now[key] if key in now else self.get(table, key)
        self._undo.append((table, now, key, old))
        now[key] = {**(old or _blank_row(table, key)), **values}
        self._dirty[table][key] = None

    def change(self, table: Table, key: Values, **values: Any) -> bool:
        """Change columns of a row if it is there; tell whether it is."""
        if self.get(table, key) is None:
            return False
        self.put(table, key, **values)
        return True

    def add(self, table: Table, key: Values, **values: Any) -> None:
        """Make a row whose key is certainly new."""
        self._now[table].setdefault(key, None)
        self.put(table, key, **values)
        if table.group:
            row = self._now[table][key]
            assert row is not None
            group = tuple(row[column] for column in table.group)
            self._groups[table].setdefault(group, []).append(key)

    def drop(self, table: Table, key: Values) -> None:
        """Delete a row."""
        if self.get(table, key) is not None:
            now = self._now[table]
            self._undo.append((table, now, key, now[key]))
            now[key] = None
            self._dirty[table][key] = None

    def blank(self, table: Table, group: Values, column: str) -> None:
        """Empty a column in all rows of a group, those written before and those made here."""
        for key in self._groups[table].get(group, ()):
            self.change(table, key, **{column: None})
        groups = self._blanks.setdefault((table, column), {})
        self._undo.append((None, groups, group, groups.get(group, _ABSENT)))
        groups[group] = None

    def next_number(self, name: str, last: Callable[[], int]) -> int:
        """Count on from `last`, which is asked once in a transaction that holds the name."""
        before = self._numbers.get(name, _ABSENT)
        self._undo.append((None, self._numbers, name, before))
        self._numbers[name] = 1 + (last() if before is _ABSENT else int(before))
        return self._numbers[name]

    def mark(self) -> int:
        """Where the changes stand, for `back_to`."""
        return len(self._undo)

    def back_to(self, mark: int) -> None:
        """Forget the changes made since."""
        while len(self._undo) > mark:
            table, mapping, key, old = self._undo.pop()
            if old is _ABSENT:
                del mapping[key]
            else:
                mapping[key] = old
            if table is not None:
                self._dirty[table][key] = None

    def flush(self) -> None:
        """Write what has changed: few statements, however many changes. Errors: StoreFault."""
        session = self.tx.session
        for (table, column), groups in self._blanks.items():
            if groups:
                session.blank(table, column, list(groups))
                groups.clear()
        for table, dirty in self._dirty.items():
            now, stored = self._now[table], self._stored[table]
            gone = [key for key in dirty if now[key] is None and key in stored]
            if gone:
                session.remove(table, gone)
                stored.difference_update(gone)
            columns = itemgetter(*table.columns)
            new = {key: columns(row) for key in dirty if (row := now[key]) is not None}
            if new:
                session.replace(table, list(new.values()), [key for key in new if key in stored])
                stored.update(new)
            dirty.clear()


@cache
def _empty(table: Table) -> Row:
    return dict.fromkeys(table.columns)


def _blank_row(table: Table, key: Values) -> Row:
    return {**_empty(table), **dict(zip(table.key, key, strict=True))}
