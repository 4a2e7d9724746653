"""One MQTT connection on an asyncio loop: open, publish, receive, acknowledge by hand, close. The only import of paho.

What is said on it is decided elsewhere (sync/link.py at the point, sync/hub/app.py at the hub).

No thread is added: paho works on a socket that the loop watches. paho itself would connect and shake hands blocking,
up to several seconds on a dead line while doors wait on the same loop; so the socket is connected (and encrypted) here
without blocking (sync/dial.py) and handed over.

Each connection is a new client with a clean session. The logs at both ends are the queue, and retained answers are
the position: a session kept at the broker would only bring old messages, and paho's own queue would repeat them.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sync.dial import Tls, TlsRefused, open_any
from sync.wire import MAX_PACKED

KEEPALIVE_S = 15  # a half-open line is noticed in about 23 s; with 30 s it took 46 s (measured)
FAREWELL_STEP_S = 0.02
MISC_S = 1.0  # how often paho looks at its keepalive
UNREAD = 1_000  # messages held for the reader; the broker's receive maximum keeps far below
PAUSE = 200  # held this many, the socket is left alone: at QoS 0 only TCP holds the broker back
RECEIVE_MAXIMUM = 64
MAX_PACKET = MAX_PACKED + 4096  # no larger packet is accepted from the broker (MQTT 5)

log = logging.getLogger(__name__)


LOGIN = "login"
_NO_LOGIN = (0x86, 0x87)  # MQTT 5: bad user name or password, not authorized; paho turns those of 3.1.1 into them


class LineLost(ConnectionError):
    """The broker cannot be reached, refused us, or went away.

    `word`: that of TlsRefused when a certificate is why, LOGIN when it takes neither user nor password.
    """

    def __init__(self, message: str, word: str | None = None) -> None:
        super().__init__(message)
        self.word = word


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to be let in. `protocol`: 5, or 4 for a broker that knows only MQTT 3.1.1.

    `host`: one name, or those of a cluster's nodes with blanks between. `qos` 0: nothing is asked of the broker but to
    pass on, and it is to keep nothing; for a cluster whose nodes would vote on each message. Our logs are the queue.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None
    protocol: int = 5
    keepalive_s: int = KEEPALIVE_S
    qos: int = 1

    def nodes(self, client_id: str, turn: int = 0) -> list[str]:
        """The hosts in the order this client tries them: everybody begins elsewhere, and one further with each turn."""
        hosts = self.host.split()
        first = (zlib.crc32(client_id.encode()) + turn) % len(hosts)
        return hosts[first:] + hosts[:first]


@dataclass(frozen=True, slots=True)
class Message:
    """One publication. `retained`: kept by the broker from earlier, so no sign of life."""

    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when we vanish."""

    topic: str
    payload: bytes


class Connection:
    """An open line to the broker. Use as `async with Connection(...)`; entering raises LineLost after `timeout_s`."""

    def __init__(self, broker: Broker, client_id: str, will: Will, timeout_s: float, turn: int = 0) -> None:
        self._broker = broker
        self._nodes = broker.nodes(client_id, turn)
        self._timeout_s = timeout_s
        self._unread: deque[Message] = deque()
        self._news = asyncio.Event()
        self._lost: str | None = None
        self._greeted: asyncio.Future[None] | None = None
        self._is_refused = False
        self._subscribed: asyncio.Future[None] | None = None
        self._misc: asyncio.Task[None] | None = None
        self._client = _Client(broker, client_id, will, self)
        self.refusals = 0  # publications that the broker refused by its access list (only MQTT 5 tells)

    async def __aenter__(self) -> Connection:
        self._greeted = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._timeout_s):
                share_s = self._timeout_s / len(self._nodes)
                self._client.begin(await open_any(self._nodes, self._broker.port, self._broker.tls, share_s))
                self._misc = asyncio.create_task(self._watch_keepalive(), name="mqtt keepalive")
                await self._greeted
        except (OSError, TimeoutError) as error:
            await self._drop()
            word = error.word if isinstance(error, TlsRefused) else LOGIN if self._is_refused else None
            raise LineLost(f"the broker cannot be reached: {error or type(error).__name__}", word) from error
        except BaseException:
            await self._drop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._drop()

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe and wait for the broker's word. Errors: LineLost."""
        self._subscribed = asyncio.get_running_loop().create_future()
        self._check(self._client.subscribe([(topic, self._broker.qos) for topic in topics])[0])
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._subscribed
        except TimeoutError as error:
            raise LineLost("the broker does not answer a subscription") from error

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand a message to the line. That proves nothing; only an answer does. Errors: LineLost."""
        qos = self._broker.qos
        self._check(self._client.publish(topic, payload, qos=qos, retain=retain and qos > 0).rc)

    async def next_message(self) -> Message:
        """Wait for the next publication. Errors: LineLost."""
        while not self._unread:
            if self._lost is not None:
                raise LineLost(self._lost)
            self._news.clear()
            await self._news.wait()
        return self._next()

    def waiting_message(self) -> Message | None:
        """The next publication if it is here already."""
        return self._next() if self._unread else None

    def done(self, message: Message) -> None:
        """Acknowledge to the broker: ours now, committed. Until then it holds back after RECEIVE_MAXIMUM messages."""
        if message.qos > 0 and self._lost is None:
            self._client.ack(message.mid, message.qos)

    async def farewell(self, topic: str, payload: bytes, timeout_s: float) -> None:
        """Publish a last retained word and disconnect in order, within the time, so that the will stays unused."""
        if self._lost is not None:
            return
        published = self._client.publish(topic, payload, qos=self._broker.qos, retain=self._broker.qos > 0)
        for _ in range(max(1, round(timeout_s / FAREWELL_STEP_S))):
            if self._lost is not None or published.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS or published.is_published():
                break
            await asyncio.sleep(FAREWELL_STEP_S)
        if self._lost is None:
            self._client.disconnect()

    # --- called by the client below, on the loop -----------------------------------------------------------------

    def greeted(self, refusal: str | None, *, is_login: bool = False) -> None:
        """The broker answered our CONNECT. `is_login`: it does not know this user, or not this password."""
        self._is_refused = is_login
        _settle(self._greeted, refusal)

    def subscribed(self, refusal: str | None) -> None:
        """The broker answered a subscription."""
        _settle(self._subscribed, refusal)

    def arrived(self, message: Message) -> None:
        """A publication came in."""
        if len(self._unread) >= UNREAD:
            self.lose("the reader does not keep up")
            return
        self._unread.append(message)
        self._news.set()
        if len(self._unread) == PAUSE:
            self._client.pause()

    def lose(self, why: str) -> None:
        """The line is gone. Everyone who waits on it hears of it."""
        if self._lost is None:
            self._lost = why
        self._news.set()
        _settle(self._greeted, why)
        _settle(self._subscribed, why)

    def _next(self) -> Message:
        message = self._unread.popleft()
        if len(self._unread) == PAUSE // 2:
            self._client.go_on()
        return message

    def _check(self, code: MQTTErrorCode) -> None:
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.lose(f"the line is down: {paho.error_string(code)}")
        if self._lost is not None:
            raise LineLost(self._lost)

    async def _watch_keepalive(self) -> None:
        while self._client.loop_misc() is MQTTErrorCode.MQTT_ERR_SUCCESS:
            await asyncio.sleep(MISC_S)
        self.lose("the broker does not answer any more")

    async def _drop(self) -> None:
        self.lose("the line was closed")
        self._client.end()
        if self._misc is not None:
            self._misc.cancel()
            await asyncio.gather(self._misc, return_exceptions=True)


class _Client(paho.Client):
    """paho on a socket that was opened elsewhere and that the running loop watches."""

    def __init__(self, broker: Broker, client_id: str, will: Will, owner: Connection) -> None:
        is_v5 = broker.protocol == 5
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if is_v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        self._broker_settings = broker
        self._owner = owner
        self._ready: socket.socket | None = None
        self._is_paused = False
        if broker.username is not None:
            self.username_pw_set(broker.username, broker.password)
        self.will_set(will.topic, will.payload, qos=broker.qos, retain=broker.qos > 0)
        self.on_connect = self._greeted
        self.on_disconnect = self._disconnected
        self.on_message = self._arrived
        self.on_subscribe = self._answered
        self.on_publish = self._published
        self.on_socket_register_write = self._watch_write
        self.on_socket_unregister_write = self._unwatch_write
        self.on_socket_close = self._unwatch

    def begin(self, ready: socket.socket) -> None:
        """Send CONNECT over this socket and let the loop watch it."""
        self._ready = ready
        asyncio.get_running_loop().add_reader(ready, self._readable)
        settings = self._broker_settings
        if settings.protocol == 5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho left it untyped
            properties.ReceiveMaximum = RECEIVE_MAXIMUM
            properties.MaximumPacketSize = MAX_PACKET
            self.connect(settings.host, settings.port, settings.keepalive_s, clean_start=True, properties=properties)
        else:
            self.connect(settings.host, settings.port, settings.keepalive_s)

    def pause(self) -> None:
        """Leave what comes in the kernel, for TCP to hold the broker back."""
        if self._ready is not None and self._ready.fileno() >= 0:
            self._is_paused = True
            asyncio.get_running_loop().remove_reader(self._ready)

    def go_on(self) -> None:
        """Read again; what is left inside TLS wakes nobody, so once at once."""
        if self._is_paused and self._ready is not None and self._ready.fileno() >= 0:
            self._is_paused = False
            loop = asyncio.get_running_loop()
            loop.add_reader(self._ready, self._readable)
            loop.call_soon(self._readable)

    def end(self) -> None:
        """Close the socket without a word, if it is still open. The broker then publishes the will."""
        self._sock_close()
        if self._ready is not None:
            self._ready.close()

    def _create_socket(self) -> Any:  # the one seam of paho where a socket comes from
        return self._ready

    def _readable(self) -> None:
        while not self._is_paused and self.loop_read() is MQTTErrorCode.MQTT_ERR_SUCCESS:
            if not (isinstance(self._ready, ssl.SSLSocket) and self._ready.fileno() >= 0 and self._ready.pending()):
                return  # what is left in the kernel wakes us again; what is left inside TLS would not

    def _watch_write(self, _client: paho.Client, _userdata: Any, sock: Any) -> None:
        asyncio.get_running_loop().add_writer(sock, self.loop_write)

    def _unwatch_write(self, _client: paho.Client, _userdata: Any, sock: Any) -> None:
        asyncio.get_running_loop().remove_writer(sock)

    def _unwatch(self, _client: paho.Client, _userdata: Any, sock: Any) -> None:
        asyncio.get_running_loop().remove_reader(sock)
        self._owner.lose("the line was cut")

    def _greeted(self, _client: paho.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._owner.greeted(
            f"the broker refused us: {reason}" if reason.is_failure else None, is_login=reason.value in _NO_LOGIN
        )

    def _disconnected(self, _client: paho.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._owner.lose(f"disconnected: {reason}")

    def _answered(self, _client: paho.Client, _userdata: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        self._owner.subscribed(f"a subscription was refused: {refused[0]}" if refused else None)

    def _arrived(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        self._owner.arrived(Message(message.topic, bytes(message.payload), message.retain, message.mid, message.qos))

    def _published(self, _client: paho.Client, _userdata: Any, _mid: int, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._owner.refusals += 1
            if self._owner.refusals == 1:
                log.warning("the broker refuses what we publish: %s", reason)


def _settle(future: asyncio.Future[None] | None, refusal: str | None) -> None:
    if future is None or future.done():
        return
    if refusal is None:
        future.set_result(None)
    else:
        future.set_exception(LineLost(refusal))
        future.exception()  # nobody may be waiting any more; then it is no news
