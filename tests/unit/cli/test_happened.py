"""The events of a resource: those of this very one, and a line in their place where they cannot be had."""

from __future__ import annotations

from typing import Any

import pytest

from headway_cli.seen.happened import happened
from headway_operator.cluster.interface import ClusterError, Forbidden, Unavailable
from support.builders import a_migration


class Api:
    """Answers a request for events with these, or refuses it."""

    def __init__(self, *items: dict[str, Any], refuses: ClusterError | None = None) -> None:
        self._items, self._refuses = items, refuses

    async def json(self, method: str, path: str, query: dict[str, str]) -> dict[str, Any]:
        assert (method, path) == ("GET", f"apis/events.k8s.io/v1/namespaces/{a_migration().namespace}/events")
        assert query == {
            "fieldSelector": f"regarding.kind=DatabaseMigration,regarding.name={a_migration().name}"
        }
        if self._refuses is not None:
            raise self._refuses
        return {"items": list(self._items)}


def an_event(uid: str, note: str) -> dict[str, Any]:
    return {
        "metadata": {},
        "eventTime": "2026-11-03T10:00:00.000000Z",
        "reason": "Succeeded",
        "note": note,
        "regarding": {"uid": uid},
    }


async def test_events_of_a_resource_of_this_name_that_was_deleted_are_left_out() -> None:
    api = Api(an_event(a_migration().uid, "of this one"), an_event("another", "of the one before"))
    seen = await happened(api, a_migration())  # type: ignore[arg-type]
    assert [event.note for event in seen.events] == ["of this one"]
    assert seen.unseen == ""


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Forbidden("HTTP 403: events is forbidden"), "you may not list events.events.k8s.io here"),
        (Unavailable("no answer from the API server"), "no answer from the API server"),
    ],
)
async def test_what_cannot_be_asked_is_said_and_is_no_error(refusal: ClusterError, said: str) -> None:
    seen = await happened(Api(refuses=refusal), a_migration())  # type: ignore[arg-type]
    assert seen.events == ()
    assert seen.unseen == f"events are not shown: {said}"
