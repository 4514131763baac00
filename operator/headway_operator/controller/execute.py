"""Does what was decided: the actions in their order, the news as events, the status last.

A step that was done already before a crash is found done. Whatever stops half-way is decided anew from what is there.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from headway_contract.codec import encode
from headway_contract.control import ANNOTATION, Control
from headway_operator.api.hooks import HookStatus
from headway_operator.api.migration import FINALIZER, LintSettings, Migration
from headway_operator.api.status import Status
from headway_operator.cluster.interface import (
    Body,
    Cluster,
    ClusterError,
    Conflict,
    Forbidden,
    Invalid,
    Key,
    NotFound,
)
from headway_operator.cluster.views import controller_uid
from headway_operator.controller.progress import is_advisory
from headway_operator.manifests.event import event_for
from headway_operator.manifests.job import job_for
from headway_operator.manifests.labels import labels_for
from headway_operator.planner.actions import (
    Action,
    AddFinalizer,
    Decision,
    DeleteJob,
    RemoveFinalizer,
    StartJob,
    SteerJob,
    StopJob,
    TellUser,
)
from headway_operator.planner.news import news, news_of_lint
from headway_operator.planner.snapshot import RefusedStart, Snapshot
from headway_operator.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    """What became of the actions: the version of the resource after them, and the Jobs that could not be created."""

    version: str
    refused: tuple[RefusedStart, ...] = ()


@dataclass(frozen=True)
class Report:
    """What is left to tell once the actions are done: ``status`` over ``version`` of the resource."""

    status: Status
    version: str
    wake_after: timedelta | None
    given_way: tuple[HookStatus, ...] = ()
    """What the status has no room for."""


async def act(cluster: Cluster, migration: Migration, decision: Decision, settings: Settings) -> Done:
    """The actions, in their order. Raises :class:`ClusterError`.

    Of a Job that cannot be created the others know nothing. What rests on it is decided anew, such as the status and
    what its history lets go.
    """
    version, refused = migration.resource_version, list[RefusedStart]()
    for action in decision.actions:
        if isinstance(action, StartJob):
            refused += await _start(cluster, migration, action, settings)
        else:
            version = await _do(cluster, migration, action, version)
    return Done(version, tuple(refused))


async def sweep(cluster: Cluster, migration: Migration, decision: Decision) -> None:
    """Delete what the history of the status that is to be told has let go. Raises :class:`ClusterError`."""
    for action in decision.sweep:
        await cluster.delete_job(migration.namespace, action.name)


async def tell(
    cluster: Cluster, snapshot: Snapshot, report: Report, turn: Callable[[bool], float]
) -> timedelta | None:
    """The news as events, then the status; returns after which time at most to look again.

    ``turn`` says in how many seconds a write may be made, 0 takes the turn; its argument says whether it is mere
    progress: all else is written at once. Raises :class:`ClusterError`.
    """
    old, new, wake = snapshot.migration.status, report.status, report.wake_after
    if new == old:
        return wake
    if (delay := turn(is_advisory(old, new))) > 0:
        pause = timedelta(seconds=delay)
        return pause if wake is None else min(pause, wake)
    await _post_events(cluster, snapshot, report)
    await cluster.apply_status(_key(snapshot.migration), report.version, encode(new))
    return wake


async def _do(cluster: Cluster, migration: Migration, action: Action, version: str) -> str:
    """One action; returns the resource's version after it."""
    match action:
        case AddFinalizer():
            return await _set_finalizers(cluster, migration, version, (*migration.finalizers, FINALIZER))
        case RemoveFinalizer():
            others = tuple(name for name in migration.finalizers if name != FINALIZER)
            return await _set_finalizers(cluster, migration, version, others)
        case StopJob():
            wish = Control(action.sequence, stop=True, reason=action.reason)
            await _wish(cluster, migration, action.pod, wish)
        case SteerJob():
            await _wish(cluster, migration, action.pod, action.control)
        case DeleteJob():
            await cluster.delete_job(migration.namespace, action.name)
    return version


async def _set_finalizers(
    cluster: Cluster, migration: Migration, version: str, finalizers: tuple[str, ...]
) -> str:
    return await cluster.set_finalizers(_key(migration), version, finalizers)


async def _start(
    cluster: Cluster, migration: Migration, start: StartJob, settings: Settings
) -> tuple[RefusedStart, ...]:
    """Create the Job, or say why not. One of ours that is there unexpectedly means that the look was too old: look
    again.
    """
    try:
        await cluster.create_job(migration.namespace, job_for(start, migration, settings))
    except Conflict:
        existing = await cluster.get_job(migration.namespace, start.name)
        if is_ours(existing, start, migration):
            raise
        happened = f"{start.name} is in the way"
        return (RefusedStart(start.name, start.database, "JobNameConflict", happened),)
    except (Invalid, Forbidden) as error:
        return (RefusedStart(start.name, start.database, "JobRefused", str(error)),)
    return ()


def is_ours(job: Body, start: StartJob, migration: Migration) -> bool:
    """Whether this is the very Job that was to be created."""
    marks = job["metadata"].get("labels") or {}
    wanted = labels_for(start, migration)
    return controller_uid(job) == migration.uid and all(
        marks.get(name) == value for name, value in wanted.items()
    )


async def _wish(cluster: Cluster, migration: Migration, pod: str, wish: Control) -> None:
    try:
        await cluster.annotate_pod(migration.namespace, pod, {ANNOTATION: wish.to_json()})
    except NotFound:
        log.info("pod %s/%s is gone and needs no wish", migration.namespace, pod)


async def _post_events(cluster: Cluster, snapshot: Snapshot, report: Report) -> None:
    """Of what the status tells anew, or would with more room; events are for people and hold nothing up."""
    migration, status = snapshot.migration, report.status
    attempts = 1 if migration.spec is None else migration.spec.retry.attempts
    lint = LintSettings() if migration.spec is None else migration.spec.lint
    old, name = migration.status, migration.name
    told = (*news(old, status, attempts, name, report.given_way), *news_of_lint(old, status, lint, name))
    await post(cluster, snapshot, told)


async def post(cluster: Cluster, snapshot: Snapshot, told: Iterable[TellUser]) -> None:
    """Each as an event of the resource; one that cannot be posted, or not even be made, is only logged."""
    migration = snapshot.migration
    for number, item in enumerate(told):
        # What one look tells keeps its order for whoever sorts by time.
        time = snapshot.now + timedelta(microseconds=number)
        try:
            await cluster.post_event(migration.namespace, event_for(item, migration, time))
        except ClusterError as error:
            log.warning("no event %s for %s/%s: %s", item.reason, migration.namespace, migration.name, error)
        except Exception:
            place = f"{migration.namespace}/{migration.name}"
            log.exception("no event %s for %s: this is a defect of the operator", item.reason, place)


def _key(migration: Migration) -> Key:
    return Key(migration.namespace, migration.name)
