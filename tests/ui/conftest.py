"""Paths for the samples and the screens' driver; one kiosk in its own process for the touch tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
