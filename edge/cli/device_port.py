"""`village-point device probe --port PATH`: what hangs on this one port? Reads only; nothing is opened or moved.

The search itself is drivers/probe.py. Only the port that was named is touched, and only when no kiosk has it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import Any

from drivers.base import NotThere
from drivers.probe import SURE, Finding, Patience, probe
from edge.cli.common import CONFIG_VARIABLE, DONE, REFUSED, emit, ended, settings_of
from edge.cli.device_run import no_kiosk
from edge.config import Settings

LISTEN_S = Patience().listen_s


def run(arguments: argparse.Namespace) -> int:
    """Search, one JSON object per family, the surest first. Exit 0 when exactly one is sure, else 1."""
    path: str = arguments.port
    _is_ours(arguments, path)
    if "://" not in path and not Path(path).is_char_device():
        raise NotThere(path, "there is no such port" if not Path(path).exists() else "is no serial port")
    findings = asyncio.run(probe(path, Patience(arguments.listen)))
    for finding in findings:
        emit(_as_json(finding))
    sure = [finding.kind for finding in findings if finding.sure >= SURE]
    what = f"several families are sure: {', '.join(sure)}" if sure else "no family is sure"
    return ended(DONE if len(sure) == 1 else REFUSED, f"{path}: {what}")


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "family": finding.kind,
        "answered": finding.answered,
        "sure": round(finding.sure, 2),
        "why": finding.why,
        "write": dict(finding.settings) or None,
    }


def _is_ours(arguments: argparse.Namespace, path: str) -> None:
    """Errors: NotThere for a port of a configuration whose kiosk runs: a network address can be dialled by two."""
    if getattr(arguments, "config", None) or os.environ.get(CONFIG_VARIABLE):
        settings = settings_of(arguments, only_devices=True)
        if _named(settings, path):
            no_kiosk(settings)


def _named(settings: Settings, path: str) -> bool:
    return any(each.path == path or _same(each.path, path) for each in settings.devices)


def _same(one: str, other: str) -> bool:
    return "://" not in one + other and os.path.realpath(one) == os.path.realpath(other)
