"""Support bundles: nothing of a person in them, readable for the district alone, bounded, and opened with care."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_first_start import SITE, Blank
from tls_district import TlsDistrict

from edge import bills, guard, keys, logs, parcels
from edge import support as gathering
from edge.carrying import Carrying
from edge.carrying import Place as StickPlace
from edge.cli import main
from edge.clock import SystemClock, SystemDice
from edge.config import load
from edge.events import BillIssued, ParcelExpected
from edge.house import House, point_of
from edge.model import AccountNo, Address, BillId, Fen, Name, OperatorId, Phone, Role, WaybillNo
from edge.outward import Outward
from edge.parcels import Arrival
from edge.setup import begin
from edge.store import Store
from sync import kept, support, x509

PHONE, NAME, STREET, ACCOUNT, PIN, HELP = (
    "13812345678",
    "欧阳秀英",
    "金溪村3组12号",
    "5002390001",
    "271828",
    "023-79220000",
)
CARD = """\
# help: 欧阳秀英 13812345678
site = "QJ-0001"
name = "金溪村服务点"
profile = "shelf_only"
language = "zh"
help_phone = "023-79220000"
[[shelf]]
name = "A"
levels = 1
positions = 2
"""


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsDistrict]:
    made = TlsDistrict(tmp_path_factory.mktemp("district"))
    made.start_reception()
    yield made
    made.stop()


@pytest.fixture
def blank(district: TlsDistrict, tmp_path: Path) -> Blank:
    """A terminal that was let in and has its settings."""
    made = Blank(district, tmp_path)
    made.card(CARD)
    made.approved()
    while not made.beginning.is_done:
        made.turn()
    return made


def work(blank: Blank) -> str:
    """A day with people in it; return the code of the parcel."""
    settings = load(blank.place.config)
    store = Store(settings.data_dir, SystemClock(), SystemDice(), keys.load(settings))
    store.open()
    try:
        store.run_now(begin, settings)
        store.run_now(guard.add_operator, OperatorId("op1"), Role.OPERATOR, guard.hash_pin(PIN, store.keys.device))
        expected = ParcelExpected(
            "p1", "SF1234567890123", "SF", Name(NAME), Phone(PHONE), Address(STREET), "shelf", "S"
        )
        store.run_now(parcels.expected, expected)
        store.run_now(parcels.take_in, Arrival(WaybillNo("SF1234567890123"), "SF", OperatorId("op1"), "shelf"))
        due = BillIssued("B1", "供电所", "power", AccountNo(ACCOUNT), Name(NAME), None, "2026-02", 8650, "2026-03-31")
        store.run_now(bills.issued, due)
        store.run_now(bills.accept, BillId("B1"), Fen(8650), OperatorId("op1"))
        return str(store.run_now(lambda tx: tx.value("SELECT code FROM parcel")))
    finally:
        store.close()


def opened(blank: Blank, folder: Path) -> dict[str, str]:
    """Make a bundle by the command and open it by the hub's."""
    assert main(["support-bundle", "--out", str(folder), "--config", str(blank.place.config)]) == 0
    [file] = folder.glob("*.vpsupport")
    [told] = blank.district.hub("support", "open", str(file))
    return {each.name: each.read_text("utf-8") for each in Path(told["folder"]).iterdir()}


def test_a_bundle_has_what_helps_and_nothing_of_a_person(
    blank: Blank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = work(blank)
    settings = load(blank.place.config)
    before = logging.getLogger().handlers[:]
    logs.set_up(settings.data_dir / "log")
    logging.getLogger("drivers").warning("led: no answer from board 3 for %s (%s)", NAME, PHONE)
    for handler in logging.getLogger().handlers:
        handler.close()
    logging.getLogger().handlers = before
    with (settings.data_dir / "log" / "point.log").open("a") as spoiled:
        spoiled.write(f"2026-07-01 09:30:00 INFO x: written past the mask: {PHONE} {NAME} {code}\n")
    out = tmp_path / "out"
    out.mkdir()

    files = opened(blank, out)

    capsys.readouterr()
    everything = "\n".join(f"{name}\n{text}" for name, text in files.items())
    for secret in (PHONE, NAME, NAME[:2], STREET, ACCOUNT, code, HELP, "79220000", PIN):
        assert secret not in everything, secret
    link, device = (settings.data_dir / "identity" / "link.key"), (settings.data_dir / "device.key")
    assert link.read_text().strip() not in everything
    assert device.read_text().strip() not in everything
    assert {"about.json", "doctor.json", "settings.txt", "facts.jsonl", "log-0.txt", "machine-os-release"} <= set(files)
    assert json.loads(files["about.json"])["site"] == SITE
    assert json.loads(files["about.json"])["watchdog"] == gathering.watchdog()
    assert "2026-07-01 09:30:00 INFO x: written past" in files["log-0.txt"]
    assert "no answer from board 3" in files["log-0.txt"]
    assert "help_phone = *" in files["settings.txt"]
    assert "shelf.0.levels = 1" in files["settings.txt"]
    kinds = [json.loads(line)["kind"] for line in files["facts.jsonl"].splitlines()]
    assert kinds[-1] == "bill_accepted.1"
    findings = {each["what"] for each in json.loads(files["doctor.json"])}
    assert {"disk", "books", "certificate", "link"} <= findings


def test_it_tells_whether_a_hardware_watchdog_runs(tmp_path: Path) -> None:
    assert gathering.watchdog(tmp_path) == ""
    (tmp_path / "identity").write_text("i6300ESB timer\n")
    (tmp_path / "state").write_text("active\n")

    assert gathering.watchdog(tmp_path) == "i6300ESB timer, active"


def test_only_the_own_district_can_read_it(blank: Blank, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").mkdir()
    other = TlsDistrict(tmp_path / "other")
    main(["support-bundle", "--out", str(tmp_path), "--config", str(blank.place.config)])
    capsys.readouterr()
    [file] = tmp_path.glob("*.vpsupport")

    assert b"point.log" not in file.read_bytes()
    assert other.hub_code("support", "open", str(file))[0] == 1
    assert blank.district.hub_code("support", "open", str(file))[0] == 0


def test_a_terminal_without_settings_or_hub_says_who_cannot_read_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["support-bundle", "--config", str(tmp_path / "none.toml"), "--data", str(tmp_path)])

    assert code == 1
    assert "nobody to seal a bundle for" in capsys.readouterr().err


def test_a_log_without_end_is_cut_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    for number in range(9):
        (tmp_path / "log" / f"point.log.{number}").write_text("word\n" * 400_000 + "the end\n")

    files = gathering.files(gathering.Told({}), tmp_path, None)

    found = [text for name, text in files.items() if name.startswith("log-")]
    assert len(found) == gathering.LOG_FILES
    assert all(len(text) <= gathering.LOG_BYTES + 1 and text.endswith(b"the end\n") for text in found)
    assert sum(map(len, files.values())) < support.MAX_PLAIN


def packed(*entries: tuple[str, bytes, bytes]) -> bytes:
    """A gzip of a tar with (name, content, type) entries, sealed by nobody."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content, kind in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue())


HOSTILE = {
    "a way out of the folder": packed(("../evil", b"x", tarfile.REGTYPE)),
    "an absolute name": packed(("/etc/evil", b"x", tarfile.REGTYPE)),
    "a link": packed(("link", b"", tarfile.SYMTYPE)),
    "too many files": packed(*((f"f{n}", b"", tarfile.REGTYPE) for n in range(99))),
    "a bomb": gzip.compress(bytes(80 * 1024 * 1024)),
    "no archive": b"nothing",
    "half an archive": packed(("a", b"x" * 9000, tarfile.REGTYPE))[:-30],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_bundle_is_refused(name: str) -> None:
    key = x509.new_key()
    raw = support.MAGIC + x509.seal(x509.public_of(key), HOSTILE[name], support.PURPOSE)

    with pytest.raises(support.BadBundle):
        support.opened(raw, lambda sealed, purpose: x509.unseal(key, sealed, purpose))


def test_a_file_of_holes_is_refused_and_not_filled(tmp_path: Path) -> None:
    """Holes cost nothing in the archive and everything in memory."""
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    made = subprocess.run(
        ["tar", "--sparse", "--format=gnu", "-C", tmp_path, "-c", "holes"], capture_output=True, check=True
    )
    key = x509.new_key()
    raw = support.MAGIC + x509.seal(x509.public_of(key), gzip.compress(made.stdout), support.PURPOSE)

    with pytest.raises(support.BadBundle):
        support.opened(raw, lambda sealed, purpose: x509.unseal(key, sealed, purpose))


def test_what_is_sealed_for_one_purpose_does_not_open_for_another() -> None:
    key = x509.new_key()
    sealed = x509.seal(x509.public_of(key), b"secret", b"one")

    with pytest.raises(x509.BadPem):
        x509.unseal(key, sealed, b"another")
    assert x509.unseal(key, sealed, b"one") == b"secret"


def test_the_sticks_page_writes_a_bundle_and_beside_the_facts_a_copy_of_the_books(
    blank: Blank, capsys: pytest.CaptureFixture[str]
) -> None:
    work(blank)
    settings = load(blank.place.config)
    clock = SystemClock()
    store = Store(settings.data_dir, clock, SystemDice(), keys.load(settings))
    store.open()
    try:
        house = House(store, clock, [], lambda _step: None)
        house.point = point_of(settings)
        outward = Outward(settings, store, house, clock)
        link_key = store.keys.link
        carrying = Carrying(StickPlace(blank.place.sticks, plain=True), link_key, store, lambda: None, outward)

        bundled = asyncio.run(carrying.bundle("USB1"))
        written = asyncio.run(carrying.write("USB1"))
        gone = asyncio.run(carrying.bundle("USB2"))
    finally:
        store.close()

    assert (bundled.what, written.what, gone.what) == ("bundled", "written", "not_a_folder")
    [file] = blank.stick.glob("*.vpsupport")
    [told] = blank.district.hub("support", "open", str(file))
    assert {"about.json", "doctor.json", "facts.jsonl", "settings.txt"} <= set(told["files"])
    [copy] = kept.on(blank.stick, link_key)
    assert kept.head_of(copy, link_key).end.upto == written.facts
