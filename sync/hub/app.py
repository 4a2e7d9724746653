"""The running hub: one MQTT line, every site of the district, one database. Starts, serves, and stops in order.

Everything that is decided is decided elsewhere (sync/hub/intake.py, sync/hub/line.py); here bytes are carried. The
broker hears "done" only after the hub's own commit, and so does the site. A database that cannot write (full disk)
cuts the line: the sites keep their facts and ask again later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from edge.model import SiteCode
from sync.hub.heads import newest
from sync.hub.intake import Intake
from sync.hub.line import DownLine
from sync.hub.presence import note_presence, note_sign_of_life
from sync.hub.store import HubStore, StoreFault
from sync.mqtt import Broker, Connection, LineLost, Message, Will
from sync.rhythm import Rhythm, Timing
from sync.strict import BadBatch
from sync.together import together
from sync.wire import Ack, Presence, Topics, Why, decode_presence, encode_ack, encode_presence, split_topic

CLIENT_ID = "vp-hub"
STATE_TOPIC = "vp/hub/state"
TOPICS = ("vp/+/up", "vp/+/down/ack", "vp/+/state")
POLL_S = 0.5  # how soon a file sent by another process goes on its way
FAREWELL_S = 1.5
MAX_STRANGERS = 100  # unknown site codes remembered, so that each is logged once

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HubOutside:
    """What comes from the root: dice from 0 up to 1, and who is told once the hub is subscribed."""

    dice: Callable[[], float]
    on_ready: Callable[[], None]
    timing: Timing = field(default_factory=Timing)


class Hub:
    """The task. `run` ends only by cancellation or a bug."""

    def __init__(self, store: HubStore, broker: Broker, outside: HubOutside) -> None:
        self._store = store
        self._broker = broker
        self._outside = outside
        self._lines = {site: DownLine(store, site, outside.dice, outside.timing) for site in store.keys}
        self._intake = Intake(store)
        self._kick = asyncio.Event()
        self._strangers: set[str] = set()
        self._retry = Rhythm(outside.dice, outside.timing)
        self._closed = False
        self._was_ready = False

    async def run(self) -> None:
        """Serve for ever."""
        will = Will(STATE_TOPIC, encode_presence(Presence(online=False)))
        while True:
            try:
                async with Connection(self._broker, CLIENT_ID, will, self._outside.timing.connect_s) as line:
                    await self._serve(line, will)
            except LineLost as error:
                log.info("no line to the broker: %s", error)
            except StoreFault as fault:
                if not self._closed:
                    log.critical("the hub takes nothing until the database works again: %s (%s)", fault, fault.code)
                self._closed = True
            self._retry.rest(self._ms())
            await asyncio.sleep(self._retry.next_s(self._ms()))

    async def _serve(self, line: Connection, will: Will) -> None:
        try:
            for down in self._lines.values():
                down.peer_left()  # until its retained presence says otherwise
            await line.subscribe(TOPICS)
            line.publish(STATE_TOPIC, encode_presence(Presence(online=True)), retain=True)
            self._show_positions(line)
            if not self._was_ready:
                self._was_ready = True
                self._outside.on_ready()
            await together("hub", listen=self._listen(line), pump=self._pump(line), watch=self._watch_store())
        except asyncio.CancelledError:
            await line.farewell(will.topic, will.payload, FAREWELL_S)
            raise

    def _show_positions(self, line: Connection) -> None:
        """Tell every site where it stands: points that waited for us go on at once."""
        with self._store.reading() as tx:
            positions = {site: newest(tx, site) for site in self._lines}
        for site, position in positions.items():
            if position.upto > 0:
                line.publish(Topics(site).up_ack, encode_ack(Ack(position)), retain=True)

    async def _listen(self, line: Connection) -> None:
        while True:
            message = await line.next_message()
            named = split_topic(message.topic)
            if named is not None and named[0] in self._lines:
                self._take(line, *named, message)
                self._closed = False
                self._retry.begin()
                self._kick.set()
            elif named is not None and named[0] != "hub":
                self._note_stranger(named[0])
            line.done(message)  # after the commit; a StoreFault leaves it open and cuts the line
            await asyncio.sleep(0)  # a long backlog must not starve the sending side

    def _take(self, line: Connection, site: SiteCode, channel: str, message: Message) -> None:
        down = self._lines[site]
        match channel:
            case "up":
                [answer] = self._intake.accept([(site, message.payload)])
                line.publish(Topics(site).up_ack, encode_ack(answer), retain=True)
                if not down.is_there and not message.retained and answer.why is not Why.BAD:
                    note_sign_of_life(self._store, site)  # whatever is kept on its topic `state`: it speaks
                    down.peer_came()
            case "down/ack":
                down.on_ack(message.payload, self._ms())
            case "state":
                try:
                    presence = decode_presence(message.payload)
                except BadBatch as error:
                    log.warning("site %s shows itself in a way that cannot be read: %s", site, error)
                    return
                note_presence(self._store, site, presence, retained=message.retained)
                if presence.online:
                    down.peer_came()
                else:
                    down.peer_left()

    async def _pump(self, line: Connection) -> None:
        while True:
            self._kick.clear()
            due = [POLL_S * 60]
            for site, down in self._lines.items():
                now = self._ms()
                for packed in down.outgoing(now):
                    line.publish(Topics(site).down, packed)
                wait_s = down.next_s(now)
                if wait_s is not None:
                    due.append(wait_s)
                await asyncio.sleep(0)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(due)):  # not wait_for: in Python 3.11 it can swallow a cancellation
                    await self._kick.wait()

    async def _watch_store(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            if self._store.changed_elsewhere():
                self._kick.set()

    def _note_stranger(self, site: SiteCode) -> None:
        if site not in self._strangers and len(self._strangers) < MAX_STRANGERS:
            self._strangers.add(site)
            log.warning("messages of site %s are ignored: it is not in the settings", site)

    def _ms(self) -> int:
        return int(self._store.clock.ms())
