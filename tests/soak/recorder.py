"""Builds the recorder (iolog.c) with the machine's own compiler and runs a program under it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_name("iolog.c")


def has_compiler() -> bool:
    return shutil.which("gcc") is not None


def build(folder: Path) -> Path:
    """Compile the recorder. Errors: CalledProcessError."""
    library = folder / "iolog.so"
    if not library.exists():
        subprocess.run(["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def run(library: Path, root: Path, notes: Path, words: list[str], **extra: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m WORDS` with every change below `root` noted."""
    watched = {"LD_PRELOAD": str(library), "IOLOG_ROOT": str(root), "IOLOG_FILE": str(notes), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env={**os.environ, **watched, **extra},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
