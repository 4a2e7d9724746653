"""The sample district and the stand that runs it: what a newcomer meets first."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from paho.mqtt import client as mqtt

from drivers.sim.settings import read_bench
from edge import codes, config
from sync.hub import config as hub_config
from sync.hub import manifest

ROOT = Path(__file__).parents[2]
DEV = ROOT / "packaging/dev"
DAY = date(2026, 11, 22)
PATIENCE_S = 20.0


def room(name: str) -> ModuleType:
    """Load a script of packaging/dev; the folder is no package."""
    if str(DEV) not in sys.path:
        sys.path.insert(0, str(DEV))
    return importlib.import_module(name)


sample, district, ports, stand = room("sample"), room("district"), room("ports"), room("stand")


def until(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


# -- the sample ------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_district() -> None:
    assert sample.manifest(DAY) == sample.manifest(DAY)
    assert sample.manifest(DAY) != sample.manifest(DAY, seed=1)


def test_sample_has_the_promised_counts() -> None:
    rows = sample.manifest(DAY)

    assert {name: len(part) for name, part in rows.items()} == {"parcels": 60, "bills": 30, "notices": 3}
    consents = [parcel["consent"] for parcel in rows["parcels"]]
    assert consents.count("none") == 8
    assert set(consents) == {"locker", "shelf", "none"}
    assert sorted({bill["kind"] for bill in rows["bills"]}) == ["gas", "power", "water"]


def test_nothing_in_the_sample_is_there_twice() -> None:
    rows = sample.manifest(DAY)

    for part, key in (("parcels", "waybill_no"), ("bills", "bill_id"), ("notices", "notice_id")):
        assert len({row[key] for row in rows[part]}) == len(rows[part])
    phones = {parcel["phone"] for parcel in rows["parcels"]}
    assert len({phone[-4:] for phone in phones}) == len(phones)


def test_every_waybill_is_read_as_its_own_carrier() -> None:
    misread = []
    for parcel in sample.manifest(DAY)["parcels"]:
        answer = codes.to_json(codes.recognise(parcel["waybill_no"]))
        best = answer["candidates"][0]
        if best["kind"] not in ("waybill", "s10") or best["carrier"] not in (parcel["carrier"], None):
            misread.append((parcel, best))

    assert misread == []


def test_phones_cannot_be_taken_for_real_ones_and_money_is_whole_fen() -> None:
    rows = sample.manifest(DAY)

    assert all(len(parcel["phone"]) == 11 and parcel["phone"][3:7] == "0000" for parcel in rows["parcels"])
    assert all(type(bill["fen"]) is int and bill["fen"] > 0 for bill in rows["bills"])


# -- its files -------------------------------------------------------------------------------------------------


def test_written_settings_are_good_settings(tmp_path: Path) -> None:
    district.write(tmp_path, ports.Ports(18831, 18832), DAY)

    settings = config.load(tmp_path / "point.toml")
    bench = read_bench(tmp_path / "sim.toml")
    hub = hub_config.load(tmp_path / "hub.toml")

    assert settings.hub is not None
    assert settings.cabinet is not None
    assert settings.hub.port == 18832
    assert len(settings.hub.link_key()) == 32
    assert (hub.broker.port, hub.keys()) == (18831, {sample.SITE: settings.hub.link_key()})
    assert [settings.cabinet.cells.count(size) for size in "SML"] == [18, 12, 6]
    assert [(part.locker, part.numbers) for part in settings.cabinet.parts] == [
        (board, tuple(cells)) for board, cells in sample.BOARDS.items()
    ]
    speaker = ("speaker", f"alsa://file:'{tmp_path}/run/speaker.wav',wav")  # its other end is a file
    assert {(device.name, device.path) for device in settings.devices} - {speaker} == {
        (name, str(path)) for name, _, path in bench.devices
    }
    assert speaker in {(device.name, device.path) for device in settings.devices}


def test_a_district_with_certificates_holds_no_secret_at_the_point(tmp_path: Path) -> None:
    district.write(tmp_path, ports.Ports(1, 2, 3, 4), DAY, district.Kind(has_tls=True), lambda: "ab" * 32)

    point = config.load(tmp_path / "point.toml").hub
    hub = hub_config.load(tmp_path / "hub.toml")

    assert point is not None
    assert (point.port, point.enrol_port, point.ca_fingerprint) == (2, 4, "ab" * 32)
    assert hub.enrolment is not None
    assert (hub.broker.port, hub.enrolment.broker_port, hub.enrolment.port) == (3, 1, 4)
    assert hub.broker.tls_cert_file == tmp_path / "broker/hub.pem"
    assert not (tmp_path / "link.key").exists()


def test_a_district_that_is_there_stays_as_it_is_with_certificates_or_without(tmp_path: Path) -> None:
    for name, had in (("with", True), ("without", False)):
        district.write(tmp_path / name, ports.Ports(1, 2, 3, 4), DAY, district.Kind(has_tls=had), lambda: "ab" * 32)
        before = (tmp_path / name / "hub.toml").read_bytes(), (tmp_path / name / "point.toml").read_bytes()

        kind = district.Kind(has_tls=not had, database="postgresql:///other")
        district.write(tmp_path / name, ports.Ports(1, 2, 3, 4), DAY, kind, lambda: "cd" * 32)

        assert district.has_tls(tmp_path / name) is had
        assert ((tmp_path / name / "hub.toml").read_bytes(), (tmp_path / name / "point.toml").read_bytes()) == before


def test_new_ports_reach_every_table_that_names_them_and_nothing_else(tmp_path: Path) -> None:
    tls = district.Kind(has_tls=True)
    district.write(tmp_path, ports.Ports(11, 12, 13, 14), DAY, tls, lambda: "ab" * 32)
    before = (tmp_path / "point.toml").read_text() + (tmp_path / "hub.toml").read_text()

    district.write(tmp_path, ports.Ports(21, 22, 23, 24), DAY, tls, lambda: "ab" * 32)

    after = (tmp_path / "point.toml").read_text() + (tmp_path / "hub.toml").read_text()
    expected = before
    for each in (11, 12, 13, 14):
        expected = expected.replace(f"port = {each}\n", f"port = {each + 10}\n").replace(
            f"port = {each} ", f"port = {each + 10} "
        )
    assert after == expected != before


def test_a_second_start_changes_no_file(tmp_path: Path) -> None:
    first = district.write(tmp_path, ports.Ports(18831, 18832), DAY)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}

    second = district.write(tmp_path, ports.Ports(18831, 18832), date(2027, 1, 1))

    assert (first, second) == (True, False)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before


def test_each_district_has_a_link_key_of_its_own_that_nobody_else_may_read(tmp_path: Path) -> None:
    for name in ("a", "b"):
        district.write(tmp_path / name, ports.Ports(1, 2), DAY)

    assert (tmp_path / "a/link.key").read_text() != (tmp_path / "b/link.key").read_text()
    assert (tmp_path / "a/link.key").stat().st_mode & 0o077 == 0


def test_a_folder_too_deep_for_a_socket_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)

    with pytest.raises(ValueError, match="too long"):
        district.write(deep, ports.Ports(1, 2), DAY)

    assert not deep.exists()


def test_ports_are_kept_and_a_taken_one_is_replaced_in_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    chosen = ports.Ports.of(file)
    district.write(tmp_path, chosen, DAY)
    assert ports.Ports.of(file) == chosen

    with socket.create_server(("127.0.0.1", chosen.line)):
        other = ports.Ports.of(file)
    district.write(tmp_path, other, DAY)

    assert other.broker == chosen.broker
    assert other.line not in (chosen.line, chosen.broker, chosen.hub, chosen.reception)
    assert len({other.broker, other.line, other.hub, other.reception}) == 4
    hub = config.load(tmp_path / "point.toml").hub
    assert hub is not None
    assert hub.port == other.line


# -- the stand -------------------------------------------------------------------------------------------------


def connect_code(port: int) -> bool:
    answered = threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_connect = lambda *_: answered.set()
    try:
        client.connect("127.0.0.1", port)
    except OSError:
        return False
    client.loop_start()
    try:
        return answered.wait(3)
    finally:
        client.disconnect()
        client.loop_stop()


def test_the_private_broker_is_reached_through_the_line_and_not_when_it_is_cut(tmp_path: Path) -> None:
    with stand.Stand(tmp_path / "d") as here:
        here.lay_out()
        here.start_broker()
        here.start_line()

        whole = connect_code(here.ports.line)
        here.cut_line()
        cut = connect_code(here.ports.line)
        here.restore_line()

        assert (whole, cut, connect_code(here.ports.line)) == (True, False, True)
    assert not connect_code(here.ports.broker)


def test_a_terminal_of_the_sample_is_let_in_once_and_its_line_is_encrypted(tmp_path: Path) -> None:
    with stand.Stand(tmp_path / "d", kind=district.Kind(has_tls=True)) as here:
        for _, work in here.steps()[:3]:
            work()

        first, second = here.admit(), here.admit()

        assert (first, second) == (True, False)
        assert '"site": "QJ-0001"' in here.point_command("identity")
        here.start_line()
        assert not connect_code(here.ports.line)  # not without encryption
        context = ssl.create_default_context(cafile=str(tmp_path / "d/broker/ca.pem"))
        context.load_cert_chain(tmp_path / "d/point/identity/identity.pem")
        with (
            socket.create_connection(("127.0.0.1", here.ports.line), timeout=PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted,
        ):
            assert encrypted.version() == "TLSv1.3"


def run(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(DEV / "run.py"), "--data", str(folder), *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def is_open(child: subprocess.Popen[str]) -> bool:
    assert child.stdout is not None
    return any("Ctrl-C" in text for text in child.stdout)


def test_ctrl_c_ends_the_simulators_in_order_and_is_no_error(tmp_path: Path) -> None:
    child = run(tmp_path / "d", "--only", "sim")
    assert is_open(child)
    assert (tmp_path / "d/dev/locker").is_char_device()

    child.send_signal(signal.SIGINT)
    said, wrong = child.communicate(timeout=PATIENCE_S)

    assert child.returncode == 0
    assert "stopped in" in said
    assert wrong == ""
    assert not (tmp_path / "d/dev/locker").is_symlink()


def test_two_cannot_run_on_one_folder(tmp_path: Path) -> None:
    first = run(tmp_path / "d", "--only", "sim")
    assert is_open(first)

    second = run(tmp_path / "d", "--only", "sim")
    _, wrong = second.communicate(timeout=PATIENCE_S)
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=PATIENCE_S)

    assert (first.returncode, second.returncode) == (0, 1)
    assert "in use by another make run" in wrong


def test_a_simulator_killed_from_outside_ends_the_run_with_its_name(tmp_path: Path) -> None:
    child = run(tmp_path / "d", "--only", "sim")
    assert is_open(child)
    [sim] = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()

    os.kill(int(sim), signal.SIGKILL)
    _, wrong = child.communicate(timeout=PATIENCE_S)

    assert child.returncode == 1
    assert "sim ended by itself with exit code -9" in wrong


def test_the_programs_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    child = run(tmp_path / "d", "--only", "sim")
    assert is_open(child)
    [sim] = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()

    child.kill()
    child.communicate(timeout=PATIENCE_S)

    assert until(lambda: not Path(f"/proc/{sim}/cmdline").exists() or not Path(f"/proc/{sim}/cmdline").read_bytes())


def test_without_a_display_the_kiosk_draws_offscreen_and_a_choice_of_the_person_stays() -> None:
    environment = room("run").kiosk_environment

    assert environment({"PATH": "/bin"}) == {"PATH": "/bin", "SDL_VIDEODRIVER": "offscreen"}
    assert environment({"DISPLAY": ":0"}) == {"DISPLAY": ":0"}
    assert environment({"SDL_VIDEODRIVER": "kmsdrm"}) == {"SDL_VIDEODRIVER": "kmsdrm"}


def test_the_hub_finds_nothing_wrong_with_the_manifest(tmp_path: Path) -> None:
    district.write(tmp_path, ports.Ports(1, 2), DAY)

    content = manifest.read(tmp_path / "manifest.json")
    assert content == sample.manifest(DAY)
    assert list(manifest.check(content)) == []
