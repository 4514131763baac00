"""The only file that knows kopf: its watches wake the controller, and nothing else of it is used.

No change handlers, daemons, timers or indices: they would write annotations and finalizers into the users' resources.
"""

import asyncio
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import kopf

from headway_operator.api.labels import SELECTOR
from headway_operator.api.migration import GROUP, PLURAL, VERSION
from headway_operator.cluster.access import Access
from headway_operator.controller.loop import Controller
from headway_operator.settings import Settings

RUNNING_PODS = "status.phase!=Succeeded,status.phase!=Failed"
"""A pod that ends leaves the selection, which a watch tells as a deletion: that wakes its resource too."""

IDENTITY: Any = "headway"
LOGIN_PAUSE_SECONDS = 1.0
ERROR_SECONDS = 600.0
"""How long a watch may be refused before the process gives up, to be started again by its supervisor."""


class Backoffs:
    """Pauses of kopf's requests, anew for each: doubled from 0.5 s up to 30 s, about ``ERROR_SECONDS`` in all."""

    def __iter__(self) -> Iterator[float]:
        """The pauses of one request, in seconds."""
        pause, spent = 0.5, 0.0
        while spent < ERROR_SECONDS:
            yield pause * random.uniform(0.8, 1.0)
            spent += pause
            pause = min(pause * 2, 30.0)


async def watch(
    controller: Controller, access: Access, settings: Settings, ready: asyncio.Event, stop: asyncio.Event
) -> None:
    """Run kopf until ``stop``; ``ready`` is set once it has started. Raises what kopf gives up with."""
    await kopf.operator(
        registry=registry_for(controller, access),
        settings=kopf_settings(),
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        # For its peering, which is off. By itself kopf asks for the user's name, and an image's number has none.
        identity=IDENTITY,
        ready_flag=ready,
        stop_flag=stop,
    )


def registry_for(controller: Controller, access: Access) -> kopf.OperatorRegistry:
    """The three watches and the login."""
    registry = kopf.OperatorRegistry()

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def migration_changed(event: Mapping[str, Any], **_: Any) -> None:
        body = dict(event["object"])
        if event["type"] == "DELETED":
            controller.on_migration_gone(body)
        else:
            controller.on_migration(body)

    @kopf.on.event("batch", "v1", "jobs", registry=registry)
    @kopf.on.event("", "v1", "pods", registry=registry)
    async def owned_changed(event: Mapping[str, Any], **_: Any) -> None:
        controller.on_owned(dict(event["object"]), gone=event["type"] == "DELETED")

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:
        # kopf closes the session that failed and asks again without a pause.
        await asyncio.sleep(LOGIN_PAUSE_SECONDS if login_was_called else 0)
        login_was_called.append(True)
        return kopf.AiohttpSession(server=access.server, aiohttp_session=access.session())

    login_was_called: list[bool] = []
    return registry


def kopf_settings() -> kopf.OperatorSettings:
    """Reasons for most of them: kopf's defaults wait for minutes, write events, or want more permissions."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.watching.server_timeout = 240
    settings.watching.client_timeout = 255
    settings.watching.inactivity_timeout = 70
    settings.watching.connect_timeout = 10
    settings.watching.reconnect_backoff = 1.0
    # Small pages and no finished pods: kopf keeps every object that it sees, and a page is parsed as a whole.
    settings.watching.chunk_size = 100
    settings.watching.field_selectors["", "v1", "pods"] = RUNNING_PODS
    settings.watching.label_selectors["batch", "v1", "jobs"] = SELECTOR
    settings.watching.label_selectors["", "v1", "pods"] = SELECTOR
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = Backoffs()
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 2.0
    settings.queueing.exit_timeout = 2.0
    settings.process.ultimate_exiting_timeout = 5
    _keep_off_the_resources(settings)
    return settings


def _keep_off_the_resources(settings: kopf.OperatorSettings) -> None:
    """Nothing here makes kopf write; should a handler ever do, it must not touch the metadata."""
    settings.persistence.finalizer = f"{GROUP}/kopf-unused"
    settings.persistence.progress_storage = kopf.StatusProgressStorage(
        field="status.kopf.progress", touch_field="status.kopf.dummy"
    )
    settings.persistence.diffbase_storage = NoMemory()


class NoMemory(kopf.DiffBaseStorage):
    """kopf copies every object to find out what changed in it: half of its work, and nobody here asks for it."""

    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[kopf.FieldSpec] | None = None
    ) -> kopf.BodyEssence:
        """Nothing is worth comparing."""
        return {}

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Nothing is known of the object's past."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Nothing is written."""
