"""The client against a small HTTP server that answers as an API server does."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from headway_operator.api.migration import Workload
from headway_operator.cluster.api_server import ApiServer
from headway_operator.cluster.interface import (
    ClusterError,
    Conflict,
    Forbidden,
    Invalid,
    Key,
    NotFound,
    Unavailable,
)
from headway_operator.cluster.kube import KubeCluster
from headway_operator.cluster.permissions import PERMISSIONS

KEY = Key("shop", "main")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Answers:
    """Answers every request with `answer`; keeps what was asked."""

    def __init__(self) -> None:
        self.answer: Answer = self.empty
        self.asked: list[tuple[str, str, Any, str]] = []

    async def empty(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"metadata": {"resourceVersion": "7"}, "items": []})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        body = json.loads(text) if text else None
        self.asked.append((request.method, request.path_qs, body, request.content_type))
        return await self.answer(request)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Answers, KubeCluster]]:
    api = Answers()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(app) as running, aiohttp.ClientSession(base_url=running.make_url("/")) as session:
        yield api, KubeCluster(ApiServer(session), ("shop",))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unavailable),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (422, Invalid),
        (429, Unavailable),
        (503, Unavailable),
    ],
)
async def test_each_answer_has_one_meaning_and_keeps_its_message(
    status: int, kind: type[ClusterError], server: tuple[Answers, KubeCluster]
) -> None:
    api, cluster = server

    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.json_response({"kind": "Status", "message": "because"}, status=status)

    api.answer = refuse
    with pytest.raises(kind, match=f"HTTP {status}: because"):
        await cluster.get_migration(KEY)


async def test_an_api_server_that_is_not_there_is_unavailable() -> None:
    async with aiohttp.ClientSession(base_url="http://127.0.0.1:1/") as session:
        cluster = KubeCluster(ApiServer(session))
        with pytest.raises(Unavailable, match="no answer from the API server"):
            await cluster.list_migrations()
        with pytest.raises(Unavailable):
            async for _ in cluster.follow_log("shop", "pod", ""):
                pass


async def test_a_status_is_applied_with_the_version_that_was_read(
    server: tuple[Answers, KubeCluster],
) -> None:
    api, cluster = server
    assert await cluster.apply_status(KEY, "6", {"phase": "Migrating"}) == "7"
    ((method, path, body, content_type),) = api.asked
    assert (method, content_type) == ("PATCH", "application/apply-patch+yaml")
    assert path.endswith("/databasemigrations/main/status?fieldManager=headway-operator&force=true")
    assert body["metadata"]["resourceVersion"] == "6"


async def test_finalizers_are_written_only_over_the_version_that_was_read(
    server: tuple[Answers, KubeCluster],
) -> None:
    api, cluster = server
    await cluster.set_finalizers(KEY, "6", ("a", "b"))
    assert api.asked[0][2] == {"metadata": {"resourceVersion": "6", "finalizers": ["a", "b"]}}


async def test_lists_are_read_page_by_page(server: tuple[Answers, KubeCluster]) -> None:
    api, cluster = server

    async def pages(request: web.Request) -> web.StreamResponse:
        if request.query.get("continue"):
            return web.json_response({"metadata": {}, "items": [{"n": 2}]})
        return web.json_response({"metadata": {"continue": "more"}, "items": [{"n": 1}]})

    api.answer = pages
    assert await cluster.list_jobs(KEY, "u1") == [{"n": 1}, {"n": 2}]
    assert "labelSelector=app.kubernetes.io/managed-by%3Dheadway,headway.dev/uid%3Du1" in api.asked[0][1]


async def test_what_is_gone_already_needs_no_deletion_and_what_was_told_no_event(
    server: tuple[Answers, KubeCluster],
) -> None:
    api, cluster = server

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=404 if request.method == "DELETE" else 409)

    api.answer = answer
    await cluster.delete_job("shop", "job")
    await cluster.post_event("shop", {"metadata": {"name": "e"}})
    assert api.asked[0][2] == {"propagationPolicy": "Foreground"}


async def test_a_log_is_followed_line_by_line_from_a_time_on(server: tuple[Answers, KubeCluster]) -> None:
    api, cluster = server

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in (b"one\nt", b"wo\n"):
            await response.write(chunk)
        return response

    api.answer = stream
    lines = [line async for line in cluster.follow_log("shop", "pod", "2026-11-23T08:00:00.5Z")]
    assert lines == ["one", "two"]
    assert "follow=true&sinceTime=2026-11-23T08:00:00.5Z" in api.asked[0][1]
    assert [line async for line in cluster.read_log("shop", "pod")] == ["one", "two"]
    assert all("container=migrate" in path for _, path, *_ in api.asked), "others may be beside it"


async def test_a_missing_definition_is_noticed(server: tuple[Answers, KubeCluster]) -> None:
    api, cluster = server

    async def nothing(request: web.Request) -> web.StreamResponse:
        return web.json_response({}, status=404)

    assert await cluster.has_definition()
    api.answer = nothing
    assert not await cluster.has_definition()


async def test_who_may_not_write_sends_nothing_but_reads() -> None:
    api = Answers()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(app) as running, aiohttp.ClientSession(base_url=running.make_url("/")) as session:
        cluster = KubeCluster(ApiServer(session, may_write=lambda: False), ("shop",))
        assert await cluster.list_migrations() == []
        with pytest.raises(Unavailable, match="not the leader"):
            await cluster.delete_job("shop", "job")
    assert [method for method, *_ in api.asked] == ["GET"]


VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
WATCHED = {("headway.dev", "databasemigrations"), ("batch", "jobs"), ("", "pods")}
PATH = re.compile(
    r"/apis?/(?:(?P<group>[\w.-]+\.[\w.]+|batch|apps)/)?\w+/namespaces/[\w-]+/"
    r"(?P<plural>\w+)(?:/(?P<name>[\w-]+)(?:/(?P<part>\w+))?)?"
)


def verb_of(method: str, path: str) -> tuple[str, str, str]:
    """Group, resource and verb, as the API server's authorizer understands a request."""
    found = PATH.match(path)
    assert found is not None, path
    resource = "/".join(filter(None, (found["plural"], found["part"])))
    is_list = method == "GET" and not found["name"]
    return found["group"] or "", resource, "list" if is_list else VERBS[method]


async def test_the_permissions_are_what_the_client_asks_for_and_nothing_else(
    server: tuple[Answers, KubeCluster],
) -> None:
    api, cluster = server
    await cluster.get_migration(KEY)
    await cluster.list_migrations()
    await cluster.list_jobs(KEY, "uid")
    await cluster.list_pods(KEY, "uid")
    await cluster.create_job("shop", {})
    await cluster.get_job("shop", "job")
    await cluster.delete_job("shop", "job")
    await cluster.set_finalizers(KEY, "1", ())
    await cluster.apply_status(KEY, "1", {})
    await cluster.annotate_pod("shop", "pod", {})
    await cluster.post_event("shop", {})
    assert [line async for line in cluster.read_log("shop", "pod")]
    await cluster.get_workload("shop", Workload(deployment="shop"))
    await cluster.get_workload("shop", Workload(stateful_set="shop"))
    # follow_log asks for what read_log does; there is one request more than methods for the two workloads.
    methods = {name for name in vars(KubeCluster) if not name.startswith("_")}
    assert len(methods - {"close", "has_definition", "follow_log"}) == len(api.asked) - 1
    used = {verb_of(method, path.partition("?")[0]) for method, path, *_ in api.asked}
    used |= {(group, resource, "watch") for group, resource in WATCHED}
    # Setting an ownerReference that blocks deletion asks for this, where that admission is on.
    used.add(("headway.dev", "databasemigrations/finalizers", "update"))
    assert used == {(one.group, one.resource, verb) for one in PERMISSIONS for verb in one.verbs}
