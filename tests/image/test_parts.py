"""The program of the image tests can be loaded, and the parts that others need first are there."""

from __future__ import annotations

import image_parts
import image_test


def test_every_named_part_is_there() -> None:
    named = {*image_parts.NEEDED_FIRST, *image_parts.ALONE, *image_parts.CHECK}

    assert named <= set(image_test.PARTS)
