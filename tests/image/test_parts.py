"""The program of the image tests can be loaded, and knows the parts that others need first."""

from __future__ import annotations

import image_test


def test_every_named_part_is_there() -> None:
    named = {*image_test.NEEDED_FIRST, *image_test.ALONE, *image_test.CHECK}

    assert named <= set(image_test.PARTS)
