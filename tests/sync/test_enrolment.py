"""Letting a terminal in: the key is made on it, a code is approved, nothing secret can be read or put in between."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tls_district import SITES, TlsDistrict

from sync import x509
from sync.enrol import EnrolFault

SITE, OTHER = SITES


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsDistrict]:
    made = TlsDistrict(tmp_path_factory.mktemp("district"))
    made.start_reception()
    yield made
    made.stop()


def test_a_device_is_let_in_by_its_code(district: TlsDistrict) -> None:
    terminal = district.terminal("let-in")
    waiting = terminal.enroller.ask(SITE)
    assert (waiting.state, waiting.qr) == ("waiting", f"VPCLAIM:1:{waiting.code}")
    assert [each["code"] for each in district.hub("enrolments") if each["state"] == "waiting"] == [waiting.code]
    district.hub("approve", waiting.code.lower().replace("-", " "), "--site", SITE, "--replace")
    granted = terminal.enroller.ask(SITE)
    assert (granted.state, granted.site) == ("granted", SITE)
    assert terminal.identity.certificate().name == SITE
    assert terminal.identity.link_file.read_text() == (district.folder / "keys" / SITE).read_text()
    assert not (terminal.identity.folder / "claim.key").exists()


def test_secrets_of_a_terminal_are_for_its_owner_alone(district: TlsDistrict) -> None:
    terminal = district.enrolled(SITE, "modes")
    assert stat.S_IMODE(terminal.identity.folder.stat().st_mode) == 0o700
    modes = {
        file.name: stat.S_IMODE(file.stat().st_mode)
        for file in (terminal.identity.pair_file, terminal.identity.link_file)
    }
    assert set(modes.values()) == {0o600}
