"""The harness of the image tests is plain modules; here are the fast tests of its pieces, without an emulator."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parents[1] / "packaging/dev"):
    sys.path.insert(0, str(folder))
