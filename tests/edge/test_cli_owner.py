"""What a technician does as root at a point leaves nothing that the kiosk's own account cannot open."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from plain_point import CONFIG

from edge.cli import main
from edge.update_folder import by_hand

KIOSK = 64_000  # an account that this machine need not have

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as the technician is")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "point.toml"
    file.write_text(CONFIG)
    (tmp_path / "data").mkdir(mode=0o700)
    os.chown(tmp_path / "data", KIOSK, KIOSK)
    return file


def owners(folder: Path) -> dict[str, int]:
    return {str(each.relative_to(folder)): each.lstat().st_uid for each in folder.rglob("*")}


def test_people_backups_and_checkups_of_root_leave_the_kiosk_its_folder(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("270415\n"))
    commands = (
        ["operator", "add", "--id", "op1", "--role", "operator", "--pin-stdin"], ["backup"], ["status"],
        ["doctor"], ["restore"], ["log", "verify"],
    )  # fmt: skip
    codes = [main([*words, "--config", str(config)]) for words in commands]

    found = owners(config.parent / "data")
    capsys.readouterr()
    assert codes[:3] == [0, 0, 0]
    assert {"device.key", "point.db", "backup"} <= found.keys()
    assert set(found.values()) == {KIOSK}


def test_the_folder_of_releases_is_the_kiosks_also_when_an_installation_was_refused(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = config.parent / "data" / "update"
    with by_hand(folder):
        pass

    code = main(["update", "install", str(config), "--force", "--config", str(config)])

    capsys.readouterr()
    assert code == 1
    assert set(owners(config.parent / "data").values()) == {KIOSK}


def test_nothing_outside_is_given_away(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The kiosk's account may lay whatever it wants into its folder."""
    data, secret = config.parent / "data", config.parent / "secret"
    secret.mkdir()
    (secret / "key").write_text("root's own")
    (data / "link").symlink_to(secret / "key")
    (data / "folder").symlink_to(secret)
    (data / "second-name").hardlink_to(secret / "key")

    main(["status", "--config", str(config)])

    capsys.readouterr()
    assert (secret / "key").stat().st_uid == secret.stat().st_uid == 0


def test_a_folder_of_root_stays_roots(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.chown(config.parent / "data", 0, 0)

    main(["status", "--config", str(config)])
    main(["backup", "--config", str(config)])

    capsys.readouterr()
    assert set(owners(config.parent / "data").values()) <= {0}
