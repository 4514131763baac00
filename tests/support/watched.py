"""What the API server tells of one resource, from a moment on."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import Any

from support.apiclient import ApiClient
from support.resources import Resources

SECONDS_PER_WRITE = 2.0
"""At most one write of a status in so many, while rows move."""


class Watched:
    """Every state of one resource that the API server tells of."""

    def __init__(self, client: ApiClient, shop: Resources, name: str) -> None:
        self.seen: list[dict[str, Any]] = []
        version = shop.get(name)["metadata"]["resourceVersion"]
        path = f"{shop.migrations}?watch=true&resourceVersion={version}&fieldSelector=metadata.name={name}"
        self._opening = client.stream(path)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        with self._opening as self._stream:
            for line in self._stream:
                self.seen.append(json.loads(line)["object"])

    def close(self) -> None:
        """It is not followed any more."""
        self._stream.interrupt()
        self._thread.join(10)

    def of_phase(self, phase: str) -> list[dict[str, Any]]:
        """The states whose status was written: taking the finalizer away at the end changes something else."""
        before: dict[str, Any] = {}
        found = []
        for body in self.seen:
            if body["status"] != before and body["status"].get("phase") == phase:
                found.append(body)
            before = body["status"]
        return found


def is_seldom(states: list[dict[str, Any]]) -> bool:
    """Whether these were written at that pace, by the API server's clock: a test may read them late.

    Its times are whole seconds, and the first of two writes may be longer on its way: one more is let pass.
    """
    lasted = (_written(states[-1]) - _written(states[0])).total_seconds()
    return len(states) - 1 <= lasted / SECONDS_PER_WRITE + 1


def _written(body: dict[str, Any]) -> datetime:
    """When its status was."""
    entries = body["metadata"]["managedFields"]
    return max(datetime.fromisoformat(one["time"]) for one in entries if one.get("subresource") == "status")
