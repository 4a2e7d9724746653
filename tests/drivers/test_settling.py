"""Rest and loads, reading by reading."""

from __future__ import annotations

from drivers.base import Weight
from drivers.settling import Rest, Settling

STEP_MS = 100


class Pan:
    """Feeds readings at ten a second."""

    def __init__(self) -> None:
        self.settling = Settling(Rest())
        self.now_ms = 5000

    def read(self, *grams: int, is_moving: bool = False, is_over: bool = False) -> None:
        for each in grams:
            self.now_ms += STEP_MS
            self.settling.take(Weight(each, self.now_ms, is_moving, is_over=is_over))

    def resting(self) -> int | None:
        weight = self.settling.at_rest(self.now_ms)
        return None if weight is None else weight.grams

    def load(self) -> int:
        weight = self.settling.at_rest(self.now_ms)
        assert weight is not None
        return self.settling.load(weight)


def test_five_equal_readings_are_rest_and_four_are_not() -> None:
    pan = Pan()
    pan.read(500, *[1250] * 4)
    assert pan.resting() is None

    pan.read(1250)

    assert pan.resting() == 1250


def test_one_other_reading_begins_the_count_afresh() -> None:
    pan = Pan()
    pan.read(*[1250] * 4, 1255, *[1250] * 4)
    assert pan.resting() is None

    pan.read(1250)

    assert pan.resting() == 1250


def test_five_equal_readings_of_one_instant_are_no_rest() -> None:
    settling = Settling(Rest())
    for _ in range(9):
        settling.take(Weight(1250, 1000))

    assert settling.at_rest(1000) is None


def test_a_scale_that_says_it_moves_is_not_at_rest_until_it_says_otherwise() -> None:
    pan = Pan()
    pan.read(*[1250] * 20, is_moving=True)
    assert pan.resting() is None

    pan.read(*[1250] * 5)

    assert pan.resting() == 1250


def test_an_overloaded_scale_is_never_at_rest() -> None:
    pan = Pan()
    pan.read(*[40_000] * 20, is_over=True)

    assert pan.resting() is None


def test_a_weight_is_stale_after_a_second_and_silence_begins_the_count_afresh() -> None:
    pan = Pan()
    pan.read(*[1250] * 9)
    assert pan.settling.at_rest(pan.now_ms + 1000) is not None
    assert pan.settling.at_rest(pan.now_ms + 1001) is None
    assert pan.settling.fresh(pan.now_ms + 1001) is None

    pan.now_ms += 2000
    pan.read(*[1250] * 4)

    assert pan.resting() is None


def test_what_lies_there_at_the_start_is_a_load_and_keeps_its_number() -> None:
    pan = Pan()
    pan.read(*[1250] * 9)

    assert (pan.load(), pan.load()) == (1, 1)


def test_the_same_weight_after_an_empty_pan_is_another_load() -> None:
    pan = Pan()
    pan.read(*[1250] * 9)
    assert pan.load() == 1
    pan.read(600, 0, 0, 0, 800, *[1250] * 9)

    assert pan.load() == 2


def test_a_flicker_to_nothing_is_no_empty_pan() -> None:
    pan = Pan()
    pan.read(*[1250] * 9)
    assert pan.load() == 1
    pan.read(0, 0, *[1250] * 9, 0, *[1250] * 9)

    assert pan.load() == 1


def test_another_weight_is_another_load_and_a_creeping_one_is_not() -> None:
    pan = Pan()
    pan.read(*[1250] * 9)
    assert pan.load() == 1
    pan.read(*[1255] * 9)
    assert pan.load() == 1
    pan.read(*[2000] * 9)
    assert pan.load() == 2


def test_a_box_lifted_after_its_tare_is_an_empty_pan() -> None:
    pan = Pan()
    pan.read(*[300] * 9)
    assert pan.load() == 1
    pan.read(*[-500] * 3, *[300] * 9)
    assert pan.load() == 2
