"""A resource of a cluster as the command line sees it: read, annotated, waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from headway_cli.commands import Command
from headway_operator.api.migration import GROUP, PLURAL, VERSION, Migration, parse
from headway_operator.cluster.api_server import MERGE, ApiServer
from headway_operator.cluster.interface import ClusterError, Unavailable

LOOK_SECONDS = 0.2
"""Between two looks while the operator's answer is waited for."""


class NoAnswer(Exception):
    """The command is written, and the operator has not acknowledged it in time; the text, if any, says what kept us
    from seeing that.
    """


class Unsure(Exception):
    """Nobody knows whether the command was written: the API server did not say; the text says what it said."""


class Remote:
    """One resource. Methods raise ``ClusterError`` of the fitting kind, if they do not say otherwise."""

    def __init__(self, api: ApiServer, namespace: str, name: str) -> None:
        """Of this name in this namespace."""
        self._api = api
        self._path = f"apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}"

    async def read(self) -> Migration:
        """As it is now."""
        return parse(await self._api.json("GET", self._path))

    async def annotate(self, annotations: Mapping[str, str | None]) -> None:
        """Set these annotations; None takes one away. Raises :class:`Unsure`, too."""
        body = {"metadata": {"annotations": dict(annotations)}}
        try:
            await self._api.json("PATCH", f"{self._path}?fieldManager=headway", body, MERGE)
        except Unavailable as error:
            raise Unsure(str(error)) from None

    async def answer(self, command: Command, seconds: float) -> Migration:
        """The resource once its status answers the command; raises :class:`NoAnswer` alone, after so many seconds, or
        when the resource can be read no more. An API server that is away is asked again.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            trouble = ""
            try:
                migration = await self.read()
                if command.is_answered(migration.status):
                    return migration
            except Unavailable as error:
                trouble = str(error)
            except ClusterError as error:
                raise NoAnswer(str(error)) from None
            if loop.time() >= until:
                raise NoAnswer(trouble)
            await asyncio.sleep(LOOK_SECONDS)

    async def who(self) -> str:
        """The user's name as the API server knows it; '' where it does not tell."""
        kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            review = await self._api.json("POST", "apis/authentication.k8s.io/v1/selfsubjectreviews", kind)
        except ClusterError:
            return ""  # Kubernetes before 1.28 has no such answer; then nobody is named.
        return str(review.get("status", {}).get("userInfo", {}).get("username", ""))
