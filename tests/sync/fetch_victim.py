"""Fetches a release slowly, to be killed at any moment: folder, identity, port, fingerprint, sheet."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from edge.release import Running, choose
from edge.update_fetch import Fetching, Pace, pieces, sheet
from sync.enrol import Desk, Enroller
from sync.identity import Identity
from sync.true_time import TrueTime

folder, identity, port, fingerprint, name = sys.argv[1:6]
clock = TrueTime(time.time, lambda: int(time.monotonic() * 1000))
voice = Enroller(Desk("127.0.0.1", int(port), fingerprint), Identity(Path(identity)), clock)
offer = choose(sheet(voice, name), Running("0.1.0", "village-terminal-amd64"))
listed = pieces(voice, offer)
print("begun", flush=True)
Fetching(Path(folder), offer, listed, voice).run(
    Pace(60_000, lambda: True, time.sleep, lambda: int(time.monotonic() * 1000))
)
