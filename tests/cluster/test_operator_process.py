"""The operator as a program: what it needs to start, what it says when that is missing, how it ends."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from support.apiclient import ApiClient
from support.controlplane import ControlPlane
from support.operator_process import RULES, OperatorProcess
from support.postgres import Database
from support.processes import free_port
from support.projects import Project
from support.relay import Relay
from support.resources import Resources


def refused(operator: OperatorProcess) -> str:
    """What it says when it ends before it watches."""
    with pytest.raises(RuntimeError, match="ended with 2"):
        operator.start()
    return operator.text()


def answer(port: int, path: str) -> tuple[int, str]:
    """Of its probes."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_without_a_cluster_it_says_what_to_set(tmp_path: Path) -> None:
    operator = OperatorProcess(tmp_path / "none", tmp_path / "log")
    assert "set KUBECONFIG" in refused(operator)


def test_a_setting_that_is_no_number_is_named(tmp_path: Path) -> None:
    operator = OperatorProcess(tmp_path / "none", tmp_path / "log", settings={"HEADWAY_WORKERS": "many"})
    assert "HEADWAY_WORKERS should be a whole number above 0, but is 'many'" in refused(operator)


def test_it_waits_for_an_api_server_that_does_not_answer_and_is_not_ready(tmp_path: Path) -> None:
    cluster = {"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    config = {"current-context": "c", "contexts": [context], "clusters": [cluster]}
    (tmp_path / "config").write_text(
        yaml.safe_dump(config | {"users": [{"name": "u", "user": {"token": "t"}}]})
    )
    port = free_port()
    operator = OperatorProcess(tmp_path / "config", tmp_path / "log", settings={"HEADWAY_PORT": str(port)})
    operator.start(until="https://127.0.0.1:1 does not answer yet")
    assert answer(port, "/livez") == (200, "ok\n")
    status, why = answer(port, "/readyz")
    assert status == 503
    assert "https://127.0.0.1:1 does not answer yet: no answer from the API server" in why
    assert operator.stop() == 0


def test_it_goes_on_once_the_api_server_answers(
    operator_kubeconfig: Path, shop: Resources, tmp_path: Path
) -> None:
    config = yaml.safe_load(operator_kubeconfig.read_text())
    server = urlsplit(config["clusters"][0]["cluster"]["server"])
    port = free_port()
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    operator = OperatorProcess(tmp_path / "config", tmp_path / "log", shop.namespace)
    operator.start(until="does not answer yet")
    assert server.hostname is not None
    assert server.port is not None
    relay = Relay((server.hostname, server.port), port)
    try:
        operator.wait_until_it_says(f"https://127.0.0.1:{port} answers")
        operator.wait_until_it_says("headway_operator: watching")
        assert operator.stop() == 0
    finally:
        relay.close()
    assert operator.text().count("does not answer yet") == 1, "it is told once a minute"


def test_as_json_each_line_is_an_object_with_the_resource_it_is_about(
    own_control_plane: ControlPlane, shop: Resources, tmp_path: Path
) -> None:
    rules = [rule for rule in RULES if "events" not in rule["resources"]]
    kubeconfig = own_control_plane.kubeconfig_for("headway-without-events", rules)
    operator = OperatorProcess(
        kubeconfig, tmp_path / "log", shop.namespace, settings={"HEADWAY_LOG_FORMAT": "json"}
    )
    operator.start(until='"message": "watching"')
    shop.create("shop", {"main": "postgresql://nowhere"})
    try:
        operator.wait_until_it_says("no event")
    finally:
        assert operator.stop() == 0
    lines = [json.loads(line) for line in operator.text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    told = next(line for line in lines if line["message"].startswith("no event"))
    assert (told["namespace"], told["name"], told["level"]) == (shop.namespace, "shop", "warning")


def test_as_json_also_why_it_cannot_start_is_an_object(tmp_path: Path) -> None:
    settings = {"HEADWAY_LOG_FORMAT": "json", "HEADWAY_WORKERS": "many"}
    line = json.loads(refused(OperatorProcess(tmp_path / "none", tmp_path / "log", settings=settings)))
    assert line["level"] == "critical"
    assert "HEADWAY_WORKERS should be a whole number above 0" in line["message"]


def test_without_its_permissions_it_ends_and_names_what_is_forbidden(
    own_control_plane: ControlPlane, shop: Resources, tmp_path: Path
) -> None:
    rules = [rule for rule in RULES if "databasemigrations" not in rule["resources"]]
    kubeconfig = own_control_plane.kubeconfig_for("headway-powerless", rules)
    said = refused(OperatorProcess(kubeconfig, tmp_path / "log", shop.namespace))
    where = f"in namespace {shop.namespace}"
    for verb in ("get", "list", "watch", "patch"):
        assert f"may not {verb} databasemigrations.headway.dev {where}" in said
    assert "may not list jobs" not in said


def test_it_watches_all_namespaces_unless_told_otherwise(
    operator_kubeconfig: Path, client: ApiClient, tmp_path: Path
) -> None:
    client.get("/api/v1/namespaces/default")
    operator = OperatorProcess(operator_kubeconfig, tmp_path / "log").start()
    shop = Resources(client, "default")
    shop.create("everywhere", {"main": "postgresql://nowhere"}, suspend=True)
    try:
        shop.wait_for_condition("everywhere", "Reconciling", "True", "Suspended")
    finally:
        assert operator.stop() == 0
        shop.delete("everywhere")


@pytest.mark.usefixtures("operator")
def test_a_plan_too_large_for_its_result_is_read_from_the_log(
    shop: Resources, project: Project, database: Database
) -> None:
    project.tables(*(f"table_with_a_rather_long_name_{number}" for number in range(60)))
    shop.create("shop", {"main": database.url()})
    shop.wait_for_database("shop", "main", "Migrating")
    status = shop.get("shop")["status"]
    assert status["plan"]["revisions"] == 60
    assert shop.database("shop", "main")["revisionsTotal"] == 60
    shop.wait_for_condition("shop", "Ready")
    assert len(database.tables()) == 61
