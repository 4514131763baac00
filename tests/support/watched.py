"""What the API server tells of one resource, from a moment on."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from support.apiclient import ApiClient
from support.resources import Resources

SECONDS_PER_WRITE = 2.0
"""At most one write of a status in so many, while rows move."""


class Watched:
    """Every state of one resource that the API server tells of, with when it came."""

    def __init__(self, client: ApiClient, shop: Resources, name: str) -> None:
        self.seen: list[tuple[float, dict[str, Any]]] = []
        version = shop.get(name)["metadata"]["resourceVersion"]
        path = f"{shop.migrations}?watch=true&resourceVersion={version}&fieldSelector=metadata.name={name}"
        self._opening = client.stream(path)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        with self._opening as self._stream:
            for line in self._stream:
                self.seen.append((time.monotonic(), json.loads(line)["object"]))

    def close(self) -> None:
        """It is not followed any more."""
        self._stream.interrupt()
        self._thread.join(10)

    def of_phase(self, phase: str) -> list[tuple[float, dict[str, Any]]]:
        """The states whose status was written: taking the finalizer away at the end changes something else."""
        before: dict[str, Any] = {}
        found = []
        for when, body in self.seen:
            if body["status"] != before and body["status"].get("phase") == phase:
                found.append((when, body))
            before = body["status"]
        return found
