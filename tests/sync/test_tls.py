"""TLS to a real broker: who gets in, which topics are whose, and by which word each refusal is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Forwarder
from memory_logs import MemoryPort
from points import Point
from test_mqtt import QUICK, doors, running, until
from tls_district import HOST, SITES, Terminal, TlsDistrict

from edge.clock import SystemClock
from edge.model import SiteCode
from sync.dial import Tls
from sync.enrol import EnrolFault
from sync.hub import report
from sync.hub.app import Hub, HubOutside
from sync.link import Link
from sync.mqtt import Broker, Connection, LineLost, Will
from sync.port import LinkInfo, LinkSettings, Outside
from sync.relay import digest
from sync.renewal import Renewal
from sync.wire import Topics
from sync.x509 import Subject

SITE, OTHER = SITES
DAY = timedelta(days=1)
WAIT_S = 0.4  # nothing more comes over a loopback after this


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsDistrict]:
    made = TlsDistrict(tmp_path_factory.mktemp("district"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def terminal(district: TlsDistrict) -> Terminal:
    return district.enrolled(SITE)


@pytest.fixture(scope="module")
def other(district: TlsDistrict) -> Terminal:
    return district.enrolled(OTHER)


def tls_of(terminal: Terminal) -> Tls:
    at = terminal.identity
    return Tls(at.authority_file, at.pair_file, at.pair_file, terminal.time.now_s)


def pair_tls(district: TlsDistrict, folder: Path, pair: bytes) -> Tls:
    file = folder / "pair.pem"
    file.write_bytes(pair)
    return Tls(district.broker_dir / "ca.pem", file, file)


def hub_tls(district: TlsDistrict) -> Tls:
    return Tls(district.broker_dir / "ca.pem", district.broker_dir / "hub.pem", district.broker_dir / "hub.pem")


def line(port: int, tls: Tls | None, *, name: str = "x", protocol: int = 5, host: str = HOST) -> Connection:
    will = Will(Topics(SiteCode(name)).state, b"gone")
    return Connection(Broker(host, port, tls=tls, protocol=protocol, keepalive_s=2), f"vp-{name}", will, 5.0)


async def heard(connection: Connection, wait_s: float = WAIT_S) -> list[tuple[str, bytes]]:
    """Everything that comes within the time."""
    got: list[tuple[str, bytes]] = []
    try:
        async with asyncio.timeout(wait_s):
            while True:
                message = await connection.next_message()
                got.append((message.topic, message.payload))
                connection.done(message)
    except TimeoutError:
        return got


async def refusal(connection: Connection) -> str | None:
    with pytest.raises(LineLost) as caught:
        async with connection:
            await connection.next_message()
    return caught.value.word


# --- the access list ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [5, 4])
def test_a_terminal_is_heard_on_its_own_topics_alone(
    district: TlsDistrict, terminal: Terminal, other: Terminal, protocol: int
) -> None:
    async def play() -> tuple[list[str], int]:
        async with (
            line(district.loopback_port, hub_tls(district), name="hub", protocol=protocol) as hub,
            line(district.port, tls_of(terminal), name=SITE, protocol=protocol) as own,
        ):
            await hub.subscribe(["vp/#"])
            await heard(hub)  # what was kept from earlier
            for site in (SITE, OTHER):
                topics = Topics(SiteCode(site))
                for topic in (topics.up, topics.down_ack, topics.state, topics.up_ack, topics.down):
                    own.publish(topic, b"mine")
            own.publish("vp/hub/state", b"mine")
            got = await heard(hub)
            return sorted(topic for topic, payload in got if payload == b"mine"), own.refusals

    topics, refusals = asyncio.run(play())
    assert topics == [f"vp/{SITE}/down/ack", f"vp/{SITE}/state", f"vp/{SITE}/up"]
    assert refusals == (8 if protocol == 5 else 0)  # 3.1.1 has no way to say so


@pytest.mark.parametrize("protocol", [5, 4])
def test_a_terminal_hears_its_own_topics_alone(
    district: TlsDistrict, terminal: Terminal, other: Terminal, protocol: int
) -> None:
    async def play() -> list[tuple[str, bytes]]:
        async with (
            line(district.loopback_port, hub_tls(district), name="hub", protocol=protocol) as hub,
            line(district.port, tls_of(terminal), name=SITE, protocol=protocol) as own,
        ):
            own_topics = [Topics(SiteCode(SITE)).up_ack, Topics(SiteCode(SITE)).down]
            await own.subscribe(own_topics)
            for wide in ("vp/#", f"vp/{OTHER}/down", "#", "vp/+/down"):
                with suppress(LineLost):  # refused, or granted and silent: what counts is what comes
                    await own.subscribe([wide])
            await heard(own)
            for site in (SITE, OTHER):
                hub.publish(Topics(SiteCode(site)).down, site.encode())
            return await heard(own)

    got = asyncio.run(play())
    assert {payload for _, payload in got} == {SITE.encode()}


def test_the_access_list_knows_every_topic_of_a_point() -> None:
    from sync.hub.broker_files import ANY, TERMINAL_READS, TERMINAL_WRITES

    names = [name for name, value in vars(Topics).items() if isinstance(value, property)]
    assert sorted(TERMINAL_READS + TERMINAL_WRITES) == sorted(getattr(Topics(ANY), name) for name in names)


def test_a_terminal_throws_no_other_off_by_its_client_id(
    district: TlsDistrict, terminal: Terminal, other: Terminal
) -> None:
    async def play() -> None:
        async with line(district.port, tls_of(terminal), name=SITE) as own:
            async with line(district.port, tls_of(other), name=SITE):  # says it were the first one
                await heard(own)
            own.publish(Topics(SiteCode(SITE)).up, b"still here")
            await heard(own)

    asyncio.run(play())


# --- who gets in ----------------------------------------------------------------------------------------------------


def test_each_refused_certificate_has_its_word(district: TlsDistrict, terminal: Terminal, tmp_path: Path) -> None:
    expired = pair_tls(district, tmp_path, district.issue(Subject(SITE), -9 * DAY, -DAY))
    assert asyncio.run(refusal(line(district.port, expired))) == "expired"
    nobody = Tls(district.broker_dir / "ca.pem")
    assert asyncio.run(refusal(line(district.port, nobody))) in ("no_certificate", None)


def test_a_certificate_of_another_district_is_unknown_and_its_hub_is_the_wrong_one(
    district: TlsDistrict, terminal: Terminal, tmp_path: Path
) -> None:
    elsewhere = TlsDistrict(tmp_path)
    alien = pair_tls(district, tmp_path, elsewhere.issue(Subject(SITE), timedelta(), DAY))
    assert asyncio.run(refusal(line(district.port, alien))) == "unknown"
    strange = Tls(elsewhere.broker_dir / "ca.pem", terminal.identity.pair_file, terminal.identity.pair_file)
    assert asyncio.run(refusal(line(district.port, strange))) == "wrong_hub"


def test_a_broker_of_another_name_is_the_wrong_hub(district: TlsDistrict, terminal: Terminal) -> None:
    assert asyncio.run(refusal(line(district.port, tls_of(terminal), host="127.0.0.2"))) in ("wrong_hub", None)


def test_a_line_that_is_down_has_no_word(district: TlsDistrict, terminal: Terminal) -> None:
    async def play() -> list[str | None]:
        forwarder = Forwarder(1)  # nobody listens behind it
        await forwarder.open()
        words = [await refusal(line(forwarder.port, tls_of(terminal))), await refusal(line(1, tls_of(terminal)))]
        await forwarder.close()
        return words

    assert asyncio.run(play()) == [None, None]


# --- the real link --------------------------------------------------------------------------------------------------


class Secured:
    """The link of an enrolled terminal, with facts in memory and its renewal."""

    def __init__(self, district: TlsDistrict, terminal: Terminal, *, protocol: int = 5) -> None:
        key = bytes.fromhex(terminal.identity.link_file.read_text())
        self.point = Point(key)
        self.port = MemoryPort(self.point.disk)
        self.seen: list[LinkInfo] = []
        site = SiteCode(terminal.identity.certificate().name)
        broker = Broker(HOST, district.port, tls=tls_of(terminal), protocol=protocol, keepalive_s=2)
        self.renewal = Renewal(terminal.enroller, terminal.identity, terminal.time, lambda: 0.5, self._begin_anew)
        outside = Outside(SystemClock().ms, lambda: 0.5, self.seen.append, on_refused=self.renewal.put_right)
        self.link = Link(LinkSettings(site, broker, key, "0.1.0", QUICK), self.port, outside)

    def _begin_anew(self) -> None:
        self.link.begin_anew()

    @property
    def is_drained(self) -> bool:
        return self.point.disk.cursor == self.point.disk.head()

    def happened(self, count: int, name: str) -> None:
        self.point.happened(*doors(count, name))
        self.port.news.set()


def secured_hub(district: TlsDistrict, open_hub: Any, protocol: int = 5) -> tuple[Any, Hub]:
    district.stop("broker")  # what it kept of an earlier test is no answer to this one
    district.start_broker()
    keys = {SiteCode(site): bytes.fromhex((district.folder / "keys" / site).read_text()) for site in SITES}
    store = open_hub(keys=keys)
    broker = Broker(HOST, district.loopback_port, tls=hub_tls(district), protocol=protocol, keepalive_s=2)
    return store, Hub(store, broker, HubOutside(lambda: 0.5, lambda: None, QUICK))


def digest_of(store: Any, site: str) -> str:
    return str(next(each["digest"] for each in report.status(store)["sites"] if each["site"] == site))


@pytest.mark.parametrize("protocol", [5, 4])
def test_two_terminals_drain_over_tls_with_the_keys_they_were_given(
    district: TlsDistrict, terminal: Terminal, other: Terminal, open_hub: Any, protocol: int
) -> None:
    store, hub = secured_hub(district, open_hub, protocol)
    first, second = (Secured(district, each, protocol=protocol) for each in (terminal, other))
    first.happened(450, "a")
    second.happened(30, "b")

    async def play() -> None:
        async with running(hub.run(), first.link.run(), second.link.run()):
            await until(lambda: first.is_drained and second.is_drained, "both drained")

    asyncio.run(play())
    assert digest_of(store, SITE) == digest(first.point.disk.events())
    assert digest_of(store, OTHER) == digest(second.point.disk.events())


def test_a_revoked_terminal_loses_its_line_at_once_and_says_why(district: TlsDistrict, open_hub: Any) -> None:
    store, hub = secured_hub(district, open_hub)
    side = Secured(district, district.enrolled(OTHER, "stolen"))
    side.happened(3, "before")

    async def play() -> None:
        async with running(hub.run(), side.link.run()):
            await until(lambda: side.is_drained, "drained")
            told = await asyncio.to_thread(district.hub, "revoke", OTHER)
            assert told[0]["cut_off"] == {OTHER: True}
            await until(lambda: side.link.info.trouble == "revoked", "told as revoked")
            side.happened(2, "after")
            await asyncio.sleep(1.0)  # some tries
            assert not side.is_drained
            assert not side.link.info.connected
            district.stop("broker")
            await until(lambda: side.link.info.trouble is None, "a line that is down is nothing but that")
            district.start_broker()
            await until(lambda: side.link.info.trouble == "revoked", "the list outlives the broker")

    asyncio.run(play())
    assert report.status(store)["sites"][1]["facts"] == 3


def test_a_revoked_terminal_gets_no_new_certificate(district: TlsDistrict) -> None:
    terminal = district.enrolled(OTHER, "revoked-renewal")
    district.hub("revoke", terminal.identity.certificate().serial)
    with pytest.raises(EnrolFault) as caught:
        terminal.enroller.renew()
    assert caught.value.word == "revoked"


def test_a_terminal_renews_in_the_last_third_and_goes_on_with_the_new_one(
    district: TlsDistrict, open_hub: Any, tmp_path: Path
) -> None:
    _, hub = secured_hub(district, open_hub)
    terminal = district.enrolled(SITE, "renewing")
    side = Secured(district, terminal)
    old = terminal.identity.certificate()
    assert not side.renewal.is_due()

    async def play() -> None:
        async with running(hub.run(), side.link.run()):
            await until(lambda: side.link.info.online, "online")
            assert await side.renewal.renew()
            await until(lambda: not side.link.info.connected, "the old line ends")
            side.happened(5, "n")
            await until(lambda: side.is_drained, "drained with the new certificate")

    asyncio.run(play())
    new = terminal.identity.certificate()
    assert new.serial != old.serial
    assert new.public_key != old.public_key
    assert (new.name, new.device) == (old.name, old.device)


# --- clocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("years", [-10, 10])
def test_a_clock_ten_years_off_is_told_and_does_not_keep_the_terminal_away(
    district: TlsDistrict, open_hub: Any, years: int
) -> None:
    _, hub = secured_hub(district, open_hub)
    terminal = district.enrolled(SITE, f"clock{years}")
    side = Secured(district, terminal)
    terminal.time.forget()
    terminal.wall_ahead_s = years * 365 * 86_400.0
    side.happened(5, "c")

    async def play() -> None:
        async with running(hub.run(), side.link.run()):
            await until(lambda: side.is_drained, "drained by the hub's time")

    asyncio.run(play())
    assert "hub_clock" in {info.trouble for info in side.seen}
    assert side.link.info.trouble is None
    assert round(side.renewal.life().clock_off_s / 86_400 / 365) == years


def test_a_clock_that_is_off_stays_told_while_the_reception_is_away(district: TlsDistrict, open_hub: Any) -> None:
    terminal = district.enrolled(SITE, "no-reception")
    terminal.time.forget()
    terminal.wall_ahead_s = -3_650 * 86_400.0
    side = Secured(district, terminal)
    district.stop("reception")

    async def play() -> None:
        async with running(side.link.run()):
            await until(lambda: side.link.info.trouble == "hub_clock", "told")

    try:
        asyncio.run(play())
    finally:
        district.start_reception()


def test_the_hubs_time_cannot_lead_back_before_our_own_certificate(district: TlsDistrict, tmp_path: Path) -> None:
    terminal = district.enrolled(SITE, "led-back")
    future = district.issue(Subject(SITE), 400 * DAY, 500 * DAY)  # as if it had been given in a year
    terminal.identity.pair_file.write_bytes(future)
    with pytest.raises(EnrolFault) as caught:
        terminal.enroller.ask_time()
    assert caught.value.word == "wrong_hub"
