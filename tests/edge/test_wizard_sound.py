"""The wizard's loudspeaker step over ALSA itself: the tape is heard by the test, and its count is said."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from drivers.speaker import AlsaSpeaker
from edge.flows.site import Site
from edge.model import OperatorId
from edge.steps.wizard import WizardNow
from edge.workbench.wizard_trials import Came, Hands, sound
from tests.tapes import heard, tape

pytestmark = [
    pytest.mark.skipif(shutil.which("aplay") is None, reason="alsa-utils is missing: packaging/setup.sh"),
    pytest.mark.logs("speaker"),
]


class Dice:
    """Falls as it is told."""

    def __init__(self, code: int) -> None:
        self._code = code

    def code(self) -> str:
        return f"{self._code:06d}"


def tried(pcm: str, file: Path, code: int, *answers: str) -> tuple[Came, list[int]]:
    """Go through the step; "heard" is answered with what is on the tape. Return the end, and the counts heard."""
    counts: list[int] = []

    async def life() -> Came:
        hands = Hands(cast("Site", None), cast("Any", Dice(code)), OperatorId("t-1"), "r1", lambda: True, lambda: True)
        said = iter(answers)
        async for told in sound(hands, AlsaSpeaker("speaker", pcm), WizardNow("sound:speaker", "busy")):
            if isinstance(told, Came):
                return told
            if told.stage == "choose":
                counts.append(sum(pitch > 1000 for pitch, _ in heard(file)))
                answer = next(said)
                hands.answers.put_nowait(str(counts[-1]) if answer == "heard" else answer)
        raise AssertionError("the step did not end")

    return asyncio.run(asyncio.wait_for(life(), 30)), counts


@pytest.mark.parametrize("code", [0, 1, 2])
def test_who_counts_the_high_tones_passes(tmp_path: Path, code: int) -> None:
    file = tmp_path / "tape.wav"
    came, counts = tried(tape(file), file, code, "heard")

    assert counts == [code + 1]
    assert (came.result, came.detail) == ("done", str(code + 1))


def test_it_is_heard_again_as_often_as_wanted(tmp_path: Path) -> None:
    file = tmp_path / "tape.wav"
    came, counts = tried(tape(file), file, 1, "again", "again", "heard")

    assert counts == [2, 2, 2]
    assert came.result == "done"


def test_another_count_or_nothing_heard_fails(tmp_path: Path) -> None:
    file = tmp_path / "tape.wav"

    assert tried(tape(file), file, 1, "3")[0] == Came("failed", "wrong", "3 != 2")
    assert tried(tape(file), file, 1, "none")[0] == Came("failed", "none")


def test_without_a_card_nobody_is_asked(tmp_path: Path) -> None:
    came, counts = tried("hw:CARD=nobody", tmp_path / "tape.wav", 1)

    assert came == Came("failed", "none")
    assert counts == []
