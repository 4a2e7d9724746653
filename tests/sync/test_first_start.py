"""A blank terminal beside a real reception, until its settings are written; and what it says of each wrong profile."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tls_district import HOST, TlsDistrict

from edge import first_app
from edge.clock import SystemClock
from edge.first_app import Looker, prove
from edge.first_files import Place
from edge.first_start import Beginning
from edge.mistakes import Problem, mistake
from edge.steps.first import FirstStart, ProfileRefused
from sync.profile import Profile, signed
from ui.bridge import Bridge
from ui.mistakes import lines_of

PANEL = {"width": 1280, "height": 800, "diagonal_inch": 10.1, "fullscreen": False}
SITE = "QJ-0001"
PROFILE = """\
site = "QJ-0001"
name = "金溪村服务点"
profile = "shelf_only"
language = "zh"
[[shelf]]
name = "A"
levels = 1
positions = 2
[devices.led]
kind = "onbon"
path = "/dev/null"
"""


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsDistrict]:
    made = TlsDistrict(tmp_path_factory.mktemp("district"))
    made.start_reception()
    yield made
    made.stop()


OPTION_LINE = 1 + PROFILE.count("\n")  # where a line after the profile stands


class Blank:
    """A card that was never started, with a folder for each place a technician puts files."""

    def __init__(self, district: TlsDistrict, folder: Path) -> None:
        self.district = district
        self.place = Place(folder / "etc" / "point.toml", folder / "data", folder / "boot", folder / "media")
        self.stick = self.place.sticks / "USB1"
        for each in (self.place.data_dir, self.place.boot, self.stick):
            each.mkdir(parents=True)
        self.anew()

    def anew(self) -> None:
        """As after a power cut: nothing but the disk is left."""
        self.beginning = Beginning(self.place, PANEL, prove, SystemClock())

    def district_toml(self, folder: Path, **changes: str | int) -> None:
        values: dict[str, str | int] = {
            "host": HOST, "port": self.district.port, "enrol_port": self.district.reception_port,
            "ca_fingerprint": self.district.authority.fingerprint(),
        }  # fmt: skip
        table = "\n".join(f"{name} = {json.dumps(value)}" for name, value in (values | changes).items())
        (folder / "district.toml").write_text(f'phone = "023-1234"\n[hub]\n{table}\n', "utf-8")

    def card(self, text: str) -> None:
        (self.place.boot / "point.toml").write_text(text, "utf-8")

    def turn(self) -> FirstStart:
        return self.beginning.turn()

    def approved(self, site: str = SITE) -> FirstStart:
        """Let it in; return what it says next."""
        self.district_toml(self.place.boot)
        code = self.turn().code
        self.district.hub("approve", code, "--site", site, "--replace")
        return self.turn()


@pytest.fixture
def blank(district: TlsDistrict, tmp_path: Path) -> Blank:
    return Blank(district, tmp_path)


def set_profile(district: TlsDistrict, folder: Path, text: str, site: str = SITE) -> tuple[int, list[dict[str, Any]]]:
    file = folder / "profile.toml"
    file.write_text(text, "utf-8")
    return district.hub_code("profile", "set", "--site", site, str(file))


def stick_profile(there: TlsDistrict, folder: Path, name: str = "a.vpprofile", **changes: Any) -> Path:
    """A profile signed by the district's authority, as `village-hub profile write` does it."""
    authority = there.authority
    values = {
        "site": SITE, "district": authority.fingerprint(), "device": "", "number": 7, "made": 1, "until": 0,
        "text": PROFILE,
    } | changes  # fmt: skip
    file = folder / name
    file.write_bytes(signed(Profile(**values), authority.certificate(), authority.sign))
    return file


# --- the district's file ------------------------------------------------------------------------------------------


def test_without_a_file_of_the_district_it_says_so_and_asks_nobody(blank: Blank) -> None:
    told = blank.turn()

    assert (told.state, told.file) == ("no_district", str(blank.place.boot))
    assert told.code == ""


def test_every_mistake_of_the_districts_file_is_told_with_its_line(blank: Blank) -> None:
    (blank.place.boot / "district.toml").write_text('languag = "zh"\n[hub]\nhost = "a b!"\nport = 0\n', "utf-8")

    told = blank.turn()

    assert told.state == "bad_district"
    assert [(each.line, each.key) for each in told.mistakes] == [
        (1, "languag"), (2, "hub.ca_fingerprint"), (3, "hub.host"), (4, "hub.port")
    ]  # fmt: skip


def test_a_district_file_that_no_terminal_would_read_takes_no_good_ones_place(blank: Blank) -> None:
    blank.district.hub("district", str(blank.stick), "--phone", "023-1234")
    good = (blank.stick / "district.toml").read_bytes()

    code, said = blank.district.hub_code("district", str(blank.stick), "--phone", "ask the desk")

    assert (code, said) == (2, [])
    assert (blank.stick / "district.toml").read_bytes() == good


def test_a_districts_file_from_a_stick_is_kept_when_the_stick_is_pulled(blank: Blank) -> None:
    blank.district_toml(blank.stick)

    first = blank.turn()
    (blank.stick / "district.toml").unlink()
    second = blank.turn()

    assert first.state == second.state == "waiting"
    assert first.code == second.code != ""
    assert first.phone == "023-1234"


def test_the_code_is_shown_before_there_is_a_line_and_is_the_one_the_desk_sees_later(blank: Blank) -> None:
    blank.district_toml(blank.place.boot, enrol_port=1)
    offline = blank.turn()
    blank.district_toml(blank.place.boot)
    online = blank.turn()

    assert (offline.state, online.state) == ("line", "waiting")
    assert offline.code == online.code
    assert offline.code in {each["code"] for each in blank.district.hub("enrolments")}


def test_another_hub_than_the_cards_is_told_nothing_and_the_right_card_puts_it_right(blank: Blank) -> None:
    blank.district_toml(blank.place.boot, ca_fingerprint="0" * 64)
    wrong = blank.turn()
    blank.district_toml(blank.place.boot)
    right = blank.turn()

    assert (wrong.state, right.state) == ("wrong_hub", "waiting")
    assert wrong.code != right.code


def test_a_terminal_of_another_district_says_so(blank: Blank) -> None:
    blank.approved()
    blank.district_toml(blank.place.boot, ca_fingerprint="0" * 64)

    assert blank.turn().state == "other_district"


def test_after_a_no_it_can_ask_with_another_code(blank: Blank) -> None:
    blank.district_toml(blank.place.boot)
    code = blank.turn().code
    blank.district.hub("refuse", code)
    refused = blank.turn()

    blank.beginning.ask_anew()
    again = blank.turn()

    assert (refused.state, again.state) == ("refused", "waiting")
    assert again.code != code


# --- profiles -----------------------------------------------------------------------------------------------------


def test_after_the_approval_it_waits_for_a_profile_and_takes_the_hubs(blank: Blank, tmp_path: Path) -> None:
    waiting = blank.approved("QJ-0002")
    code, [kept] = set_profile(blank.district, tmp_path, PROFILE.replace(SITE, "QJ-0002"), "QJ-0002")
    told = blank.turn()

    assert (waiting.state, waiting.site, waiting.refusals) == ("no_profile", "QJ-0002", ())
    assert (code, kept["number"]) == (0, 1)
    assert told.state == "starting"
    assert blank.beginning.is_done
    text = blank.place.config.read_text("utf-8")
    assert f'data_dir = "{blank.place.data_dir}"' in text
    assert f'ca_fingerprint = "{blank.district.authority.fingerprint()}"' in text
    assert blank.place.config.stat().st_mode & 0o777 == 0o600
    [version] = blank.district.hub("profile", "history", "--site", "QJ-0002")
    assert (version["number"], version["said"]) == (1, "used")


def test_a_profile_on_the_card_is_used_after_the_approval_alone(blank: Blank) -> None:
    blank.district_toml(blank.place.boot)
    blank.card(PROFILE)
    waiting = blank.turn()
    there = blank.place.config.exists()
    blank.district.hub("approve", waiting.code, "--site", SITE, "--replace")
    blank.turn()

    assert (waiting.state, waiting.may_go_on, there) == ("waiting", True, False)
    assert "金溪村服务点" in blank.place.config.read_text("utf-8")


def test_a_technician_at_a_new_site_goes_on_without_the_hub(blank: Blank) -> None:
    blank.district_toml(blank.place.boot, enrol_port=1)
    blank.card(PROFILE)
    before = blank.turn()
    blank.beginning.go_on()
    blank.turn()

    assert (before.state, before.may_go_on) == ("line", True)
    assert blank.beginning.is_done


def test_a_card_for_a_point_without_a_hub_needs_nobody(blank: Blank) -> None:
    blank.card(PROFILE)

    assert blank.turn().state == "starting"
    assert "[hub]" not in blank.place.config.read_text("utf-8")


def test_a_whole_settings_file_on_the_card_names_its_hub_itself(blank: Blank) -> None:
    hub = f'[hub]\nhost = "{HOST}"\nport = 1\nenrol_port = {blank.district.reception_port}\n'
    blank.card(PROFILE + hub + f'ca_fingerprint = "{blank.district.authority.fingerprint()}"\n')

    assert (blank.turn().state, blank.turn().may_go_on) == ("waiting", True)


WRONG_CARDS = {
    "other_site": (PROFILE.replace(SITE, "QJ-0002"), ProfileRefused("card", "other_site", "QJ-0002")),
    "other_district": (
        PROFILE + f'[hub]\nhost = "h"\nport = 1\nca_fingerprint = "{"ab" * 32}"\n',
        ProfileRefused("card", "other_district", "abababab"),
    ),
    "not_toml": ("site = \n", ProfileRefused("card", "invalid", "", (Problem(1, "file", mistake("toml_value")),))),
}


@pytest.mark.parametrize("name", WRONG_CARDS)
def test_a_wrong_profile_on_the_card_is_refused_by_its_own_word(blank: Blank, name: str) -> None:
    text, refusal = WRONG_CARDS[name]
    blank.approved()
    blank.card(text)

    told = blank.turn()

    assert told.refusals[:1] == (refusal,)


def test_every_mistake_of_a_profile_is_told_also_options_that_only_a_driver_knows(blank: Blank) -> None:
    blank.district_toml(blank.place.boot)
    blank.card(PROFILE.replace("levels = 1", "levels = 0").replace('"zh"', '"de"'))
    [settings] = blank.turn().refusals
    blank.card(PROFILE + "heigth = 3\n")
    [options] = blank.turn().refusals

    assert [(each.line, each.key) for each in settings.mistakes] == [(4, "language"), (7, "shelf.levels")]
    assert options.word == "invalid"
    assert lines_of(options.mistakes)[0].startswith(f"{OPTION_LINE}: devices.led.heigth: is not one of ")


def test_the_newest_signed_profile_on_a_stick_is_used_without_the_hub_having_one(blank: Blank) -> None:
    waiting = blank.approved()
    stick_profile(blank.district, blank.stick, "old.vpprofile", number=2, text=PROFILE.replace("金溪村", "旧村"))
    stick_profile(blank.district, blank.stick, "new.vpprofile", number=10)
    stick_profile(blank.district, blank.stick, "other.vpprofile", number=11, site="QJ-0002")

    blank.turn()

    assert waiting.state == "no_profile"
    assert "金溪村服务点" in blank.place.config.read_text("utf-8")


def altered(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"positions = 2", b"positions = 9"))


WRONG_STICKS: dict[str, tuple[dict[str, Any], Callable[[Path], object] | None, ProfileRefused]] = {
    "other_site": ({"site": "QJ-0009"}, None, ProfileRefused("stick", "other_site", "QJ-0009")),
    "other_device": ({"device": "AAAA-BBBB-CCCC"}, None, ProfileRefused("stick", "other_device", "AAAA-BBBB-CCCC")),
    "other_district": ({"district": "0" * 64}, None, ProfileRefused("stick", "other_district")),
    "expired": ({"until": 1_000_000_000}, None, ProfileRefused("stick", "expired")),
    "altered": ({}, altered, ProfileRefused("stick", "altered")),
    "damaged": ({}, lambda file: os.truncate(file, 300), ProfileRefused("stick", "damaged")),
    "version": (
        {}, lambda file: file.write_bytes(file.read_bytes().replace(b'profile": 1', b'profile": 2')),
        ProfileRefused("stick", "version"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_STICKS)
def test_a_wrong_profile_on_a_stick_is_refused_by_its_own_word(blank: Blank, name: str) -> None:
    changes, spoil, refusal = WRONG_STICKS[name]
    blank.approved("QJ-0001")
    blank.place.config.unlink(missing_ok=True)
    file = stick_profile(blank.district, blank.stick, **changes)
    if spoil is not None:
        spoil(file)

    assert blank.turn().refusals[:1] == (refusal,)


def test_the_hub_checks_a_profile_with_the_terminals_rules_and_hears_what_only_the_terminal_knows(
    blank: Blank, tmp_path: Path
) -> None:
    foreign, _ = set_profile(blank.district, tmp_path, PROFILE.replace(SITE, "QJ-0002"))
    mistaken, _ = set_profile(blank.district, tmp_path, PROFILE.replace("levels = 1", "levels = 0"))
    option, [kept] = set_profile(blank.district, tmp_path, PROFILE + "heigth = 3\n")
    told = blank.approved()
    said = blank.district.hub("profile", "history", "--site", SITE)[-1]

    assert (foreign, mistaken, option) == (1, 2, 0)
    assert [(each.source, each.word) for each in told.refusals] == [("hub", "invalid")]
    assert not blank.place.config.exists()
    assert (said["number"], said["said"]) == (kept["number"], "invalid")
    assert said["mistakes"][0].startswith(f"{OPTION_LINE}: devices.led.heigth: is not one of ")


def test_a_look_that_takes_long_is_well_as_long_as_it_gets_on(
    district: TlsDistrict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the watchdog ends it in the middle, again and again."""
    blank, bridge = Blank(district, tmp_path), Bridge()
    looker = Looker(blank.beginning, bridge, pause_s=60)
    looker.start()
    try:
        monkeypatch.setattr(first_app, "SLOW_S", 0.0)
        assert not looker.is_alive
        blank.beginning.got_on_at = time.monotonic() + 60
        assert looker.is_alive
    finally:
        bridge.stop()
        looker.stop()
