"""The rounds of scan_in.py where each sync is as slow as a card's (slow_sync.c, preloaded); prints the rates as JSON.

scan_in_card.py FOLDER ROUNDS
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scan_in import CELLS, Rates

EVENTS = 2 * CELLS  # of a round: at 5 ms they take long enough

if __name__ == "__main__":
    if "slow_sync" not in os.environ.get("LD_PRELOAD", ""):
        sys.exit("not preloaded: see slow_sync.c")
    print(json.dumps(asyncio.run(Rates(Path(sys.argv[1]), int(sys.argv[2]), EVENTS).taken())))
