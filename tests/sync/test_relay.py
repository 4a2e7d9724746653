"""Sender and Receiver over a pipe that loses, repeats and reorders, with restarts and disks that go back in time."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from memory_logs import KEY, NoGapRule, NoMarkCheck, ReceivingEnd, SendingEnd

from edge.chain import GENESIS, Position, event_id
from edge.model import LogId, Seq
from sync.relay import WINDOW, Backoff, HoleInLog, Move, Receiver, Sender, ladder
from sync.wire import Ack, Batch, Why


class History(RuleBasedStateMachine):
    """One random history of a point, a pipe and a hub. Ends with a whole line, and then both must agree."""

    receiver: ClassVar[type[Receiver]] = Receiver
    by_event_id: ClassVar[bool] = True
    looks_at_marks: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.point = SendingEnd(looks_at_marks=self.looks_at_marks)
        self.hub = ReceivingEnd(self.receiver(KEY), by_event_id=self.by_event_id)
        self.up: list[Batch] = []
        self.down: list[Ack] = []
        self.number = 0
        self.old_disk = self.point.copy_disk()
        self.old_hub = None

    @rule(how_many=st.integers(1, 8))
    def facts_happen(self, how_many: int) -> None:
        for _ in range(how_many):
            self.number += 1
            self.point.disk.append(f'{{"n":{self.number}}}')

    @rule()
    def the_point_sends(self) -> None:
        self.up += self.point.outgoing()

    @rule(place=st.integers(0, 7), again=st.booleans())
    def a_batch_arrives(self, place: int, again: bool) -> None:
        if self.up:
            place %= len(self.up)
            batch = self.up[place] if again else self.up.pop(place)
            self.down.append(self.hub.on_batch(batch))

    @rule(place=st.integers(0, 7), again=st.booleans())
    def an_answer_arrives(self, place: int, again: bool) -> None:
        if self.down:
            place %= len(self.down)
            self.point.on_ack(self.down[place] if again else self.down.pop(place))

    @rule()
    def all_arrives(self) -> None:
        self._settle_once()

    @rule(place=st.integers(0, 7))
    def a_message_is_lost(self, place: int) -> None:
        for pipe in (self.up, self.down):
            if pipe:
                pipe.pop(place % len(pipe))

    @rule()
    def the_point_waited_too_long(self) -> None:
        self.point.sender.on_timeout()

    @rule()
    def the_point_restarts(self) -> None:
        self.point.restart()

    @rule()
    def the_card_is_copied(self) -> None:
        self.old_disk = self.point.copy_disk()

    @rule()
    def the_card_is_put_back(self) -> None:
        self.point.put_back(self.old_disk)

    @rule()
    def the_hub_is_backed_up(self) -> None:
        self.old_hub = self._copy(self.hub.kept)

    @rule()
    def the_hub_is_restored(self) -> None:
        if self.old_hub is not None:
            self.hub.kept = self._copy(self.old_hub)

    @invariant()
    def nothing_is_applied_twice(self) -> None:
        assert len(set(self.hub.kept.applied)) == len(self.hub.kept.applied)

    @invariant()
    def nobody_is_called_without_damage(self) -> None:
        assert self.point.troubles == []

    def teardown(self) -> None:
        self.settle()

    def settle(self) -> None:
        for _ in range(60):
            self._settle_once()
            if self.point.disk.cursor == self.point.disk.head():
                break
            self.point.sender.on_timeout()
        self.point.sender.on_timeout()  # ask once more: the hub may have been restored since
        for _ in range(60):
            self._settle_once()
        assert self.point.disk.cursor == self.point.disk.head(), "the point does not get rid of its facts"
        missing = set(self.point.disk.events()) - set(self.hub.kept.applied)
        assert not missing, "the cursor went on but the hub does not have the facts"
        self.nothing_is_applied_twice()

    def _settle_once(self) -> None:
        for _ in range(30):
            self.up += self.point.outgoing()
            if not self.up and not self.down:
                return
            while self.up:
                self.down.append(self.hub.on_batch(self.up.pop(0)))
            while self.down:
                self.point.on_ack(self.down.pop(0))

    @staticmethod
    def _copy(kept: object) -> object:
        from copy import deepcopy

        return deepcopy(kept)


QUICK = settings(max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
SOAK = settings(QUICK, max_examples=5_000, stateful_step_count=60)
SEARCH = settings(QUICK, max_examples=3_000, phases=[Phase.generate], database=None, derandomize=False)


def test_every_history_ends_with_both_ends_agreeing() -> None:
    run_state_machine_as_test(History, settings=QUICK)


@pytest.mark.soak
def test_five_thousand_histories_end_with_both_ends_agreeing() -> None:
    run_state_machine_as_test(History, settings=SOAK)


class WithoutEventIds(History):
    by_event_id = False


class WithoutGapRule(History):
    receiver = NoGapRule


class WithoutMarkCheck(History):
    receiver = NoMarkCheck
    looks_at_marks = False


@pytest.mark.parametrize("sabotage", [WithoutEventIds, WithoutGapRule, WithoutMarkCheck])
def test_each_guard_left_out_is_found(sabotage: type[History]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(seed(7)(sabotage), settings=SEARCH)


def test_a_copied_card_forks_and_what_both_share_is_not_doubled() -> None:
    point, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    for n in range(10):
        point.disk.append(f'{{"n":{n}}}')
    copy = point.copy_disk()
    drain(point, hub)
    point.disk.append('{"n":"lost with the card"}')
    drain(point, hub)

    point.put_back(copy)
    point.disk.append('{"n":"after"}')
    drain(point, hub)

    assert point.forks == 1
    assert len(hub.kept.applied) == 10 + 1 + 1 + 1  # shared, lost with the card, after, the fact of the fork


def test_a_hub_restored_from_a_backup_gets_again_what_it_lost() -> None:
    point, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    for n in range(10):
        point.disk.append(f'{{"n":{n}}}')
    drain(point, hub)
    backup = History._copy(hub.kept)
    for n in range(10, 30):
        point.disk.append(f'{{"n":{n}}}')
    drain(point, hub)

    hub.kept = backup
    point.sender.on_timeout()
    drain(point, hub)

    assert hub.kept.applied == point.disk.events()
    assert point.forks == 0


def test_a_changed_row_calls_a_person_and_is_not_taken() -> None:

    point, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    for n in range(4):
        point.disk.append(f'{{"n":{n}}}')
    point.disk.items[2] = point.disk.items[2]._replace(body='{"n":99}')

    drain(point, hub)

    assert "bad" in point.troubles
    assert hub.kept.applied == []


def test_a_batch_of_another_history_is_a_fork_and_nothing_of_it_is_taken() -> None:
    point, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    other = SendingEnd()
    for n in range(6):
        point.disk.append(f'{{"n":{n}}}')
        other.disk.append(f'{{"m":{n}}}')
    hub.on_batch(point.sender.batch(point.disk.items[:3], point.disk.marks[2]))

    answer = hub.on_batch(other.sender.batch(other.disk.items, other.disk.marks[-1]))

    assert answer.why is Why.FORK
    assert len(hub.kept.applied) == 3


def test_a_log_signed_with_another_key_is_bad() -> None:
    point, hub = SendingEnd(), ReceivingEnd(Receiver(b"x" * 32))
    point.disk.append('{"n":1}')
    point.sender.on_ack(Ack(point.disk.cursor), {})

    [batch] = point.outgoing()

    assert hub.on_batch(batch).why is Why.BAD


def test_a_pruned_log_that_is_still_needed_calls_a_person() -> None:
    mark = "cd" * 32
    sender = Sender(Position(LogId("a"), Seq(100), mark))

    step = sender.on_ack(Ack(Position(LogId("a"), Seq(40), "ab" * 32), Why.GAP), {Seq(40): None})

    assert (step.move, step.trouble) == (Move.TROUBLE, "pruned")


def test_facts_that_do_not_follow_the_tip_are_not_sent() -> None:
    point = SendingEnd()
    for n in range(5):
        point.disk.append(f'{{"n":{n}}}')

    with pytest.raises(HoleInLog):
        point.sender.batch(point.disk.items[2:], point.disk.marks[-1])


def test_a_late_answer_does_not_move_the_cursor_back() -> None:
    point, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    for n in range(9):
        point.disk.append(f'{{"n":{n}}}')
    drain(point, hub)

    point.on_ack(Ack(Position(LogId("a"), Seq(3), point.disk.mark_at(3))))

    assert point.disk.cursor.upto == 9


def test_answers_to_batches_behind_a_lost_one_cause_one_return_only() -> None:
    point, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    for n in range(12):
        point.disk.append(f'{{"n":{n}}}')
    point.on_ack(hub.on_batch(point.outgoing()[0]))
    sent = point.outgoing()
    answers = [hub.on_batch(batch) for batch in sent[1:]]

    again = []
    for answer in answers:
        point.on_ack(answer)
        again += point.outgoing()

    assert [answer.why for answer in answers] == [Why.GAP] * 3
    assert [batch.first for batch in again] == [1, 4, 7, 10]


def test_no_more_than_the_window_is_on_its_way() -> None:
    point, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    for n in range((WINDOW + 2) * point.facts_per_batch):
        point.disk.append(f'{{"n":{n}}}')
    point.on_ack(hub.on_batch(point.outgoing()[0]))

    assert len(point.outgoing()) == WINDOW
    assert point.outgoing() == []


def test_after_a_timeout_only_a_question_is_sent() -> None:
    point, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    point.disk.append('{"n":1}')
    point.on_ack(hub.on_batch(point.outgoing()[0]))
    point.outgoing()

    point.sender.on_timeout()

    [question] = point.outgoing()
    assert question.items == ()


def test_a_ladder_reaches_the_bottom_in_growing_steps() -> None:
    assert ladder(Seq(100)) == [100, 99, 97, 93, 85, 69, 37, 0]
    assert len(ladder(Seq(10**9))) < 48
    assert ladder(Seq(0)) == [0]


def test_waits_grow_to_the_cap_and_are_jittered_in_full() -> None:
    most = Backoff(lambda: 1.0)
    half = Backoff(lambda: 0.5)

    assert [most.next_s() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [half.next_s() for _ in range(3)] == [0.5, 1, 2]
    most.reset()
    assert most.next_s() == 1


def drain(point: SendingEnd, hub: ReceivingEnd) -> None:
    for _ in range(20):
        for batch in point.outgoing():
            point.on_ack(hub.on_batch(batch))


def test_memory_hub_counts_by_event_id() -> None:
    point, hub = SendingEnd(), ReceivingEnd(Receiver(KEY))
    point.disk.append('{"n":1}')
    drain(point, hub)

    assert hub.kept.applied == [event_id(point.disk.marks[0])]
    assert hub.kept.heads[LogId("a")].mark != GENESIS
