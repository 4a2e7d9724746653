"""Where the privileged half of updates keeps its own, what it believes of the settings, and what it leaves behind."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from edge import config
from edge.release import MAX_BUNDLE, Running
from edge.update_helper import Powers, serve, taken_over
from edge.update_root import INCOMING, STATE, powers_of
from edge.update_settings import UpdateSettings

SETTINGS = """
site = "QJ-0001"
name = "金溪村服务点"
profile = "shelf_only"
data_dir = "data"
language = "zh"
sim = {sim}

[[shelf]]
name = "A"
levels = 1
positions = 4

[panel]
width = 1280
height = 800
diagonal_inch = 10.1
"""


def load(folder: Path, text: str) -> config.Settings:
    file = folder / "point.toml"
    file.write_text(text, "utf-8")
    return config.load(file)


@pytest.mark.parametrize("sim", ["true", "false"])
def test_on_an_image_a_restart_forgets_what_was_armed_also_with_simulated_devices(tmp_path: Path, sim: str) -> None:
    powers = powers_of(load(tmp_path, SETTINGS.format(sim=sim)))

    assert (powers.incoming, powers.state) == (INCOMING, STATE)
    assert STATE.is_relative_to("/run")


def test_an_image_that_is_only_played_stays_in_its_folder(tmp_path: Path) -> None:
    played = SETTINGS.format(sim="true") + '\n[update]\nimage_file = "village-image"\n'

    settings = load(tmp_path, played)
    powers = powers_of(settings)

    assert powers.state.parent == powers.incoming.parent == settings.data_dir


def test_on_an_image_the_settings_name_neither_what_runs_nor_whose_signature_counts(tmp_path: Path) -> None:
    """They belong to the kiosk's user, who could else put an older release on, and have root write in its folders."""
    usual = UpdateSettings(image_file=tmp_path / "of-the-image", keyring=tmp_path / "keyring-of-the-image.pem")
    usual.image_file.write_text("VERSION=0.5.0\nCOMPATIBLE=village-terminal-arm64\n")
    (tmp_path / "village-image").write_text("VERSION=0.0.1\nCOMPATIBLE=village-terminal-arm64\n")
    claimed = SETTINGS.format(sim="true") + '\n[update]\nimage_file = "village-image"\nkeyring = "own.pem"\n'

    powers = powers_of(load(tmp_path, claimed), usual)

    assert powers.running == Running("0.5.0", "village-terminal-arm64")
    assert (powers.keyring, powers.incoming, powers.state) == (usual.keyring, INCOMING, STATE)


def asked_to_install(folder: Path, size: int) -> tuple[Powers, str]:
    """Let a file that is no release be installed. Return where, and the last line of the answer."""
    powers = Powers(
        folder / "update", folder / "incoming", folder / "state", folder / "none.pem", Running("0.1.0", "b")
    )
    powers.folder.mkdir()
    powers.incoming.mkdir()
    (powers.incoming / f"{'0' * 64}.raucb").write_bytes(b"the power went here")
    name = f"{'a' * 64}.raucb"
    (powers.folder / name).touch()
    os.truncate(powers.folder / name, size)
    told = io.StringIO()
    serve(io.StringIO(json.dumps({"do": "install", "file": name})), told, powers, by_root=False)
    return powers, told.getvalue().splitlines()[-1]


def test_a_copy_that_a_power_cut_left_behind_is_cleared_away(tmp_path: Path) -> None:
    powers, answer = asked_to_install(tmp_path, 4_096)

    assert "refused" in answer
    assert list(powers.incoming.iterdir()) == []


def test_a_file_larger_than_any_release_is_not_copied(tmp_path: Path) -> None:
    """Root may write where the kiosk's user may not any more: the last blocks of the disk."""
    powers, answer = asked_to_install(tmp_path, MAX_BUNDLE + 1)

    assert json.loads(answer)["refused"] == "too_large"
    assert list(powers.incoming.iterdir()) == []


def test_what_is_checked_is_not_the_file_that_somebody_still_writes_to(tmp_path: Path) -> None:
    powers = Powers(tmp_path / "update", tmp_path / "incoming", tmp_path / "state", tmp_path / "none.pem", None)
    powers.folder.mkdir()
    name = f"{'a' * 64}.raucb"
    (powers.folder / name).write_bytes(b"checked and found good")

    with (powers.folder / name).open("r+b") as held, taken_over(powers, name) as own:
        held.write(b"an older release, also signed")
        held.flush()
        content, mode = own.read_bytes(), own.stat().st_mode & 0o777

    assert (content, mode) == (b"checked and found good", 0o644)
