"""What of kopf is used: three watches and a login, nothing that writes."""

import ssl

from headway_operator.cluster.access import Access
from headway_operator.controller.clock import utc_now
from headway_operator.controller.loop import Controller
from headway_operator.controller.triggers import Backoffs, kopf_settings, registry_for
from headway_operator.settings import Settings
from support.fake_cluster import FakeCluster


async def test_kopf_has_no_handler_that_would_write() -> None:
    controller = Controller(FakeCluster(), Settings(), utc_now)
    registry = registry_for(controller, Access("https://127.0.0.1:1", ssl.create_default_context()))
    for part in ("_changing", "_spawning", "_indexing", "_webhooks"):
        assert list(getattr(registry, part).get_all_handlers()) == []
    assert len(list(registry._watching.get_all_handlers())) == 3


def test_kopf_gives_up_a_refused_watch_only_after_minutes() -> None:
    pauses = Backoffs()
    first, second = list(pauses), list(pauses)
    assert len(first) == len(second), "it can be iterated again for the next request"
    assert 300 < sum(first) < 700
    assert max(first) <= 30


def test_kopf_watches_only_what_headway_labelled() -> None:
    selectors = kopf_settings().watching.label_selectors
    assert selectors["batch", "v1", "jobs"] == "app.kubernetes.io/managed-by=headway"
    assert selectors["", "v1", "pods"] == "app.kubernetes.io/managed-by=headway"
