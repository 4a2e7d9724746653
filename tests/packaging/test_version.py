"""One release has one version: what the packages and the image are called is what the running program says."""

from __future__ import annotations

import re
from pathlib import Path

from edge.setup import VERSION

ROOT = Path(__file__).resolve().parents[2]


def test_the_program_tells_the_version_that_it_is_packed_as() -> None:
    packed = re.search(r'(?m)^ *version="(.*)",$', (ROOT / "setup.py").read_text("utf-8"))

    assert packed is not None
    assert packed[1] == VERSION
