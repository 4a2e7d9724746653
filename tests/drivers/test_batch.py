"""Uploads: by rhythm, by wrapper lines, told from live scanning, and known again when they come a second time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Batch, Flaw, Read, TimeQuality
from drivers.batch import BATCH_CODES, END_MS, GAP_MS, MAX_BATCH, WRAPPED_END_MS, Memory, Rhythm, Uploads

CODES = [f"SF{n:013}" for n in range(12)]
HELD, WATCHED = Rhythm(Memory.HELD), Rhythm(Memory.WATCHED)


class Gun:
    """Reads one after another at a pace; `got` is what came out of it."""

    def __init__(self, rhythm: Rhythm = HELD) -> None:
        self.uploads = Uploads("gun", rhythm)
        self.now = 1000
        self.got: list[Read | Batch] = []

    def scan(self, *codes: str, gap_ms: int = 20, length_ms: int = 15) -> Gun:
        for code in codes:
            began = self.now + gap_ms
            self.now = began + length_ms
            flaw = None if code else Flaw.DAMAGED
            self.got += self.uploads.take(Read(code, "gun", self.now, flaw=flaw), began)
        return self

    def rest(self, ms: int = 60_000) -> Gun:
        self.now += ms
        self.got += self.uploads.idle(self.now)
        return self

    @property
    def live(self) -> list[str]:
        return [each.text for each in self.got if isinstance(each, Read)]

    @property
    def batches(self) -> list[Batch]:
        return [each for each in self.got if isinstance(each, Batch)]


def texts(batch: Batch) -> list[str]:
    return [read.text for read in batch.reads]


def test_an_upload_is_one_batch_in_order_and_nothing_of_it_is_live() -> None:
    gun = Gun().scan(*CODES).rest()

    [batch] = gun.batches
    assert (gun.live, texts(batch), batch.live, batch.is_whole) == ([], CODES, 0, True)
    assert {read.time_quality for read in batch.reads} == {TimeQuality.UPLOAD}


def test_without_delay_the_first_code_goes_live_before_an_upload_shows() -> None:
    gun = Gun(WATCHED).scan(*CODES).rest()

    assert gun.live == CODES[:1]
    assert (texts(gun.batches[0]), gun.batches[0].live) == (CODES, 1)


@pytest.mark.parametrize("count", range(1, BATCH_CODES))
def test_a_watched_code_that_comes_faster_than_a_hand_waits_for_the_pause(count: int) -> None:
    gun = Gun(WATCHED).scan(*CODES[:count])

    assert gun.live == CODES[:1]
    assert gun.uploads.due_ms == (None if count == 1 else gun.now + GAP_MS)
    assert gun.rest(GAP_MS).live == CODES[:count]


@pytest.mark.parametrize("rhythm", [HELD, WATCHED, Rhythm(Memory.NONE)])
@pytest.mark.parametrize("length_ms", [0, 15, 60, 180])
def test_an_operator_who_scans_three_a_second_stays_live(rhythm: Rhythm, length_ms: int) -> None:
    gun = Gun(rhythm).scan(*CODES * 10, gap_ms=333 - length_ms, length_ms=length_ms).rest()

    assert (gun.live, gun.batches) == (CODES * 10, [])


@pytest.mark.parametrize("rhythm", [HELD, WATCHED])
def test_the_four_lines_of_a_seed_label_stay_live(rhythm: Rhythm) -> None:
    label = ["丰优22", "某种业", "0000000001", "https://seed.example/1"]

    gun = Gun(rhythm).scan(*label, gap_ms=2).rest(400).scan(*label, gap_ms=2).rest()

    assert (gun.live, gun.batches) == (label * 2, [])


def test_a_held_code_is_given_away_when_the_next_is_late() -> None:
    gun = Gun().scan("A")

    assert gun.uploads.due_ms == gun.now + GAP_MS
    assert gun.rest(GAP_MS - 1).live == []
    assert gun.rest(1).live == ["A"]
    assert gun.uploads.due_ms is None


def test_a_gun_without_a_memory_may_be_as_fast_as_it_likes() -> None:
    gun = Gun(Rhythm(Memory.NONE)).scan(*CODES, gap_ms=0)

    assert (gun.live, gun.uploads.due_ms) == (CODES, None)


def test_what_is_scanned_after_an_upload_is_live_again() -> None:
    gun = Gun().scan(*CODES).rest(END_MS).scan("JD1").rest()

    assert (len(gun.batches), gun.live) == (1, ["JD1"])


def test_an_upload_that_broke_off_and_starts_again_yields_the_rest_alone() -> None:
    gun = Gun().scan(*CODES[:7])
    gun.got += gun.uploads.lost()

    gun.rest().scan(*CODES).rest()

    first, second = gun.batches
    assert (texts(first), first.is_whole) == (CODES[:7], False)
    assert (texts(second), second.repeated) == (CODES[7:], 7)


def test_a_shorter_repetition_is_known_and_does_not_forget_the_longer() -> None:
    gun = Gun().scan(*CODES).rest().scan(*CODES[:6]).rest().scan(*CODES, "NEW").rest()

    assert [(texts(each), each.repeated) for each in gun.batches] == [(CODES, 0), ([], 6), (["NEW"], 12)]


def test_the_same_code_twice_in_one_inventory_stays_twice() -> None:
    gun = Gun().scan(*CODES[:6], CODES[0], CODES[0]).rest()

    assert texts(gun.batches[0]) == [*CODES[:6], CODES[0], CODES[0]]


def test_an_inventory_that_only_begins_alike_is_a_new_one() -> None:
    other = [CODES[0], *CODES[6:]]

    gun = Gun().scan(*CODES[:6]).rest().scan(*other).rest()

    assert (texts(gun.batches[1]), gun.batches[1].repeated) == (other, 0)


def test_a_code_damaged_the_first_time_is_given_with_the_repetition() -> None:
    damaged = [*CODES[:3], "", *CODES[4:]]

    gun = Gun().scan(*damaged).rest().scan(*CODES).rest().scan(*CODES).rest()

    assert [(texts(each), each.repeated) for each in gun.batches] == [(damaged, 0), ([CODES[3]], 11), ([], 12)]


@pytest.mark.parametrize("rhythm", [HELD, Rhythm(Memory.NONE)])
def test_wrapper_lines_make_an_upload_at_any_pace(rhythm: Rhythm) -> None:
    gun = Gun(rhythm).scan("<UPL>: start 00003", *CODES[:3], "<UPL>: transmission OK", "JD1", gap_ms=900).rest()

    [batch] = gun.batches
    assert (texts(batch), batch.announced, batch.is_whole, gun.live) == (CODES[:3], 3, True, ["JD1"])


def test_a_gun_that_kept_its_memory_is_known_again_and_one_that_erased_it_is_not() -> None:
    def upload(word: str) -> list[str]:
        return ["<UPL>: start", *CODES[:2], f"<UPL>: transmission {word}"]

    gun = Gun().scan(*upload("NOK"), *upload("OK"), *upload("OK")).rest()

    assert [(len(each.reads), each.repeated, each.is_whole) for each in gun.batches] == [
        (2, 0, False), (0, 2, True), (2, 0, True)
    ]  # fmt: skip


def test_fewer_codes_than_announced_are_not_whole() -> None:
    gun = Gun().scan("]Z0<UPL>: start 4", *CODES[:3], "<upl>: transmission ok").rest()

    assert (gun.batches[0].announced, gun.batches[0].is_whole) == (4, False)


def test_an_announced_upload_without_an_end_is_told_as_broken_off() -> None:
    gun = Gun().scan("<UPL>: start 9", *CODES[:3]).rest(WRAPPED_END_MS - 1)
    assert gun.batches == []

    assert not gun.rest(1).batches[0].is_whole


def test_an_end_without_a_start_is_left_to_who_knows_set_up_texts() -> None:
    assert Gun().scan("<UPL>: transmission OK").rest().live == ["<UPL>: transmission OK"]


def test_codes_the_gun_itself_calls_stored_are_an_upload_from_the_first() -> None:
    uploads = Uploads("gun")

    assert uploads.take(Read("A", "gun", 10), 10, is_stored=True) == []
    assert uploads.due_ms == 10 + END_MS
    [batch] = uploads.idle(10 + END_MS)

    assert isinstance(batch, Batch)
    assert texts(batch) == ["A"]


def test_an_endless_upload_is_given_away_in_parts() -> None:
    gun = Gun().scan(*[f"C{n}" for n in range(MAX_BATCH + 10)], gap_ms=1, length_ms=1).rest()

    assert [(len(each.reads), each.is_whole) for each in gun.batches] == [(MAX_BATCH, False), (10, True)]


paces = st.lists(st.tuples(st.sampled_from([*CODES, "", "<UPL>: start 2", "<UPL>: transmission OK"]),
                           st.integers(0, 400), st.booleans()), max_size=40)  # fmt: skip


@given(paces, st.sampled_from([HELD, WATCHED, Rhythm(Memory.NONE)]))
def test_no_code_is_lost_or_doubled_at_any_pace(steps: list[tuple[str, int, bool]], rhythm: Rhythm) -> None:
    gun = Gun(rhythm)
    for code, gap_ms, rests in steps:
        gun.scan(code, gap_ms=gap_ms)
        if rests:
            gun.rest(gap_ms)
    gun.rest().got += gun.uploads.lost()

    out = len(gun.live) + sum(len(each.reads) + each.repeated - each.live for each in gun.batches)
    codes = [code for code, _, _ in steps if "<UPL>" not in code]
    wrappers = sum("<UPL>" in text for text in gun.live)
    repeated = sum(each.repeated for each in gun.batches)
    assert len(codes) <= out - wrappers <= len(codes) + (repeated if rhythm is WATCHED else 0)
