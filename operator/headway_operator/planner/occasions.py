"""What happens in a run that somebody outside may want to know of, and the messages that tell of it.

A message's id follows from run, hook and occasion alone, so it is the same however often it is worked out; its text
is kept with it in the status until it has been sent, so that it is the same in every attempt.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headway_contract.codec import encode
from headway_operator.api.hooks import Hook, HookStatus, Point, Result
from headway_operator.api.migration import GROUP, PLURAL, VERSION, Migration
from headway_operator.api.status import BackfillStatus, DatabaseStatus, Run, Status
from headway_operator.planner.deliveries import Delivery

EVENTS = {
    Point.BEFORE_MIGRATION: "dev.headway.migration.before",
    Point.BEFORE_DATABASE: "dev.headway.database.before",
    Point.BEFORE_REVISION: "dev.headway.revision.before",
    Point.AFTER_REVISION: "dev.headway.revision.after",
    Point.AFTER_DATABASE: "dev.headway.database.after",
    Point.ON_READY: "dev.headway.migration.ready",
    Point.AFTER_MIGRATION: "dev.headway.migration.after",
    Point.ON_FAILURE: "dev.headway.migration.failed",
    Point.ON_APPROVAL_REQUIRED: "dev.headway.approval.required",
    Point.DURING_BACKFILL: "dev.headway.backfill.running",
}
"""The ``type`` of a message, by its point."""

SENTENCE_CHARACTERS = 500
_DIGITS = 24


@dataclass(frozen=True)
class Occasion:
    """One thing that happens; ``what`` tells apart two of the same point, database and revision."""

    point: Point
    database: str = ""
    revision: str = ""
    what: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What its message says beside the common things; no part of its identity."""

    def concerns(self, hook: Hook) -> bool:
        """Whether this hook stands at its point."""
        return self.point in hook.points


def message_id(uid: str, run: str, hook: str, occasion: Occasion) -> str:
    """``3f9c2e01.``, then a hash of all that it is about."""
    about = [uid, run, hook, occasion.point, occasion.database, occasion.revision, occasion.what]
    return f"{run}.{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:_DIGITS]}"


def entry_for(
    hook: Hook, occasion: Occasion, migration: Migration, run: Run, status: Status, now: str
) -> HookStatus:
    """The intent to tell this hook of this occasion."""
    return HookStatus(
        name=hook.name,
        type=hook.type,
        point=occasion.point,
        result=Result.PENDING,
        id=message_id(migration.uid, run.id, hook.name, occasion),
        run=run.id,
        database=occasion.database,
        revision=occasion.revision,
        occurred_time=now,
        payload=json.dumps(_data(occasion, migration, run, status), separators=(",", ":")),
    )


def delivery_for(hook: Hook, entry: HookStatus, migration: Migration) -> Delivery:
    """The message of this entry, as it is sent."""
    return Delivery(
        id=entry.id,
        hook=hook.name,
        type=entry.type,
        point=entry.point,
        event=EVENTS[entry.point],
        source=_source(migration),
        subject="/".join(filter(None, (entry.run, entry.database, entry.revision))),
        data=json.loads(entry.payload or "{}"),
        occurred=entry.occurred_time or "",
        url=hook.url,
        endpoint=hook.endpoint,
        timeout_seconds=hook.timeout_seconds,
    )


def question_for(
    hook: Hook, database: DatabaseStatus, migration: Migration, run: Run, status: Status, now: str
) -> Delivery:
    """May the backfill of this database go on now? A new message each time, so its id has the time in it."""
    backfill = database.backfill or BackfillStatus()
    occasion = Occasion(Point.DURING_BACKFILL, database.name, backfill.revision, now, _progress(backfill))
    entry = entry_for(hook, occasion, migration, run, status, now)
    return delivery_for(hook, entry, migration)


def _source(migration: Migration) -> str:
    place = f"/apis/{GROUP}/{VERSION}/namespaces/{migration.namespace}"
    return f"{place}/{PLURAL}/{migration.name}"


def _data(occasion: Occasion, migration: Migration, run: Run, status: Status) -> dict[str, Any]:
    """Thin and bounded: whoever wants more looks at the resource."""
    plan = status.plan
    data: dict[str, Any] = {
        "point": occasion.point.value,
        "resource": {
            "namespace": migration.namespace,
            "name": migration.name,
            "uid": migration.uid,
            "generation": run.generation,
        },
        "run": {"id": run.id, "revision": run.revision, "image": run.image, "startTime": run.start_time},
    }
    if plan is not None and plan.digest:
        data["plan"] = {"digest": plan.digest, "revisions": plan.revisions, "databases": plan.databases}
    database = status.database(occasion.database) if occasion.database else None
    if database is not None:
        data["database"] = _database(database)
    if occasion.revision:
        data["revision"] = occasion.revision
    return data | dict(occasion.facts)


def _database(database: DatabaseStatus) -> dict[str, Any]:
    return {
        "name": database.name,
        "currentRevision": database.current_revision,
        "targetRevision": database.target_revision,
        "revisionsDone": database.revisions_done,
        "revisionsTotal": database.revisions_total,
        "attempt": database.attempt,
    }


def _progress(backfill: BackfillStatus) -> dict[str, Any]:
    return {"backfill": encode(backfill)}
