"""Make the settings of a simulated hub: points SIM-00001 and on, their keys from one seed, in a folder of its own.

    simulated.py FOLDER --sites N [--host "H1 H2"] [--port P] [--protocol 3.1.1] [--qos 0] [--database URL] [--shards K]

The seed is made once and stays in the folder; the keys lie in files as those of real points do. `village-hub simulate`
plays the points, `village-hub run` serves them.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.model import SiteCode
from sync.hub.cli_simulate import PREFIX
from sync.hub.simulation.life import key_of

SEED, LIST, SETTINGS, KEYS = "seed", "sites.csv", "hub.toml", "keys"


def lay_out(folder: Path, sites: int, broker: Mapping[str, str | int], work: Mapping[str, str | int]) -> Path:
    """Write all of it; return the settings file. Shape: `broker` and `work` are the tables [broker] and [hub]."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    seed_file = folder / SEED
    if not seed_file.exists():
        seed_file.touch(mode=0o600)
        seed_file.write_bytes(secrets.token_bytes(32))
    seed = seed_file.read_bytes()
    (folder / KEYS).mkdir(mode=0o700, exist_ok=True)
    codes = [SiteCode(f"{PREFIX}{number:05d}") for number in range(1, sites + 1)]
    for code in codes:
        file = folder / KEYS / code
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(key_of(seed, code).hex() + "\n", "ascii")
    (folder / LIST).write_text("".join(f"{code},{code},{KEYS}/{code}\n" for code in codes), "utf-8")
    tables = [f'data_dir = "data"\nsites_list = "{LIST}"\n', _table("broker", broker)]
    settings = folder / SETTINGS
    settings.write_text("\n".join([*tables, _table("hub", work)] if work else tables), "utf-8")
    return settings


def _table(name: str, values: Mapping[str, str | int]) -> str:
    lines = [f"{key} = {value}" if isinstance(value, int) else f'{key} = "{value}"' for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sites", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--protocol", choices=("5", "3.1.1"), default="5")
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1)
    parser.add_argument("--database", metavar="URL")
    parser.add_argument("--shards", type=int, default=1)
    given = parser.parse_args()
    broker: dict[str, str | int] = {"host": given.host, "port": given.port, "protocol": given.protocol}
    broker |= {"qos": given.qos}
    work: dict[str, str | int] = {"database": given.database} if given.database else {}
    work |= {"shards": given.shards} if given.shards > 1 else {}
    print(lay_out(given.folder, given.sites, broker, work))


if __name__ == "__main__":
    main()
