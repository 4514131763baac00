"""A delivery as it goes over the wire: one body for Standard Webhooks and CloudEvents (binary mode). Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from headway_operator.planner.deliveries import Delivery

MOST_BYTES = 20_000
"""Of a body; Standard Webhooks advises less than 20 kB."""
CUTS = ((2_000, 100), (500, 30), (120, 10), (40, 3))
"""How long texts and lists of ``data`` may be: the first pair with which the body is short enough."""
CUT_MARK = "truncated"
"""Set in ``data`` when something was left out."""
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F))).translate({ord('"'): None, ord("%"): None})


@dataclass(frozen=True)
class Message:
    """The same in every attempt; what differs are the timestamp and the signatures."""

    id: str
    body: bytes
    headers: Mapping[str, str]


def message_of(delivery: Delivery) -> Message:
    """The message of a delivery."""
    identity = message_id(delivery.id)
    events = {
        "ce-specversion": "1.0",
        "ce-id": identity,
        "ce-source": delivery.source,
        "ce-type": delivery.event,
        "ce-subject": delivery.subject,
        "ce-time": delivery.occurred,
    }
    headers = {"content-type": "application/json", "webhook-id": identity}
    return Message(identity, _body_of(delivery), headers | {k: _header(v) for k, v in events.items() if v})


def message_id(text: str) -> str:
    """A stable id without full stops, which are between the parts of what is signed."""
    if _SAFE_ID.fullmatch(text):
        return text
    return f"msg_{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:40]}"


def _body_of(delivery: Delivery) -> bytes:
    body = _written(delivery, delivery.data)
    for text, items in CUTS:
        if len(body) <= MOST_BYTES:
            return body
        body = _written(delivery, {**_cut(delivery.data, text, items), CUT_MARK: True})
    return body if len(body) <= MOST_BYTES else _written(delivery, {CUT_MARK: True})


def _written(delivery: Delivery, data: Mapping[str, Any]) -> bytes:
    payload = {"type": delivery.event, "timestamp": delivery.occurred, "data": data}
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate, as in a name that was read with the wrong encoding, cannot be sent.
    return text.encode(errors="replace")


def _cut(value: Any, text: int, items: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= text else f"{value[: text - 1]}…"
    if isinstance(value, Mapping):
        return {key: _cut(one, text, items) for key, one in list(value.items())[: max(items, 20)]}
    if isinstance(value, list | tuple):
        return [_cut(one, text, items) for one in value[:items]]
    return value


def _header(value: str) -> str:
    """As CloudEvents' HTTP binding encodes (3.1.3.2): spaces, quotes, percent signs and all beyond ASCII."""
    return quote(value, safe=_PRINTABLE, errors="replace")
