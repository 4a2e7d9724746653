"""Where the privileged half of updates keeps what it must forget at the next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge import config
from edge.update_root import INCOMING, STATE, powers_of

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
