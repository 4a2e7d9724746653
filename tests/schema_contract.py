"""What a released program needs of its database, written down, and whether a newer database still gives it.

A release that is tried and given up leaves its migrations behind: the release before must work on. So a migration may
add tables, columns that may be empty or have a default, and plain indexes; it may take nothing away, rename nothing and
forbid nothing that was allowed. At a release: `python tests/schema_contract.py record VERSION`.
"""

from __future__ import annotations

import ast
import json
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

from sqlite_utils import Database

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "edge" / "released"
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s", re.IGNORECASE)
Contract = dict[str, Any]


def contract_of(db: sqlite3.Connection) -> Contract:
    """Tables with their columns, and everything that can refuse a row."""
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {"tables": {table: _table(db, table) for table in tables if not table.startswith(("sqlite_", "_"))}}


def violations(contract: Contract, db: sqlite3.Connection) -> list[str]:
    """What the program of this contract would miss or stumble over on that database."""
    now = contract_of(db)["tables"]
    found = []
    for name, table in contract["tables"].items():
        if name not in now:
            found.append(f"table {name} is gone")
            continue
        found += _columns_wrong(name, table["columns"], now[name]["columns"])
        for kind in ("unique", "checks", "foreign"):
            new = [each for each in now[name][kind] if each not in table[kind]]
            found += [f"{name}: {kind} {each} forbids what was allowed" for each in new]
    found += [f"trigger {row[0]} acts on old rows" for row in db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'")]  # fmt: skip
    return found + [f"{error}: {sql}" for sql in contract.get("statements", []) if (error := _fails(db, sql))]


def statements() -> list[str]:
    """Every statement that stands whole in the code of the terminal."""
    found = set()
    for file in sorted((ROOT / "edge").rglob("*.py")):
        if file.name == "schema.py":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
                found.add(node.value)
    return sorted(found)


def newest_database() -> sqlite3.Connection:
    """An empty database with all migrations of today."""
    from edge.schema import migrations

    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrations.apply(Database(connection, execute_plugins=False))
    return connection


def record(version: str) -> Path:
    """Write down what today's program needs."""
    db = newest_database()
    whole = [sql for sql in statements() if not _fails(db, sql)]  # parts of statements are put together at run time
    file = FOLDER / f"{version}.json"
    FOLDER.mkdir(exist_ok=True)
    file.write_text(json.dumps({**contract_of(db), "statements": whole}, indent=1, sort_keys=True) + "\n")
    return file


def _table(db: sqlite3.Connection, table: str) -> Contract:
    sql = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    columns = {
        row[1]: {"type": row[2], "not_null": bool(row[3]), "default": row[4], "key": row[5]}
        for row in db.execute(f"PRAGMA table_info({table})")
    }
    unique = []
    for _, index, is_unique, *_ in db.execute(f"PRAGMA index_list({table})").fetchall():
        if is_unique:
            of = [row[2] for row in db.execute(f"PRAGMA index_info({index})")]
            text = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()
            where = (text[0] or "").partition(" WHERE ")[2] if text else ""
            unique.append(f"{','.join(of)} {where}".strip())
    foreign = [f"{row[3]} -> {row[2]}.{row[4]}" for row in db.execute(f"PRAGMA foreign_key_list({table})")]
    checks = re.findall(r"CHECK \((.*?)\)+(?=[,\n])", sql)
    return {"columns": columns, "unique": sorted(unique), "foreign": sorted(foreign), "checks": sorted(checks)}


def _columns_wrong(table: str, old: Contract, now: Contract) -> list[str]:
    found = []
    for name, column in old.items():
        if name not in now:
            found.append(f"{table}.{name} is gone")
        elif now[name]["type"] != column["type"] or now[name]["key"] != column["key"]:
            found.append(f"{table}.{name} is another column")
        elif now[name]["not_null"] and not column["not_null"]:
            found.append(f"{table}.{name} may no longer be empty")
        elif column["default"] is not None and now[name]["default"] is None:
            found.append(f"{table}.{name} has no default any more")
    return found + [
        f"{table}.{name} is new and must be filled"
        for name, column in now.items()
        if name not in old and column["not_null"] and column["default"] is None
    ]


def _fails(db: sqlite3.Connection, sql: str) -> str:
    """Why SQLite would not even prepare it; nothing when it does."""
    try:
        db.execute(f"EXPLAIN {sql}", (None,) * sql.count("?"))
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if sys.argv[1:2] != ["record"] or len(sys.argv) != 3:
        sys.exit("usage: schema_contract.py record VERSION")
    print(record(sys.argv[2]))
