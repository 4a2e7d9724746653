"""The hub and its terminals on three broker nodes that die by kill -9: nothing lost, nothing doubled, order kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging" / "hub"))

from cluster import missing
from drill import Drill, play

needs_nats = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@needs_nats
@pytest.mark.timeout(240)
def test_a_node_dies_while_points_send_and_every_fact_arrives_once(tmp_path: Path) -> None:
    found = play(tmp_path, Drill(sites=40, facts=20, seconds=10, kills=(1,)))
    assert [each["node"] for each in found["killed"]] == [1]
    assert found["held"], json.dumps(found, indent=1)


@needs_nats
@pytest.mark.soak
@pytest.mark.parametrize("qos", [0, 1])
def test_each_node_dies_in_turn(tmp_path: Path, qos: int) -> None:
    sites = 1_000 if qos == 0 else 6  # at QoS 1 the nodes vote on each message and on each subscription
    found = play(tmp_path, Drill(sites=sites, facts=60, seconds=60, qos=qos))
    print(json.dumps(found, indent=1))
    assert len(found["killed"]) == 3
    assert found["held"], json.dumps(found, indent=1)
