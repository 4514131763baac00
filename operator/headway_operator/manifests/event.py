"""An event of the resource, as ``kubectl describe`` shows it: the same news has the same name, so it is told once."""

import hashlib
from datetime import datetime
from typing import Any

from headway_operator.api.migration import API_VERSION, KIND, Migration
from headway_operator.planner.actions import TellUser

CONTROLLER = "headway.dev/operator"
NOTE_BYTES = 1000
"""The API server takes up to 1,024."""


def event_for(news: TellUser, migration: Migration, now: datetime) -> dict[str, Any]:
    """The ``events.k8s.io/v1`` object to create."""
    digest = hashlib.sha256(f"{migration.uid}/{news.key}/{news.reason}".encode()).hexdigest()[:16]
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{migration.name[:230]}.{digest}", "namespace": migration.namespace},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": CONTROLLER,
        "reportingInstance": CONTROLLER,
        "action": news.reason,
        "reason": news.reason,
        "note": note_of(news.message),
        "type": "Warning" if news.warning else "Normal",
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": migration.name,
            "namespace": migration.namespace,
            "uid": migration.uid,
            "resourceVersion": migration.resource_version,
        },
    }


def note_of(message: str) -> str:
    """The message, its middle left out when it has more bytes than an event takes: what to type comes last."""
    whole = message.encode()
    if len(whole) <= NOTE_BYTES:
        return message
    half = (NOTE_BYTES - len("…".encode())) // 2
    return f"{whole[:half].decode(errors='ignore')}…{whole[-half:].decode(errors='ignore')}"
