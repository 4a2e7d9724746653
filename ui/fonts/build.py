"""Cut the kiosk font: the Simplified-Chinese face of Debian's Noto Sans CJK, kept to the characters a point can meet.

The product only loads the two files that come out. Run at set-up; the licence is in OFL.txt beside them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

HERE = Path(__file__).resolve().parent
SOURCE = Path("/usr/share/fonts/opentype/noto")  # Debian package fonts-noto-cjk
SC_FACE = 2  # order in the collection: JP KR SC TC HK; face 0 draws 直 骨 角 the Japanese way
WEIGHTS = {"kiosk-regular.otf": "NotoSansCJK-Regular.ttc", "kiosk-bold.otf": "NotoSansCJK-Bold.ttc"}
NAMES_BEYOND = "𠮷"  # common in names, in neither set

# Latin letters with accents, punctuation, arrows, box and block signs, circled numbers, full-width forms.
SIGNS = (
    range(0x0020, 0x007F),
    range(0x00A0, 0x0180),
    range(0x2000, 0x2070),
    range(0x20A0, 0x20C0),
    range(0x2100, 0x2200),
    range(0x2460, 0x2500),
    range(0x25A0, 0x2600),
    range(0x3000, 0x3040),
    range(0xFF00, 0xFFF0),
)


def characters() -> set[int]:
    """Tell every code point the kiosk font should have, whether the face has it or not."""
    wanted = set(_gbk()) | set(standard_characters()) | {ord(sign) for sign in NAMES_BEYOND}
    for signs in SIGNS:
        wanted.update(signs)
    return wanted


def standard_characters() -> Iterator[int]:
    """Yield the 8105 characters of 通用规范汉字表."""
    for line in (HERE / "standard_8105.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield from map(ord, line)


def build(source: Path, weight: str, target: Path) -> int:
    """Write one weight of the kiosk font and tell its size in bytes.

    Errors: FileNotFoundError when Debian's font is not installed.
    """
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.desubroutinize = True
    options.notdef_outline = True  # a missing character is a box; without it a name loses it silently
    options.name_IDs = ["*"]  # keeps the licence strings inside the file
    options.recalc_timestamp = False
    with TTCollection(str(source / weight), lazy=True) as collection:
        face = collection.fonts[SC_FACE]
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=characters())
        cutter.subset(face)
        half_done = target.with_suffix(".part.otf")
        face.save(str(half_done))
    half_done.replace(target)
    return target.stat().st_size


def is_current(source: Path, weight: str, target: Path) -> bool:
    """Tell whether the target is there and younger than all it is made from."""
    if not target.exists():
        return False
    made_from = (source / weight, HERE / "standard_8105.txt", Path(__file__))
    return all(part.exists() and part.stat().st_mtime <= target.stat().st_mtime for part in made_from)


def absent(target: Path) -> list[str]:
    """Tell which standard characters a built font lacks; the right answer is an empty list."""
    with TTFont(str(target), lazy=True) as font:
        present = font.getBestCmap()
        return [chr(code) for code in (*standard_characters(), *map(ord, NAMES_BEYOND)) if code not in present]


def main() -> int:
    """Build what is not current. With --check only tell, by the exit code, whether all is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="build nothing; exit 1 if something is to be built")
    parser.add_argument("--source", type=Path, default=SOURCE, help="folder of the Noto CJK collections")
    asked = parser.parse_args()
    due = [name for name, weight in WEIGHTS.items() if not is_current(asked.source, weight, HERE / name)]
    if asked.check:
        return 1 if due else 0
    with ProcessPoolExecutor() as pool:  # half a minute of one core for each weight
        made = {name: pool.submit(build, asked.source, WEIGHTS[name], HERE / name) for name in due}
    for name, size in made.items():
        try:
            sys.stdout.write(f"  {'font':<9} {name}: {size.result() / 1e6:.1f} MB\n")
        except FileNotFoundError as error:
            sys.stderr.write(f"{error.filename} is missing: apt-get install fonts-noto-cjk\n")
            return 1
        if lost := absent(HERE / name):
            sys.stderr.write(f"{name} lacks {len(lost)} standard characters: {''.join(lost[:40])}\n")
            return 1
    return 0


def _gbk() -> Iterator[int]:
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            try:
                text = bytes((lead, trail)).decode("gbk")
            except UnicodeDecodeError:
                continue
            if len(text) == 1:
                yield ord(text)


if __name__ == "__main__":
    sys.exit(main())
