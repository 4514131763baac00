"""All pods of the cluster, now and as they change: list, then watch, and from the start again after any break."""

import http.client
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from support.apiclient import ApiClient, ApiError, Stream

PODS = "/api/v1/pods"
PAUSE_AFTER_A_BREAK = 0.2


class PodWatch:
    """Calls `on_pod` with each pod that is there or changes, `on_gone` with the uid of each that is not any more."""

    def __init__(
        self, client: ApiClient, on_pod: Callable[[dict[str, Any]], None], on_gone: Callable[[str], None]
    ) -> None:
        self._client = client
        self._on_pod = on_pod
        self._on_gone = on_gone
        self._known: set[str] = set()
        self._stopping = threading.Event()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._run, name="pod-watch", daemon=True)

    def start(self) -> None:
        """Begins in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """No call comes any more once this has returned; nothing happens when it was never started."""
        self._stopping.set()
        if self._stream:
            self._stream.interrupt()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            with suppress(ApiError, OSError, http.client.HTTPException):
                self._follow(self._list())
            self._stopping.wait(PAUSE_AFTER_A_BREAK)

    def _list(self) -> str:
        answer = self._client.get(PODS)
        pods = {pod["metadata"]["uid"]: pod for pod in answer["items"]}
        for uid in self._known - pods.keys():
            self._on_gone(uid)
        self._known = set(pods)
        for pod in pods.values():
            self._on_pod(pod)
        return str(answer["metadata"]["resourceVersion"])

    def _follow(self, version: str) -> None:
        with self._client.stream(f"{PODS}?watch=true&resourceVersion={version}") as stream:
            self._stream = stream
            if self._stopping.is_set():
                return
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                self._tell(event["type"], event["object"])

    def _tell(self, kind: str, pod: dict[str, Any]) -> None:
        uid = pod["metadata"]["uid"]
        if kind == "DELETED":
            self._known.discard(uid)
            self._on_gone(uid)
        else:
            self._known.add(uid)
            self._on_pod(pod)
