"""A packed batch as people can read it: where it begins, its facts, where it ends. Personal values are masked. Pure.

Nothing is verified: that takes the key of the site. A batch comes from a capture of the line, or from a report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge import events
from edge.chain import Item
from edge.events import PERSONAL, BadFact, Encoded
from edge.logs import mask
from sync.packing import dictionary_of
from sync.wire import decode_batch


def readable(payload: bytes) -> Iterator[dict[str, Any]]:
    """Yield the frame of a batch, then its facts in order. Errors: BadBatch, before anything is yielded."""
    batch = decode_batch(payload)
    frame = {"log": batch.log_id, "first": batch.first, "last": batch.last, "facts": len(batch.items)}
    marks = {"prev": batch.prev, "mark": batch.mark}
    yield {**frame, **marks, "bytes": len(payload), "dictionary": dictionary_of(payload)}
    for item in batch.items:
        at = item.stamp
        stamp = {"at": at.at, "boot": at.boot, "ms": at.ms, "synced": at.synced}
        yield {"seq": item.seq, "kind": item.kind, "body": _body(item), **stamp, **_personal(item)}


def _body(item: Item) -> Any:
    """The body as an object; one that is none of ours may hold anything, so it is masked."""
    try:
        return events.parse_body(item.body)
    except BadFact:
        return mask(item.body)


def _personal(item: Item) -> dict[str, Any]:
    if not item.personal:
        return {}
    try:
        fact = events.decode(Encoded(item.kind, item.body, item.personal))
    except BadFact:
        return {"personal": dict.fromkeys(item.personal, "*")}
    values = {name: getattr(fact, name, None) for name in item.personal}
    return {"personal": {name: str(value) if isinstance(value, PERSONAL) else "*" for name, value in values.items()}}
