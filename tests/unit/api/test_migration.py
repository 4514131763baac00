"""The resource as the API server gives it, whatever somebody wrote into it."""

from __future__ import annotations

from headway_contract.codec import encode
from headway_operator.api.migration import API_VERSION, parse
from headway_operator.api.status import Status
from support.builders import a_migration
from support.model import ModelCluster


def a_body(**parts):
    metadata = {"name": "shop", "namespace": "shops", "uid": "u", "generation": 3, "resourceVersion": "9"}
    spec = {"image": "shop:1", "databases": [{"name": "main", "dependsOn": []}]}
    return {"apiVersion": API_VERSION, "metadata": metadata, "spec": spec, **parts}


def test_a_specification_is_read_with_its_defaults():
    migration = parse(a_body())
    assert migration.problem == ""
    assert migration.spec.target_of(migration.spec.databases[0]) == "heads"
    assert (migration.generation, migration.resource_version, migration.deleting) == (3, "9", False)


def test_a_specification_that_does_not_fit_is_a_problem_and_no_exception():
    migration = parse(a_body(spec={"image": "shop:1", "databases": "main"}))
    assert migration.spec is None
    assert migration.problem == "spec.databases should be a list, but is a str"
    assert parse(a_body(spec=None)).problem == "spec.image is missing"


def test_a_field_of_a_newer_release_is_no_problem():
    assert parse(a_body(spec={**a_body()["spec"], "sparkle": True})).problem == ""


def test_a_status_comes_back_as_it_was_written():
    cluster = ModelCluster(a_migration("main", "audit"))
    cluster.settle()
    assert parse(a_body(status=encode(cluster.status))).status == cluster.status


def test_a_spoiled_status_reads_as_none_at_all():
    for spoiled in (
        {"databases": "gone"},
        {"observedGeneration": "x"},
        {"databases": [{"name": "a", "phase": "Odd"}]},
    ):
        assert parse(a_body(status=spoiled)).status == Status()


def test_a_resource_without_metadata_that_is_optional_can_be_read():
    migration = parse({"metadata": {"name": "shop"}, "spec": {}})
    assert (migration.uid, migration.annotations, migration.retry_token, migration.paused_token) == (
        "",
        {},
        "",
        "",
    )
