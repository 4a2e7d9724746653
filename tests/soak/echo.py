"""A third client of the broker that says again what was said: twice, late, and in another order.

A broker repeats a message when an acknowledgement was lost with its connection; this one does it without a reason.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from types import TracebackType

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.model import SiteCode
from sync.wire import Topics

REMEMBERED = 300  # messages: those of the last minute, about
PACE_S = 0.02
FIRST_S = 30.0
ONCE_HEARD = SubscribeOptions(qos=1, noLocal=True)  # not its own, or the broker would never be quiet again


class Echo:
    """Use as `async with`; `repeat` says so many messages again."""

    def __init__(self, port: int, site: SiteCode, dice: random.Random) -> None:
        self._port = port
        topics = Topics(site)
        self._topics = (topics.up, topics.up_ack, topics.down, topics.down_ack)
        self._dice = dice
        self._heard: deque[tuple[str, bytes]] = deque(maxlen=REMEMBERED)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="echo", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._hear
        self._client.on_connect = self._subscribe

    async def __aenter__(self) -> Echo:
        await asyncio.to_thread(
            self._client.connect, "127.0.0.1", self._port, properties=Properties(PacketTypes.CONNECT)
        )
        self._client.loop_start()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    async def repeat(self, count: int) -> None:
        """Say so many again, any of those that were heard lately. Errors: TimeoutError if there is nothing to hear."""
        async with asyncio.timeout(FIRST_S):
            while not self._heard:
                await asyncio.sleep(PACE_S)
        for _ in range(count):
            topic, payload = self._dice.choice(tuple(self._heard))
            self._client.publish(topic, payload, qos=1)
            await asyncio.sleep(self._dice.expovariate(1 / PACE_S))

    def _subscribe(self, *_: object) -> None:
        self._client.subscribe([(topic, ONCE_HEARD) for topic in self._topics])

    def _hear(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        self._heard.append((message.topic, message.payload))
