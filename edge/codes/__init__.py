"""What is this scanned text? The public face; the rules live in `edge.codes.recognition`. Pure; no I/O."""

from edge.codes.carriers import CARRIER_NAMES
from edge.codes.recognition import recognise, same_label, to_json
from edge.codes.values import Candidate, Decision, Kind, Recognition

__all__ = ["CARRIER_NAMES", "Candidate", "Decision", "Kind", "Recognition", "recognise", "same_label", "to_json"]
