"""The loudspeaker over the real player and ALSA's own file output: what would be heard is read back and counted."""

from __future__ import annotations

import asyncio
import gc
import logging
import shutil
import stat
from pathlib import Path

import pytest

from drivers.base import Health, NoAnswer, NotThere, Tone
from drivers.build import DeviceSettings, build
from drivers.faults import Fault
from drivers.mistakes import Unfit
from drivers.speaker import MAX_WAITING, AlsaSpeaker
from drivers.wire import tones
from tests.links import LoopClock
from tests.tapes import heard, tape

needs_player = pytest.mark.skipif(shutil.which("aplay") is None, reason="alsa-utils is missing: packaging/setup.sh")


def program(folder: Path, text: str) -> str:
    """A player of this test's own."""
    file = folder / "player"
    file.write_text("#!/bin/sh\n" + text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


@needs_player
@pytest.mark.parametrize(("wanted", "pitches"), [
    ([Tone.ACCEPTED], [1320]), ([Tone.REFUSED], [440]), ([Tone.ACCEPTED] * 3 + [Tone.REFUSED], [1320, 1320, 1320, 440]),
])  # fmt: skip
def test_what_is_sounded_is_on_the_tape_to_be_counted(tmp_path: Path, wanted: list[Tone], pitches: list[int]) -> None:
    speaker = AlsaSpeaker("speaker", tape(tmp_path / "tape.wav"))
    asyncio.run(speaker.sound(wanted))
    sounds = heard(tmp_path / "tape.wav")

    assert [pitch for pitch, _ in sounds] == pytest.approx(pitches, abs=20)
    assert [length > 0.3 for _, length in sounds] == [tone is Tone.REFUSED for tone in wanted]
    assert (speaker.status().health, speaker.status().fault) == (Health.OK, None)


@needs_player
def test_a_card_that_is_not_there_is_told_by_status_and_comes_back(tmp_path: Path) -> None:
    async def life() -> tuple[Fault | None, Health]:
        speaker = AlsaSpeaker("speaker", "hw:CARD=nobody")
        with pytest.raises(NotThere):
            await speaker.sound([Tone.ACCEPTED])
        away = speaker.status().fault
        speaker._pcm = tape(tmp_path / "tape.wav")
        await speaker.signal(True)
        return away, speaker.status().health

    assert asyncio.run(life()) == (Fault.NO_PORT, Health.OK)


@pytest.mark.parametrize(("text", "fault"), [
    ("echo 'aplay: main:831: audio open error: Device or resource busy' >&2; exit 1", Fault.HELD),
    ("echo 'aplay: main:831: audio open error: Permission denied' >&2; exit 1", Fault.NO_RIGHT),
    ("echo 'ALSA lib pcm.c: Unknown PCM nobody' >&2; exit 1", Fault.NO_PORT),
    ("exit 3", Fault.PORT_ERROR),
])  # fmt: skip
def test_what_the_player_says_becomes_a_fault(tmp_path: Path, text: str, fault: Fault) -> None:
    speaker = AlsaSpeaker("speaker", "default", program(tmp_path, text))
    with pytest.raises(NotThere):
        asyncio.run(speaker.sound([Tone.ACCEPTED]))

    assert (speaker.status().health, speaker.status().fault) == (Health.AWAY, fault)


@pytest.mark.parametrize("text", ["exit 3", "sleep 0.2; exit 3", "head -c 1000 >/dev/null; exit 3"])
def test_a_player_that_hangs_up_in_the_sound_leaves_no_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    speaker = AlsaSpeaker("speaker", "default", program(tmp_path, text))
    with pytest.raises(NotThere):
        asyncio.run(speaker.sound([Tone.REFUSED] * 12))  # more than a pipe holds
    gc.collect()

    assert [
        record.message for record in caplog.records if record.name == "asyncio" and record.levelno > logging.DEBUG
    ] == []


def test_without_the_player_the_status_says_so(tmp_path: Path) -> None:
    speaker = AlsaSpeaker("speaker", "default", str(tmp_path / "nobody"))
    with pytest.raises(NotThere):
        asyncio.run(speaker.sound([]))

    assert speaker.status().fault is Fault.NO_LIBRARY


def test_a_card_that_hangs_is_given_up_and_nothing_stays_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.speaker.GRACE_S", 0.1)
    speaker = AlsaSpeaker("speaker", "default", program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60"))
    with pytest.raises(NoAnswer):
        asyncio.run(speaker.sound([Tone.ACCEPTED]))

    assert speaker.status().fault is Fault.SILENT
    pid = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists()


def test_a_flood_of_signals_is_bounded(tmp_path: Path) -> None:
    async def life() -> int:
        speaker = AlsaSpeaker("speaker", "default", program(tmp_path, f"cat >/dev/null; echo x >> {tmp_path}/count"))
        await asyncio.gather(*[speaker.signal(True) for _ in range(50)])
        return len((tmp_path / "count").read_text().split())

    assert asyncio.run(life()) == MAX_WAITING


@needs_player
def test_started_from_settings_it_looks_and_ends_in_order(tmp_path: Path) -> None:
    async def life() -> Health:
        speaker = build(DeviceSettings("speaker", "alsa_speaker", "alsa://" + tape(tmp_path / "t.wav")), LoopClock())
        await speaker.start()
        async with asyncio.timeout(10):
            while speaker.status().fault is Fault.STARTING:
                await asyncio.sleep(0.02)
        await speaker.stop()
        await speaker.stop()
        return speaker.status().health

    assert asyncio.run(life()) is Health.OK


def test_a_path_that_is_no_output_is_refused_in_words() -> None:
    with pytest.raises(Unfit, match="path: alsa_path"):
        build(DeviceSettings("speaker", "alsa_speaker", "/dev/snd/pcmC0D0p"), LoopClock())


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_samples_are_within_their_bounds_and_as_long_as_said(count: int) -> None:
    made = tones.samples([Tone.ACCEPTED, Tone.REFUSED] * count)

    assert len(made) / tones.RATE == pytest.approx(tones.seconds([Tone.ACCEPTED, Tone.REFUSED] * count), abs=0.001)
    assert max(map(abs, made)) <= 32_767
    assert not any(made[: round(tones.LEAD_S * tones.RATE)])
