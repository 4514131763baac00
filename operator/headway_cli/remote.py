"""A resource of a cluster as the command line sees it: read, annotated, waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from headway_cli.commands import Command
from headway_operator.api.migration import GROUP, PLURAL, VERSION, Migration, parse
from headway_operator.cluster.api_server import MERGE, ApiServer
from headway_operator.cluster.interface import ClusterError

LOOK_SECONDS = 0.2
"""Between two looks while the operator's answer is waited for."""


class NoAnswer(Exception):
    """The command is written, and the operator has not acknowledged it in time."""


class Remote:
    """One resource. Every method raises ``ClusterError`` of the fitting kind."""

    def __init__(self, api: ApiServer, namespace: str, name: str) -> None:
        """Of this name in this namespace."""
        self._api = api
        self._path = f"apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}"

    async def read(self) -> Migration:
        """As it is now."""
        return parse(await self._api.json("GET", self._path))

    async def annotate(self, annotations: Mapping[str, str | None]) -> None:
        """Set these annotations; None takes one away."""
        body = {"metadata": {"annotations": dict(annotations)}}
        await self._api.json("PATCH", f"{self._path}?fieldManager=headway", body, MERGE)

    async def answer(self, command: Command, seconds: float) -> Migration:
        """The resource once its status answers the command; raises :class:`NoAnswer` after so many seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            migration = await self.read()
            if command.is_answered(migration.status):
                return migration
            if loop.time() >= until:
                raise NoAnswer
            await asyncio.sleep(LOOK_SECONDS)

    async def who(self) -> str:
        """The user's name as the API server knows it; '' where it does not tell."""
        kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            review = await self._api.json("POST", "apis/authentication.k8s.io/v1/selfsubjectreviews", kind)
        except ClusterError:
            return ""  # Kubernetes before 1.28 has no such answer; then nobody is named.
        return str(review.get("status", {}).get("userInfo", {}).get("username", ""))
