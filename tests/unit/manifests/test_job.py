"""The Job that an attempt becomes."""

from dataclasses import replace
from typing import Any

from headway_contract.backfill import BackfillSettings
from headway_contract.control import Control
from headway_contract.drift_report import DriftWish
from headway_contract.failures import FAILURES
from headway_contract.planned import Planned
from headway_contract.request import Mode, RunRequest
from headway_operator.api.migration import Migration, parse
from headway_operator.manifests.event import event_for
from headway_operator.manifests.job import job_for
from headway_operator.planner.actions import StartJob, TellUser
from headway_operator.planner.snapshot import Stage
from headway_operator.settings import Settings
from support.driver import Driver
from support.fake_cluster import FakeCluster, a_spec

SETTINGS = Settings(runner_image="headway:test")
MIGRATE = StartJob("shop-main-r1-1", "r1", "i1", Stage.MIGRATE, "main", 1)
PLAN = StartJob("shop-plan-r1-1", "r1", "i1", Stage.PLAN, "", 1)


def a_migration(*databases: str, **fields: Any) -> Migration:
    metadata = {"name": "shop", "namespace": "shop", "uid": "u1"}
    return parse({"metadata": metadata, "spec": a_spec(*databases, **fields)})


def pod_of(job: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = job["spec"]["template"]["spec"]
    return pod


def main_of(job: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod_of(job)["containers"]
    found: dict[str, Any] = container
    return found


def request_in(job: dict[str, Any]) -> RunRequest:
    (value,) = (entry["value"] for entry in main_of(job)["env"] if entry["name"] == "HEADWAY_REQUEST")
    return RunRequest.from_json(value)


def variables_of(job: dict[str, Any]) -> dict[str, Any]:
    return {
        entry["name"]: entry["valueFrom"]["secretKeyRef"]
        for entry in main_of(job)["env"]
        if "valueFrom" in entry
    }


def test_a_plan_looks_at_all_databases_and_a_migration_at_one() -> None:
    migration = a_migration("main", "audit")
    plan, migrate = job_for(PLAN, migration, SETTINGS), job_for(MIGRATE, migration, SETTINGS)
    assert (request_in(plan).mode, len(request_in(plan).databases)) == (Mode.PLAN, 2)
    assert (request_in(migrate).mode, request_in(migrate).databases[0].name) == (Mode.MIGRATE, "main")
    assert set(variables_of(migrate)) == {"HEADWAY_DATABASE_0_URL"}


def test_what_the_plan_showed_is_in_the_request_of_the_migration() -> None:
    planned = Planned("sha256:1", (("a1",),), ("a2",))
    job = job_for(replace(MIGRATE, planned=planned), a_migration("main"), SETTINGS)
    assert request_in(job).databases[0].planned == planned


def test_a_comparison_is_asked_for_where_it_is_wished_and_has_time_of_its_own() -> None:
    wished = job_for(MIGRATE, a_migration("main", drift={"report": "AfterRun", "ignore": ["a*"]}), SETTINGS)
    plain = job_for(MIGRATE, a_migration("main", drift={"report": "Never"}), SETTINGS)
    assert request_in(plain).drift is None
    assert request_in(wished).drift == DriftWish(("a*",))
    more = wished["spec"]["activeDeadlineSeconds"] - plain["spec"]["activeDeadlineSeconds"]
    assert more == DriftWish().seconds


def test_it_runs_once_and_an_eviction_is_no_failure() -> None:
    spec = job_for(MIGRATE, a_migration("main"), SETTINGS)["spec"]
    assert spec["backoffLimit"] == 0
    evicted, permanent = spec["podFailurePolicy"]["rules"]
    assert evicted == {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }
    assert spec["podReplacementPolicy"] == "Failed", "none comes while the one before it may still run"
    assert permanent["action"] == "FailJob"
    worth_another = {int(failure.exit_code) for failure in FAILURES if failure.retry}
    assert not worth_another & set(permanent["onExitCodes"]["values"])


def test_the_pod_holds_no_token_and_no_privilege() -> None:
    pod = pod_of(job_for(MIGRATE, a_migration("main"), SETTINGS))
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_the_job_belongs_to_the_resource_and_says_what_it_is_for() -> None:
    metadata = job_for(MIGRATE, a_migration("main"), SETTINGS)["metadata"]
    (owner,) = metadata["ownerReferences"]
    assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == ("u1", True, True)
    assert metadata["labels"] == {
        "app.kubernetes.io/managed-by": "headway",
        "headway.dev/uid": "u1",
        "headway.dev/run": "r1",
        "headway.dev/identity": "i1",
        "headway.dev/stage": "Migrate",
        "headway.dev/database": "main",
        "headway.dev/attempt": "1",
    }


def test_no_credential_and_no_reference_is_in_the_request() -> None:
    migration = a_migration("main", alembic={"x": {"home": "$(HOME) $$"}})
    (value,) = (
        entry["value"]
        for entry in main_of(job_for(MIGRATE, migration, SETTINGS))["env"]
        if entry["name"] == "HEADWAY_REQUEST"
    )
    assert "$" not in value, "the kubelet would replace it"
    assert RunRequest.from_json(value).databases[0].x == (("home", "$(HOME) $$"),)


def test_what_the_user_asks_for_the_pod_is_there() -> None:
    job = {
        "serviceAccountName": "shop",
        "nodeSelector": {"disk": "ssd"},
        "imagePullSecrets": [{"name": "registry"}],
        "env": [{"name": "MODE", "value": "x"}],
        "envFrom": [{"secretRef": {"name": "shop-env"}}],
        "securityContext": {"runAsUser": 1000, "fsGroup": 2000},
        "resources": {"limits": {"memory": "1Gi"}},
        "podLabels": {"team": "shop", "headway.dev/run": "forged"},
        "podAnnotations": {"note": "1"},
    }
    made = job_for(MIGRATE, a_migration("main", job=job, alembic={"workingDir": "/app"}), SETTINGS)
    pod, main = pod_of(made), main_of(made)
    assert pod["serviceAccountName"] == "shop"
    assert pod["securityContext"]["runAsUser"] == 1000
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert main["env"][0] == {"name": "MODE", "value": "x"}
    assert (main["workingDir"], main["resources"]) == ("/app", {"limits": {"memory": "1Gi"}})
    labels = made["spec"]["template"]["metadata"]["labels"]
    assert (labels["team"], labels["headway.dev/run"]) == ("shop", "r1")


def test_credentials_of_each_convention_are_taken_by_their_keys() -> None:
    expected = {"CloudNativePG": "username", "Crunchy": "user", "ServiceBinding": "username"}
    for convention, key in expected.items():
        source = {"name": "main", "credentialsFrom": {"secretRef": {"name": "s"}, "keys": convention}}
        job = job_for(MIGRATE, a_migration(databases=[source]), SETTINGS)
        variables = variables_of(job)
        assert variables["HEADWAY_DATABASE_0_USERNAME"] == {"name": "s", "key": key}
        assert variables["HEADWAY_DATABASE_0_PORT"]["optional"] is True
        assert request_in(job).databases[0].credentials.password == "HEADWAY_DATABASE_0_PASSWORD"


def test_custom_keys_name_the_whole_url_or_its_parts() -> None:
    source = {"name": "main", "credentialsFrom": {"secretRef": {"name": "s"}, "keys": "Custom"}}
    source["credentialsFrom"]["customKeys"] = {"uri": "dsn"}  # type: ignore[index]
    job = job_for(MIGRATE, a_migration(databases=[source]), SETTINGS)
    assert variables_of(job) == {"HEADWAY_DATABASE_0_URL": {"name": "s", "key": "dsn"}}
    assert request_in(job).databases[0].url_variable == "HEADWAY_DATABASE_0_URL"


def test_a_database_without_a_source_is_left_to_the_application() -> None:
    job = job_for(MIGRATE, a_migration(databases=[{"name": "main"}]), SETTINGS)
    assert variables_of(job) == {}
    assert request_in(job).databases[0].url_variable == ""


def test_a_database_s_own_alembic_settings_go_over_those_of_all() -> None:
    databases = [{"name": "main", "alembic": {"section": "analytics", "x": {"b": "2"}}, "target": "a@head"}]
    migration = a_migration(databases=databases, alembic={"config": "c.ini", "x": {"a": "1", "b": "1"}})
    (request,) = request_in(job_for(MIGRATE, migration, SETTINGS)).databases
    assert (request.config, request.section, request.target) == ("c.ini", "analytics", "a@head")
    assert request.x == (("a", "1"), ("b", "2"))


def test_an_application_s_own_command_is_asked_of_the_runner_and_the_container_starts_as_ever() -> None:
    command = ("flask", "db", "upgrade")
    for start in (PLAN, MIGRATE):
        job = job_for(start, a_migration("main", command=list(command)), SETTINGS)
        assert request_in(job).command == command
        assert main_of(job)["command"] == main_of(job_for(start, a_migration("main"), SETTINGS))["command"]


def test_the_control_annotation_is_where_the_request_says() -> None:
    made = job_for(MIGRATE, a_migration("main"), SETTINGS)
    (volume,) = (one for one in pod_of(made)["volumes"] if "downwardAPI" in one)
    (item,) = volume["downwardAPI"]["items"]
    (mount,) = (one for one in main_of(made)["volumeMounts"] if one["name"] == volume["name"])
    assert request_in(made).control_file == f"{mount['mountPath']}/{item['path']}"
    assert item["fieldRef"]["fieldPath"] == "metadata.annotations['headway.dev/control']"


def test_the_pod_begins_with_the_settings_of_backfills_and_is_told_nothing_that_it_does_not_know() -> None:
    migration = a_migration(
        "main", backfill={"pace": "Gentle", "windows": [{"from": "22:00", "to": "05:00"}]}
    )
    wished = BackfillSettings("Gentle", windows=({"from": "22:00", "to": "05:00"},))
    made = job_for(MIGRATE, migration, SETTINGS)
    annotation = made["spec"]["template"]["metadata"]["annotations"]["headway.dev/control"]
    assert request_in(made).backfill == wished
    assert Control.from_json(annotation) == Control(0, backfill=wished)


def test_the_pace_of_the_annotation_goes_before_that_of_the_specification() -> None:
    migration = replace(
        a_migration("main", backfill={"pace": "Gentle", "maxWorkers": 2}),
        annotations={"headway.dev/pace": "fast"},
    )
    assert request_in(job_for(MIGRATE, migration, SETTINGS)).backfill == BackfillSettings("Fast", 2)


def test_the_same_news_is_the_same_event_and_fits() -> None:
    migration = a_migration("main")
    news = TellUser("Failed", "ü" * 2000, warning=True, key="r1/main/1")
    now = Driver(FakeCluster()).time
    event = event_for(news, migration, now)
    assert event == event_for(news, migration, now)
    assert len(event["note"].encode()) <= 1024
    assert event["type"] == "Warning"
