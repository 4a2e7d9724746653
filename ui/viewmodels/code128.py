"""Code 128 for a screen: a text to the widths of its bars and gaps. Pure.

Only set B: the codes shown here are a dozen signs, and pairs of digits need not be dense.
Source: ISO/IEC 15417, table 1 (widths of bar, gap, bar, gap, bar, gap in modules) and annex A (check sign).
"""

from __future__ import annotations

WIDTHS = """
    212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222
    123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321
    232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121
    313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224
    111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111
    111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
    114311 411113 411311 113141 114131 311141 411131 211412 211214 211232
""".split()
START_B = 104
STOP = "2331112"
QUIET = 10  # modules of empty ground that belong to the code on each side


def modules(text: str) -> list[int]:
    """Return the widths, a bar first, then bar and gap in turn; the quiet zones are left to whoever draws.

    Errors: ValueError for signs that set B does not have.
    """
    if not text or not all(" " <= sign <= "~" for sign in text):
        raise ValueError("Code 128 B has printable ASCII only")
    values = [START_B, *(ord(sign) - 32 for sign in text)]
    check = sum(value * max(1, at) for at, value in enumerate(values)) % 103
    return [int(width) for code in (*(WIDTHS[value] for value in (*values, check)), STOP) for width in code]
