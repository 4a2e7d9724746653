"""The point's line to the hub: one task that carries the log up and the hub's log down, whatever the line does.

The log is reached through `LogPort` alone (sync/port.py; edge/app.py passes one built on the store), the broker
through sync/mqtt.py, and all decisions are those of sync/relay.py. Cancel the task to stop: it says goodbye within two
seconds.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import Any

from edge.chain import GENESIS, Linked, Position
from edge.model import LogId, Seq
from sync.advance import NEWEST, UP, Advances
from sync.dial import TLS_WORDS
from sync.mqtt import LOGIN, RECEIVE_MAXIMUM, Connection, LineLost, Message, Will
from sync.port import LinkInfo, LinkSettings, LogPort, Outside
from sync.relay import HoleInLog, Move, Receiver, Sender, Step, same_log
from sync.rhythm import Rhythm
from sync.silence import Silence
from sync.strict import BadBatch
from sync.together import together
from sync.wire import (
    MAX_BATCH_BYTES,
    MAX_FACTS,
    Ack,
    Batch,
    Presence,
    Topics,
    Why,
    decode_ack,
    decode_batch,
    encode_ack,
    encode_batch,
    encode_presence,
)

FAREWELL_S = 1.5  # of the two seconds the program has to stop
SETTLE_MS = 300  # between two writings of the confirmed position while more is on its way
WATCH_S = 30.0  # how long one look at the log may wait; the next follows at once

log = logging.getLogger(__name__)


class Link:
    """The task. `run` ends only by cancellation or by an error of the store or a bug."""

    def __init__(self, settings: LinkSettings, port: LogPort, outside: Outside) -> None:
        self._settings = settings
        self._port = port
        self._outside = outside
        self._topics = Topics(settings.site)
        self._receiver = Receiver(settings.key)
        self._rhythm = Rhythm(outside.dice, settings.timing)
        self._sender = Sender(Position(LogId("none"), Seq(0), GENESIS), settings.window)  # replaced with each line
        self._advances = Advances()
        self._advance_taken = Position(LogId(""), Seq(0), GENESIS)  # the last notice of the hub on this line
        self._kick = asyncio.Event()
        self._info = LinkInfo()
        self._forked_at: int | None = None
        self._retry = Rhythm(outside.dice, settings.timing)
        self._shown: Presence | None = None
        self._shown_at = 0
        self._shown_on: Connection | None = None
        self._line: Connection | None = None
        self._confirmed: Position | None = None
        self._settled_at = 0
        self._silence = Silence(len(settings.broker.host.split()))

    @property
    def info(self) -> LinkInfo:
        """How the line stands now."""
        return self._info

    async def run(self) -> None:
        """Keep the line for ever."""
        will = Will(self._topics.state, encode_presence(Presence(online=False, version=self._settings.version)))
        client_id = f"vp-{self._settings.site}"
        self._tell(pending=await self._pending())
        while True:
            try:
                timeout_s = self._settings.timing.connect_s
                async with Connection(self._settings.broker, client_id, will, timeout_s, self._silence.turn) as line:
                    self._line = line
                    self._certificate(None)
                    self._tell(connected=True)
                    await self._serve(line, will)
            except LineLost as error:
                log.debug("no line: %s", error)
                self._certificate(error.word)
            self._line = None
            if self._info.connected:
                log.info("the line to the broker is lost")
            self._tell(connected=False, online=False)
            word = self._info.trouble
            if word in TLS_WORDS and await self._outside.on_refused(word):
                continue  # what was wrong is put right
            self._retry.rest(self._outside.ms())
            await self._pause()

    def begin_anew(self) -> None:
        """Take a new line in the next moment, with what the files of our certificate hold now."""
        if self._line is not None:
            self._line.lose("a new certificate is to be used")

    def _certificate(self, word: str | None) -> None:
        """Tell whether a certificate or the login, not the line, keeps us away; any other trouble stays as it is."""
        if word is None and self._info.trouble not in TLS_WORDS | {LOGIN}:
            return
        if word != self._info.trouble and word is not None:
            log.warning("we are not let in: %s", word)
        self._tell(trouble=word)

    async def _pause(self) -> None:
        """Wait out the retry, while the count of what is pending stays true."""
        while self._retry.rests(now := self._outside.ms()):
            await self._port.wait_for_more(self._retry.next_s(now))
            self._tell(pending=await self._pending())

    async def _serve(self, line: Connection, will: Will) -> None:
        try:
            await self._begin(line)
            await together("link", listen=self._listen(line), pump=self._pump(line), watch=self._watch_log())
        except asyncio.CancelledError:
            await line.farewell(will.topic, will.payload, FAREWELL_S)
            raise

    async def _begin(self, line: Connection) -> None:
        self._confirmed = None
        self._sender = Sender(await self._port.up_position(), self._settings.window)
        self._sender.narrow()
        self._rhythm.begin()
        self._advances.begin()
        self._advance_taken = Position(LogId(""), Seq(0), GENESIS)
        await line.subscribe([self._topics.up_ack, self._topics.down])
        have = await self._port.down_position()
        line.publish(self._topics.down_ack, encode_ack(Ack(_named(have))), retain=True)
        await self._show_presence(line)

    async def _watch_log(self) -> None:
        while True:
            await self._port.wait_for_more(WATCH_S)
            self._kick.set()

    # --- up -------------------------------------------------------------------------------------------------------

    async def _pump(self, line: Connection) -> None:
        while True:
            self._kick.clear()
            now = self._outside.ms()
            if self._sender.waits and self._rhythm.is_overdue(now):
                self._sender.on_timeout()
                self._advances.begin()
                self._rhythm.rest(now)
                self._tell(online=False)
                if self._silence.is_too_long():
                    line.lose("nobody answers at this node")
            if self._rhythm.wants_sign_of_life(now):
                self._sender.ask()
            if not self._rhythm.rests(now):
                await self._send(line)
            if line.refusals:
                self._tell(trouble="not_allowed")
            again_s = await self._settle(now)
            await self._show_presence(line)
            await self._sleep(min(again_s, self._rhythm.next_s(now)))

    async def _settle(self, now: int) -> float:
        """Write how far the hub is and count what waits; return in how many seconds to do it again.

        While a backlog drains only now and then: each writing is a wait for the disk, and the counter needs it, too.
        What is not written is confirmed once more after a start.
        """
        since_ms = now - self._settled_at
        if self._sender.in_flight and 0 <= since_ms < SETTLE_MS:
            return (SETTLE_MS - since_ms) / 1000
        self._settled_at = now
        await self._confirm()
        self._tell(pending=await self._pending())
        return SETTLE_MS / 1000 if self._sender.in_flight else WATCH_S

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # not wait_for: in Python 3.11 it can swallow a cancellation
                await self._kick.wait()

    async def _send(self, line: Connection) -> None:
        sender = self._sender
        if sender.must_ask and not sender.waits:
            self._publish(line, sender.question())
        await self._hurry(line)
        try:
            while sender.has_room:
                tip = sender.tip
                items = await self._port.read_after(tip, MAX_FACTS, MAX_BATCH_BYTES)
                if not items:
                    break
                mark = await self._port.mark_at(items[-1].seq)
                if mark is not None and sender.tip == tip and sender.has_room:  # no answer came in between
                    self._publish(line, sender.batch(items, mark))
        except HoleInLog as error:
            self._trouble("hole", error)
        except BadBatch as error:
            self._trouble("too_large", error)

    async def _hurry(self, line: Connection) -> None:
        """What a village waits for goes before the backlog."""
        if self._sender.must_ask:
            return
        head = await self._port.head()
        after = self._advances.look_after(self._sender.tip, head.upto)
        if after is not None:
            self._advances.found(await self._port.newest_of(UP, after, NEWEST), head.upto)
        for notice in self._advances.outgoing(self._sender.cursor.log_id, self._sender.tip):
            self._publish(line, notice)

    def _publish(self, line: Connection, batch: Batch) -> None:
        line.publish(self._topics.up, encode_batch(batch, self._sender.dictionary))
        self._rhythm.sent(self._outside.ms(), int(bool(batch.items) and not batch.advance))

    async def _on_ack(self, message: Message) -> None:
        try:
            ack = decode_ack(message.payload)
        except BadBatch as error:
            log.warning("an answer of the hub cannot be read: %s", error)
            return
        own = {seq: await self._port.mark_at(seq) for seq in self._sender.needs(ack)}
        step = self._sender.on_ack(ack, own)
        if step.alive:
            self._advances.answered(ack.advance, self._sender.cursor.upto)
        if step.alive and not message.retained:
            self._heard(step)
        if step.move is Move.CONFIRM:
            self._confirmed = step.position  # written by the pump: answers that came together are one commit
        else:
            await self._confirm()
            await self._act(step)
        self._kick.set()

    async def _confirm(self) -> None:
        """Write the newest confirmed position, if there is one that was not written."""
        position, self._confirmed = self._confirmed, None
        if position is not None:
            await self._port.confirm(position)

    def _heard(self, step: Step) -> None:
        """The hub itself answered, just now."""
        now = self._outside.ms()
        if step.move is Move.CONFIRM:
            self._sender.keep_pace(self._rhythm.pace(now, self._sender.in_flight))
        well = step.move is Move.CONFIRM or (self._info.trouble is None and step.move is not Move.TROUBLE)
        self._rhythm.answered(now, more=self._sender.waits, well=well)
        self._retry.begin()
        self._silence.answered()
        if not self._info.online:
            log.info("the hub answers")
        self._tell(online=True, last_answer_ms=now, trouble=None if well else self._info.trouble)

    async def _act(self, step: Step) -> None:
        match step.move:
            case Move.FORK:
                await self._fork(step.position)
            case Move.TROUBLE:
                self._trouble(step.trouble or "bad", None)
            case Move.NOTHING | Move.CONFIRM:
                pass

    async def _fork(self, seen: Position) -> None:
        """Our log and the hub's differ. Two live copies of a card must not name their logs anew in a race."""
        now = self._outside.ms()
        if self._forked_at is not None and now - self._forked_at < 1000 * self._settings.timing.fork_rest_s:
            self._sender.on_timeout()
            self._rhythm.rest(now)
            return
        self._forked_at = now
        log.warning("the hub holds another history than this card from fact %s on: the log gets a new name", seen.upto)
        self._sender.moved(await self._port.fork(seen))

    def _trouble(self, word: str, error: Exception | None) -> None:
        if self._info.trouble != word:
            log.warning("the log cannot be sent: %s (%s)", word, error)
        self._sender.on_timeout()
        self._rhythm.rest(self._outside.ms())
        self._tell(trouble=word)

    # --- down -----------------------------------------------------------------------------------------------------

    async def _listen(self, line: Connection) -> None:
        while True:
            messages = [await line.next_message()]
            while len(messages) < RECEIVE_MAXIMUM and (more := line.waiting_message()) is not None:
                messages.append(more)
            for message in messages:
                if message.topic == self._topics.up_ack:
                    await self._on_ack(message)
                elif message.topic == self._topics.down:
                    answer = await self._on_down(message)
                    line.publish(self._topics.down_ack, encode_ack(answer), retain=True)
            for message in messages:
                line.done(message)  # only now: what came down is committed

    async def _on_down(self, message: Message) -> Ack:
        have = await self._port.down_position()
        try:
            batch = decode_batch(message.payload)
        except BadBatch as error:
            log.warning("a batch of the hub cannot be read: %s", error)
            return Ack(_named(have), Why.BAD)
        if batch.advance:
            return await self._on_notice(batch, have)
        verdict = self._receiver.judge(batch, same_log(have, batch.log_id))  # a renamed log starts at its first fact
        if verdict.items:
            await self._port.apply_down(batch.log_id, verdict.items, verdict.marks)
        if verdict.why in (Why.BAD, Why.FORK):
            log.warning("a batch of the hub does not fit its chain: %s", verdict.why)
        return self._with_notices(verdict.answer([(Seq(0), GENESIS)] if verdict.lost_track else ()))

    async def _on_notice(self, batch: Batch, have: Position) -> Ack:
        """The hub hurries: do it now, in its turn it is known by its event id."""
        if self._receiver.proves(batch):
            if batch.log_id != have.log_id or batch.last > have.upto:
                await self._port.apply_advance(Linked(batch.prev, batch.items[0], batch.mark))
            self._advance_taken = Position(batch.log_id, batch.last, batch.mark)
        else:
            log.warning("a notice of the hub does not bear its key")
        return self._with_notices(Ack(_named(have)))

    def _with_notices(self, ack: Ack) -> Ack:
        """Tell how far notices of this log were taken; it is also how the hub learns that we understand them."""
        taken = self._advance_taken
        return replace(ack, advance=taken.upto) if taken.log_id == ack.position.log_id else ack

    # --- presence -------------------------------------------------------------------------------------------------

    async def _show_presence(self, line: Connection) -> None:
        """Tell who looks at the topic `state`; at most once in a while, and only what has changed."""
        now = self._outside.ms()
        fresh = self._shown_on is not line
        if not fresh and now - self._shown_at < 1000 * self._settings.timing.ask_every_s:
            return
        presence = Presence(True, self._settings.version, await self._pending(), dict(self._outside.health()))
        if fresh or presence != self._shown:
            line.publish(self._topics.state, encode_presence(presence), retain=True)
        self._shown, self._shown_at, self._shown_on = presence, now, line

    async def _pending(self) -> int:
        return int((await self._port.head()).upto - (await self._port.up_position()).upto)

    def _tell(self, **changes: Any) -> None:
        changed = replace(self._info, **changes)
        if changed != self._info:
            self._info = changed
            self._outside.on_change(changed)


def _named(position: Position) -> Position:
    """A terminal that never heard of a log of the hub still has to say so in a well-formed answer."""
    return position if position.log_id else replace(position, log_id=LogId("none"))
