"""Mistakes of settings as the command line says them."""

from __future__ import annotations

from drivers.mistakes import Unfit
from edge.mistakes import ConfigError, Mistake
from ui.mistakes import printed, sentence


def english(error: BaseException) -> str:
    """Every mistake on a line of its own; what a driver alone refuses, with its key."""
    if isinstance(error, Unfit):
        return "\n".join(f"{each.key} {sentence(Mistake(each.code, each.values), 'en')}" for each in error.wrong)
    assert isinstance(error, ConfigError)
    return printed(error)
