"""Every way a bundle can be wrong is told apart before a byte of it is used; RAUC itself reads the signatures."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from bundles import BOARD, Releasing, needs_rauc

from edge.release import Unfit
from sync import bundle

pytestmark = needs_rauc
CONTENT = random.Random(1).randbytes(1_300_000)


@pytest.fixture(scope="module")
def releasing(tmp_path_factory: pytest.TempPathFactory) -> Releasing:
    return Releasing(tmp_path_factory.mktemp("releasing"))


def altered(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def judge(file: Path, keyring: Path) -> None:
    bundle.read(file, keyring)
    bundle.check_whole(file)


WRONG: dict[str, tuple[str, Callable[[Path], object]]] = {
    "half a file": ("half", lambda file: file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2])),
    "its last byte is missing": ("half", lambda file: file.write_bytes(file.read_bytes()[:-1])),
    "nothing": ("half", lambda file: file.write_bytes(b"")),
    "no bundle": ("half", lambda file: file.write_bytes(b"x" * 100_000)),
    "a flipped bit in the content": ("damaged", lambda file: altered(file, 700_000)),
    "a flipped bit in the hash tree": ("damaged", lambda file: altered(file, 1_310_000)),
    "a flipped bit in the signature": ("bad_signature", lambda file: altered(file, file.stat().st_size - 100)),
}


@pytest.mark.parametrize(("word", "spoil"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_file_is_told(
    releasing: Releasing, tmp_path: Path, word: str, spoil: Callable[[Path], object]
) -> None:
    file = tmp_path / "update.raucb"
    file.write_bytes(releasing.bundle("1.2.3", CONTENT).read_bytes())
    spoil(file)

    with pytest.raises(Unfit) as caught:
        judge(file, releasing.keyring)

    assert caught.value.word == word, caught.value.detail


@pytest.mark.parametrize("form", ["verity", "plain"])
def test_a_good_one_says_what_it_is_for(releasing: Releasing, form: str) -> None:
    file = releasing.bundle("1.2.3", CONTENT, base="1.2.2", form=form)

    told = bundle.read(file, releasing.keyring)
    bundle.check_whole(file)

    assert told == bundle.Bundle("1.2.3", BOARD, "1.2.2", file.stat().st_size)


@pytest.mark.parametrize("blocks", [1, 2, 127, 128, 129, 300])
def test_the_hash_tree_is_that_of_the_kernel_at_every_size(releasing: Releasing, blocks: int) -> None:
    """RAUC made the tree: one level, two, and the edges between."""
    file = releasing.bundle("1.2.3", random.Random(blocks).randbytes(4096 * blocks))

    bundle.read(file, releasing.keyring)
    bundle.check_whole(file)

    altered(file, 4096 * blocks // 2)
    with pytest.raises(Unfit, match="damaged"):
        bundle.check_whole(file)


def test_another_releaser_is_a_foreign_key(releasing: Releasing, tmp_path: Path) -> None:
    stranger = Releasing(tmp_path, "stranger")

    with pytest.raises(Unfit, match="foreign_key"):
        bundle.read(stranger.bundle("1.2.3", CONTENT), releasing.keyring)


def test_a_keyring_that_cannot_be_read_is_not_blamed_on_the_file(releasing: Releasing, tmp_path: Path) -> None:
    with pytest.raises(Unfit, match="no_keyring"):
        bundle.read(releasing.bundle("1.2.3", CONTENT), tmp_path / "no-keyring.pem")


def test_a_version_that_is_none_of_ours_is_refused(releasing: Releasing) -> None:
    with pytest.raises(Unfit, match="not_ours"):
        bundle.read(releasing.bundle("spring", CONTENT), releasing.keyring)
