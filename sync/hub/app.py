"""The running hub, or one of its workers: one MQTT line, its sites, one database. Starts, serves, and stops in order.

Everything that is decided is decided elsewhere (sync/hub/intake.py, sync/hub/line.py); here bytes are carried. The
broker hears "done" only after the hub's own commit, and so does the site. A database that cannot write (full disk)
cuts the line: the sites keep their facts and ask again later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from edge.model import SiteCode
from sync.hub import rollouts
from sync.hub.forgetter import Forgetter
from sync.hub.heads import newest
from sync.hub.intake import GROUP, Intake
from sync.hub.line import DownLine
from sync.hub.lived import USUAL_DAYS
from sync.hub.presence import nobody_is_known, note_presence, note_sign_of_life
from sync.hub.shards import BEAT_S, Ownership, Whole
from sync.hub.store import HubStore, StoreFault
from sync.mqtt import Broker, Connection, LineLost, Message, Will
from sync.rhythm import Rhythm, Timing
from sync.strict import BadBatch
from sync.together import together
from sync.wire import Ack, Presence, Topics, Why, decode_presence, encode_ack, encode_presence, split_topic

CLIENT_ID = "vp-hub"
CHANNELS = ("up", "down/ack", "state")
TOPICS_AT_ONCE = 120  # topics in one subscription: some 3 KB
LOOK_AT_ALL_S = 30.0  # a walk over 10,000 sites takes some 0.2 s
POLL_S = 0.5  # how soon a file sent by another process goes on its way
FAREWELL_S = 1.5
ROLL_S = 20.0  # a point takes minutes to carry an order out
MAX_STRANGERS = 100  # unknown site codes remembered, so that each is logged once

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HubOutside:
    """What comes from the root: dice from 0 up to 1, who is told when it is subscribed, how long people are kept."""

    dice: Callable[[], float]
    on_ready: Callable[[], None]
    timing: Timing = field(default_factory=Timing)
    personal_keep_days: int = USUAL_DAYS


class Hub:
    """The task. `run` ends only by cancellation or a bug. Without `ownership` it serves every site."""

    def __init__(
        self, store: HubStore, broker: Broker, outside: HubOutside, ownership: Ownership | None = None
    ) -> None:
        self._store = store
        self._broker = broker
        self._outside = outside
        self._ownership = ownership or Whole(store)
        self._lines: dict[SiteCode, DownLine] = {}
        self._intake = Intake(store)
        self._kick = asyncio.Event()
        self._stirred: set[SiteCode] = set()  # sites that something has happened to since they were looked at
        self._strangers: set[str] = set()
        self._retry = Rhythm(outside.dice, outside.timing)
        self._closed = False
        self._no_line = ""  # why there is none, as it was told last
        self._was_ready = False
        self._forgetter = Forgetter(store, outside.personal_keep_days, lambda: self._lines)

    async def run(self) -> None:
        """Serve for ever, and forget people in time also while the broker is away."""
        await together("hub", line=self._lead_line(), forget=self._forgetter.run())

    async def _lead_line(self) -> None:
        name = self._ownership.name
        client, state = (CLIENT_ID, "vp/hub/state") if name is None else (f"{CLIENT_ID}-{name}", f"vp/hub/{name}/state")
        will = Will(state, encode_presence(Presence(online=False)))
        while True:
            try:
                self._own(self._ownership.beat())
                async with Connection(self._broker, client, will, self._outside.timing.connect_s) as line:
                    await self._serve(line, will)
                continue  # the sites have changed hands: subscribe anew
            except LineLost as error:
                if (why := str(error)) != self._no_line:  # once for each change, not for each try
                    log.info("no line to the broker: %s", why)
                self._no_line = why
            except StoreFault as fault:
                if not self._closed:
                    log.critical("the hub takes nothing until the database works again: %s (%s)", fault, fault.code)
                self._closed = True
            self._retry.rest(self._ms())
            await asyncio.sleep(self._retry.next_s(self._ms()))

    async def _serve(self, line: Connection, will: Will) -> None:
        """Return when other sites are to be served."""
        self._no_line = ""
        try:
            for down in self._lines.values():
                down.peer_left()  # until its retained presence says otherwise
            for topics in self._topics():
                await line.subscribe(topics)
            line.publish(will.topic, encode_presence(Presence(online=True)), retain=True)
            self._show_positions(line)
            if not self._was_ready:
                self._was_ready = True
                self._outside.on_ready()
            work = {
                "listen": self._listen(line),
                "pump": self._pump(line),
                "watch": self._watch_store(),
                "rollout": self._roll_out(),
            }
            await together("hub", **work, share=self._watch_shares())
        except asyncio.CancelledError:
            self._give_up_shares()
            await line.farewell(will.topic, will.payload, FAREWELL_S)
            raise

    def _own(self, sites: frozenset[SiteCode]) -> None:
        """Begin with new sites from what the database says, drop those of others."""
        outside = self._outside
        new = sorted(sites - self._lines.keys())
        for site in self._lines.keys() - sites:
            del self._lines[site]
        for site in new:
            self._lines[site] = DownLine(self._store, site, outside.dice, outside.timing)
        if new:
            nobody_is_known(self._store, new)

    def _topics(self) -> Iterator[list[str]]:
        if self._ownership.name is None:
            yield [f"vp/+/{channel}" for channel in CHANNELS]
            return
        topics = [f"vp/{site}/{channel}" for site in self._lines for channel in CHANNELS]
        for first in range(0, len(topics), TOPICS_AT_ONCE):
            yield topics[first : first + TOPICS_AT_ONCE]

    async def _watch_shares(self) -> None:
        """Renew the leases; end when they are others than before."""
        while True:
            await asyncio.sleep(BEAT_S)
            if self._ownership.beat() != self._lines.keys():
                return

    def _give_up_shares(self) -> None:
        with suppress(StoreFault):  # then they are free when the lease is over
            self._ownership.leave()

    def _show_positions(self, line: Connection) -> None:
        """Tell every site where it stands: points that waited for us go on at once."""
        with self._store.reading() as tx:
            positions = {site: newest(tx, site) for site in self._lines}
        for site, position in positions.items():
            if position.upto > 0:
                line.publish(Topics(site).up_ack, encode_ack(Ack(position)), retain=True)

    async def _listen(self, line: Connection) -> None:
        while True:
            messages = [await line.next_message()]
            while len(messages) < GROUP and (more := line.waiting_message()) is not None:
                messages.append(more)
            batches: list[tuple[SiteCode, Message]] = []
            for message in messages:
                named = split_topic(message.topic)
                if named is None or named[0] not in self._lines:
                    self._note_stranger(named)
                elif named[1] == "up":
                    batches.append((named[0], message))
                else:
                    self._take(*named, message)
            self._take_batches(line, batches)
            self._closed = False
            self._retry.begin()
            self._stirred.update(named[0] for message in messages if (named := split_topic(message.topic)) is not None)
            self._kick.set()
            for message in messages:
                line.done(message)  # after the commit; a StoreFault leaves it open and cuts the line
            await asyncio.sleep(0)  # a long backlog must not starve the sending side

    def _take_batches(self, line: Connection, batches: list[tuple[SiteCode, Message]]) -> None:
        """What has come while the last commit ran goes into one transaction."""
        if not batches:
            return
        answers = self._intake.accept([(site, message.payload) for site, message in batches])
        for (site, message), answer in zip(batches, answers, strict=True):
            line.publish(Topics(site).up_ack, encode_ack(answer), retain=True)
            down = self._lines[site]
            if not down.is_there and not message.retained and answer.why is not Why.BAD:
                note_sign_of_life(self._store, site)  # whatever is kept on its topic `state`: it speaks
                down.peer_came()

    def _take(self, site: SiteCode, channel: str, message: Message) -> None:
        down = self._lines[site]
        match channel:
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
        """Look at the sites that were stirred or whose time has come; at all of them now and then."""
        due: dict[SiteCode, float] = {}
        all_at = 0.0
        while True:
            self._kick.clear()
            now = self._ms()
            if now >= all_at:
                self._stirred.update(self._lines)
                all_at = now + 1000 * LOOK_AT_ALL_S
            stirred, self._stirred = self._stirred, set()
            for site in stirred | {site for site, at in due.items() if at <= now}:
                wait_s = self._send_down(line, site)
                due.pop(site, None)
                if wait_s is not None:
                    due[site] = self._ms() + 1000 * wait_s
                await asyncio.sleep(0)
            rest_s = (min([all_at, *due.values()]) - self._ms()) / 1000
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.001, rest_s)):  # not wait_for: in 3.11 it can swallow a cancellation
                    await self._kick.wait()

    def _send_down(self, line: Connection, site: SiteCode) -> float | None:
        """Publish what one site is to get now; tell in how many seconds to look again without news of it."""
        down = self._lines.get(site)
        if down is None:
            return None
        now = self._ms()
        for packed in down.outgoing(now):
            line.publish(Topics(site).down, packed)
        return down.next_s(now)

    async def _watch_store(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            if self._store.changed_elsewhere():
                self._stirred.update(self._lines)
                self._kick.set()

    async def _roll_out(self) -> None:
        """Order what comes next of a roll-out; any worker may, the book of roll-outs lets one at a time."""
        while True:
            rollouts.advance(self._store)
            await asyncio.sleep(ROLL_S)

    def _note_stranger(self, named: tuple[SiteCode, str] | None) -> None:
        if named is None or named[0] == "hub" or named[0] in self._store.keys:
            return  # not ours, our own, or another worker's by now
        if named[0] not in self._strangers and len(self._strangers) < MAX_STRANGERS:
            self._strangers.add(named[0])
            log.warning("messages of site %s are ignored: it is not in the settings", named[0])

    def _ms(self) -> int:
        return int(self._store.clock.ms())
