"""A real private broker, a line that can be cut, and hubs and points to join by them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside the tests: tests/ is no package

from hub_places import KINDS, Places, PostgresPlaces, SqlitePlaces
from private_broker import MOSQUITTO, HubProcess, PrivateBroker, free_port
from private_postgres import PrivatePostgres, program

from edge.clock import SystemClock, SystemDice
from edge.model import SiteCode
from sync.hub.store import HubStore

__all__ = ["MOSQUITTO", "Forwarder", "HubProcess", "PrivateBroker", "free_port"]

SITE = SiteCode("QJ-0001")
KEY = bytes(range(32))


class Forwarder:
    """A TCP line that can be frozen (half open: nothing moves, nothing breaks) and cut."""

    CHUNK = 65_536  # bytes looked at in one

    def __init__(self, upstream_port: int) -> None:
        self._upstream = upstream_port
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def close(self) -> None:
        self._server.close()
        self.cut()
        ending = list(self._tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self.cut()
        await asyncio.sleep(0)  # the loop closes aborted sockets in its next turn

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        joining = asyncio.current_task()
        self._tasks.add(joining)
        joining.add_done_callback(self._tasks.discard)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        self._writers.add(there_writer)
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.ensure_future(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def lets_pass(self, size: int) -> bool:  # noqa: ARG002  for those who look at it
        """Wait as long as the line makes so many bytes wait; False tears this connection. For lines of other kinds."""
        await self._flows.wait()
        return True

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while (chunk := await source.read(self.CHUNK)) and await self.lets_pass(len(chunk)):
                sink.write(chunk)
                await sink.drain()
        except (ConnectionError, OSError):
            pass
        finally:
            self._writers.discard(sink)
            sink.transport.abort()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[PrivateBroker]:
    private = PrivateBroker(tmp_path)
    private.start()
    yield private
    private.kill()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PrivatePostgres]:
    """One server for the whole run."""
    if program("initdb") is None:
        pytest.skip("PostgreSQL is missing: packaging/setup.sh installs it")
    server = PrivatePostgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(params=KINDS)
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Places]:
    """Where this test's hubs keep their rows; every test that asks runs on both kinds."""
    if request.param == "sqlite":
        yield SqlitePlaces(tmp_path)  # pytest keeps the folders of the last runs
        return
    databases = PostgresPlaces(request.getfixturevalue("postgres_server"), tmp_path)
    yield databases
    databases.drop()


@pytest.fixture
def open_hub(places: Places) -> Iterator[Callable[..., HubStore]]:
    """Open a hub's database in a place of this test; all are closed at its end."""
    opened: list[HubStore] = []

    def opening(name: str = "hub", keys: dict[SiteCode, bytes] | None = None) -> HubStore:
        store = HubStore(places.database(name), SystemClock(), SystemDice(), keys or {SITE: KEY})
        store.open()
        opened.append(store)
        return store

    yield opening
    for store in opened:
        store.close()


@pytest.fixture
def hub_files(tmp_path: Path, broker: PrivateBroker, places: Places) -> Path:
    """Settings of a hub on the private broker, as a technician writes them."""
    (tmp_path / "link.key").write_text(KEY.hex() + "\n")
    file = tmp_path / "hub.toml"
    file.write_text(
        places.setting("hubdata")
        + f'[broker]\nhost = "127.0.0.1"\nport = {broker.port}\n'
        + f'[sites.{SITE}]\nname = "金溪村服务点"\nlink_key_file = "link.key"\n'
    )
    return file


@pytest.fixture
def hub_process(hub_files: Path) -> Iterator[HubProcess]:
    process = HubProcess(hub_files)
    yield process
    process.kill()
