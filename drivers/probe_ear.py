"""What an unknown port says unasked: scales that stream, guns whose code somebody scans. Pure; nothing is ever sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drivers.probe_talks import BYTE, FORM, SURE, Finding, Scalar
from drivers.wire.equals import Equals
from drivers.wire.scale import ScaleWire
from drivers.wire.scans import LineScans
from drivers.wire.ssi import Ssi
from drivers.wire.toledo import Toledo
from drivers.wire.yaohua_a9 import A9
from drivers.wire.yaohua_a12 import A12

ENOUGH = 3  # readings; a stream sends ten a second
NOISE_BYTES = 24  # more than a stray sign or two
_MIN_CODE, _AIM = 4, "]"
_GUNS = ("serial_scanner", "ssi_scanner")


class Ear:
    """Listen with every codec at once. Holds counts, and no code."""

    def __init__(self) -> None:
        self.heard = 0
        self._scales: Sequence[tuple[str, ScaleWire, tuple[float, float], Mapping[str, Scalar], list[int]]] = [
            ("yaohua_a9", A9(), BYTE, {}, [0]),
            ("yaohua_a12", A12(), FORM, {}, [0]),
            ("scale_equals", Equals(), FORM, {}, [0]),
            ("toledo", Toledo(), BYTE, {}, [0]),
            ("toledo", Toledo(has_check=False), FORM, {"has_check": False}, [0]),
        ]
        self._lines, self._packets = LineScans(), Ssi()
        self._codes = dict.fromkeys(_GUNS, 0)
        self._aims = 0

    def feed(self, chunk: bytes, at_ms: int) -> None:
        """Take bytes as they come."""
        self.heard += len(chunk)
        for _, codec, _, _, count in self._scales:
            count[0] += len(codec.feed(chunk))
        for scan in self._lines.feed(chunk, at_ms):
            is_code = not scan.flaw and len(scan.text) >= _MIN_CODE and scan.text.isprintable()
            self._codes["serial_scanner"] += is_code
            self._aims += is_code and scan.text.startswith(_AIM)
        self._codes["ssi_scanner"] += sum(not scan.flaw for scan in self._packets.feed(chunk, at_ms).scans)

    @property
    def is_sure(self) -> bool:
        """Whether one family is heard beyond doubt."""
        return any(finding.sure >= SURE for finding in self.findings())

    def findings(self) -> list[Finding]:
        """What fits so far, scales before guns: a scale's lines look like codes to a gun's codec."""
        found = [finding for each in self._scales if (finding := self._scale(*each)) is not None]
        kinds = {finding.kind for finding in found}
        found = [each for each in found if not (each.settings and len(kinds) < len(found) and each.kind == "toledo")]
        return found or self._guns()

    def _scale(
        self, kind: str, codec: ScaleWire, weight: tuple[float, float], settings: Mapping[str, Scalar], count: list[int]
    ) -> Finding | None:
        if count[0] == 0:
            return None
        share = 1 - codec.rejected / max(self.heard, 1)
        sure = weight[1] if count[0] >= ENOUGH else weight[0]
        why = f"it streams: {count[0]} whole readings, {share:.0%} of the bytes belong to one"
        return Finding(kind, True, sure if share > 0.7 else sure / 2, why, settings)

    def _guns(self) -> list[Finding]:
        packets, lines = self._codes["ssi_scanner"], self._codes["serial_scanner"]
        if packets:
            return [Finding("ssi_scanner", True, 0.95, f"{packets} codes came in packets with the right sum")]
        if not lines:
            return []
        sure = 0.95 if self._aims else 0.9 if lines > 1 else 0.6
        why = f"{lines} codes came as lines, {self._aims} with an AIM identifier; a newland or honeywell sends the same"
        return [Finding("serial_scanner", True, sure, why)]
