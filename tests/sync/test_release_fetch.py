"""A release comes over a bad line from the hub's real reception: it goes on where it stopped, whatever ended it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bundles import BOARD, Releasing, needs_rauc
from conftest import Forwarder
from tls_district import ROOT, SITES, Terminal, TlsDistrict

from edge.release import PIECE, Offer, Running, Unfit, choose
from edge.update_fetch import Fetching, Interrupted, Pace, pieces, sheet
from edge.update_folder import PART, by_hand, tidy
from sync.enrol import EnrolFault

pytestmark = needs_rauc
SITE = SITES[0]
CONTENT = random.Random(1).randbytes(6 * PIECE)
FAST = 10_000_000  # kbit/s


def pace(may_go_on: Callable[[], bool] = lambda: True, kbit: int = FAST) -> Pace:
    return Pace(kbit, may_go_on, time.sleep, lambda: int(time.monotonic() * 1000))


@pytest.fixture(scope="module")
def releasing(tmp_path_factory: pytest.TempPathFactory) -> Releasing:
    return Releasing(tmp_path_factory.mktemp("releasing"))


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory, releasing: Releasing) -> Iterator[TlsDistrict]:
    made = TlsDistrict(tmp_path_factory.mktemp("district"))
    (made.folder / "release-keyring.pem").write_bytes(releasing.keyring.read_bytes())
    made.start_reception()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def sheet_name(district: TlsDistrict, releasing: Releasing) -> str:
    file = releasing.bundle("0.2.0", CONTENT)
    (told,) = district.hub("release", "add", str(file))
    assert (told["version"], told["compatible"], told["bytes"]) == ("0.2.0", BOARD, file.stat().st_size)
    return str(told["sheet"])


@pytest.fixture(scope="module")
def terminal(district: TlsDistrict) -> Terminal:
    made = district.enrolled(SITE)
    made.enroller.ask_time()
    return made


@pytest.fixture
def offer(terminal: Terminal, sheet_name: str) -> Offer:
    return choose(sheet(terminal.enroller, sheet_name), Running("0.1.0", BOARD))


def test_it_comes_whole(district: TlsDistrict, terminal: Terminal, offer: Offer, tmp_path: Path) -> None:
    fetching = Fetching(tmp_path, offer, pieces(terminal.enroller, offer), terminal.enroller)

    done = fetching.run(pace())

    assert done.read_bytes() == (district.folder / "hub" / "releases" / offer.sha256).read_bytes()
    assert (fetching.came, fetching.left()) == (offer.size, 0)
    assert fetching.run(pace()) == done  # asked again: nothing comes
    assert fetching.came == offer.size


@pytest.mark.parametrize("kept", [0, 2 * PIECE + 100])
def test_a_file_put_on_by_hand_that_a_power_cut_left_half_is_made_whole(
    terminal: Terminal, offer: Offer, tmp_path: Path, kept: int
) -> None:
    """It bears the name of a whole one; believed as it is, the order would be refused for good."""
    names = pieces(terminal.enroller, offer)
    whole = Fetching(tmp_path / "whole", offer, names, terminal.enroller).run(pace()).read_bytes()
    half = Fetching(tmp_path, offer, names, terminal.enroller)
    half.done.write_bytes(whole[:kept].ljust(offer.size, b"\0"))

    done = half.run(pace())

    assert done.read_bytes() == whole
    assert half.came == offer.size - kept // PIECE * PIECE


class Dropping:
    """The hub's voice whose line ends after some bytes, again and again."""

    def __init__(self, terminal: Terminal, after: Iterator[int]) -> None:
        self._voice = terminal.enroller
        self._after = after

    def fetch(self, name: str, span: tuple[int, int] | None, sink: Callable[[bytes], None]) -> None:
        left = next(self._after)

        def take(chunk: bytes) -> None:
            nonlocal left
            sink(chunk[:left])
            left -= len(chunk)
            if left <= 0:
                raise EnrolFault("line", "the line dropped")

        self._voice.fetch(name, span, take)


def test_a_line_that_drops_costs_nothing_that_came(terminal: Terminal, offer: Offer, tmp_path: Path) -> None:
    dice = random.Random(2)
    names = pieces(terminal.enroller, offer)
    line = Dropping(terminal, iter(lambda: dice.randrange(1, PIECE), -1))
    came = drops = 0
    for _ in range(200):
        fetching = Fetching(tmp_path, offer, names, line)
        try:
            fetching.run(pace())
        except EnrolFault:
            drops += 1
        came += fetching.came
        if fetching.left() == 0:
            break

    assert fetching.left() == 0
    assert drops >= 5
    assert came == offer.size


class TornLine(Forwarder):
    """Every connection is torn once `left` bytes have passed, in whatever direction."""

    CHUNK = 4_096
    left = 0

    async def lets_pass(self, size: int) -> bool:
        self.left -= size
        return self.left >= 0


def test_the_real_line_may_be_cut_at_any_moment(
    district: TlsDistrict, terminal: Terminal, offer: Offer, tmp_path: Path
) -> None:
    """TCP connections to the reception are torn in the middle of answers, by a forwarder between the two."""
    names = pieces(terminal.enroller, offer)
    dice = random.Random(4)
    words: list[str] = []

    async def play() -> None:
        line = TornLine(district.reception_port)
        await line.open()
        far = district.terminal("far", port=line.port)
        far.copy_of(terminal.identity.folder)
        for number in range(6):  # five cuts pass less than five of the six pieces, whatever buffers hold
            line.left = dice.randrange(16_384, PIECE) if number < 5 else 10 * offer.size
            fetching = Fetching(tmp_path, offer, names, far.enroller)
            (end,) = await asyncio.gather(asyncio.to_thread(fetching.run, pace()), return_exceptions=True)
            words.append("done" if isinstance(end, Path) else str(getattr(end, "word", end)))
        await line.close()

    asyncio.run(play())

    assert (tmp_path / f"{offer.sha256}.raucb").stat().st_size == offer.size
    assert words == ["line"] * 5 + ["done"]


@pytest.mark.parametrize("spoil", ["zeros at the end", "a flipped bit in an early piece", "longer than the file"])
def test_what_a_power_cut_left_is_believed_only_where_it_fits(
    terminal: Terminal, offer: Offer, tmp_path: Path, spoil: str
) -> None:
    names = pieces(terminal.enroller, offer)
    part = tmp_path / f"{offer.sha256}{PART}"
    stops = iter(range(10_000))
    with pytest.raises(Interrupted):
        Fetching(tmp_path, offer, names, terminal.enroller).run(pace(lambda: next(stops) < 60))
    held = bytearray(part.read_bytes())
    assert 3 * PIECE < len(held) < 5 * PIECE
    match spoil:
        case "zeros at the end":
            held[-PIECE // 2 :] = bytes(PIECE // 2)
        case "a flipped bit in an early piece":
            held[PIECE + 7] ^= 1
        case _:
            held += bytes(offer.size)
    part.write_bytes(held)

    done = Fetching(tmp_path, offer, names, terminal.enroller).run(pace())

    assert done.stat().st_size == offer.size
    assert not part.exists()


def test_a_program_killed_at_any_moment_goes_on(
    district: TlsDistrict, terminal: Terminal, sheet_name: str, offer: Offer, tmp_path: Path
) -> None:
    """kill -9 in the middle, again and again; the file grows to its end and is right."""
    victim = Path(__file__).parent / "fetch_victim.py"
    command = [sys.executable, victim, tmp_path, terminal.identity.folder, district.reception_port,
               district.authority.fingerprint(), sheet_name]  # fmt: skip
    dice = random.Random(3)
    kills = 0
    for _ in range(60):
        child = subprocess.Popen([str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()  # it begins
        try:
            code = child.wait(dice.uniform(0.02, 0.25) if kills >= 3 else 0.01 * kills)  # three come surely
            assert code == 0
            break
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait(10)
            kills += 1
        finally:
            child.stdout.close()

    assert Fetching(tmp_path, offer, (), terminal.enroller).done.stat().st_size == offer.size
    assert kills >= 3


def test_it_is_never_faster_than_allowed(terminal: Terminal, offer: Offer, tmp_path: Path) -> None:
    began = time.monotonic()
    fetching = Fetching(tmp_path, offer, pieces(terminal.enroller, offer), terminal.enroller)
    with pytest.raises(Interrupted):
        fetching.run(pace(lambda: time.monotonic() - began < 1.0, kbit=4_000))

    assert 0 < fetching.came <= 4_000 / 8 * 1000 * 1.5  # half a megabyte a second, and a second it was


def test_a_full_disk_is_seen_before_a_byte_comes(
    terminal: Terminal, offer: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = os.statvfs(tmp_path)
    full = os.statvfs_result((*room[:4], 10, *room[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _path: full)
    fetching = Fetching(tmp_path, offer, pieces(terminal.enroller, offer), terminal.enroller)

    with pytest.raises(Unfit, match="disk_full"):
        fetching.run(pace())

    assert fetching.came == 0


def test_pieces_are_for_terminals_in_force_alone(district: TlsDistrict, terminal: Terminal, offer: Offer) -> None:
    stranger = district.terminal("stranger")
    stranger.enroller.meet()
    stranger.identity.pair_file.write_bytes(terminal.identity.pair_file.read_bytes())
    got: list[bytes] = []
    stranger.enroller.fetch(offer.sha256, (0, 10), got.append)  # the pair is what counts
    assert b"".join(got) == (district.folder / "hub" / "releases" / offer.sha256).read_bytes()[:10]

    other = district.enrolled(SITES[1])
    district.hub("revoke", SITES[1], "--reason", "stolen")
    with pytest.raises(EnrolFault, match=r".*") as caught:
        other.enroller.fetch(offer.sha256, (0, 10), got.append)
    assert caught.value.word == "revoked"


@pytest.mark.parametrize("span", [(0, PIECE + 1), (0, 10**9), None])
def test_nobody_gets_more_than_a_piece_at_once(terminal: Terminal, offer: Offer, span: tuple[int, int] | None) -> None:
    with pytest.raises(EnrolFault) as caught:
        terminal.enroller.fetch(offer.sha256, span, lambda _chunk: None)

    assert caught.value.word == "not_found"


def test_what_is_no_digest_is_not_found(terminal: Terminal) -> None:
    for name in ("..%2f..%2fhub.db", "0" * 64, "", "A" * 64):
        with pytest.raises(EnrolFault) as caught:
            terminal.enroller.fetch(name, (0, 10), lambda _chunk: None)
        assert caught.value.word == "not_found"


def test_many_at_once_are_served_or_told_to_wait(terminal: Terminal, offer: Offer) -> None:
    words: list[str] = []

    def one() -> None:
        try:
            terminal.enroller.fetch(offer.sha256, (0, PIECE), lambda _chunk: time.sleep(0.01))
        except EnrolFault as fault:
            words.append(fault.word)
        else:
            words.append("served")

    threads = [threading.Thread(target=one) for _ in range(40)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert len(words) == 40
    assert {"served"} <= set(words) <= {"served", "busy"}


def test_a_hub_without_time_is_asked_again(terminal: Terminal, offer: Offer, tmp_path: Path) -> None:
    rests: list[float] = []

    class Busy:
        def fetch(self, name: str, span: tuple[int, int] | None, sink: Callable[[bytes], None]) -> None:
            if len(rests) < 3:
                raise EnrolFault("busy", "no time")
            terminal.enroller.fetch(name, span, sink)

    names = pieces(terminal.enroller, offer)
    Fetching(tmp_path, offer, names, Busy()).run(Pace(FAST, lambda: True, rests.append, lambda: 0))

    assert (tmp_path / f"{offer.sha256}.raucb").exists()
    assert rests[:3] == [5.0, 5.0, 5.0]


def test_files_of_other_releases_are_removed(tmp_path: Path) -> None:
    for name in ("a.raucb", "b.part", "c.raucb", "trial.json"):
        (tmp_path / name).write_text("x")

    tidy(tmp_path, frozenset({"a"}))

    assert sorted(file.name for file in tmp_path.glob("[!.]*")) == ["a.raucb", "trial.json"]


def test_nothing_is_removed_while_a_release_is_put_on_by_hand(tmp_path: Path) -> None:
    (tmp_path / "b.part").write_text("x")

    with by_hand(tmp_path):
        tidy(tmp_path, frozenset())
        assert (tmp_path / "b.part").exists()
        with pytest.raises(Unfit, match="busy"), by_hand(tmp_path):
            raise AssertionError("one at a time")
    tidy(tmp_path, frozenset())

    assert not (tmp_path / "b.part").exists()
