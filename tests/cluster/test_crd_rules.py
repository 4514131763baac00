"""What the API server admits of a DatabaseMigration, and what a person reads when it refuses one."""

from typing import Any

import pytest

from support.apiclient import ApiClient, ApiError
from support.crd import example, minimal

Spec = dict[str, Any]


def submit(client: ApiClient, resource: Spec) -> Spec:
    """What the server would store; nothing is stored, and unknown fields are errors."""
    path = "/apis/headway.dev/v1alpha1/namespaces/default/databasemigrations"
    stored: Spec = client.post(f"{path}?dryRun=All&fieldValidation=Strict", resource)
    return stored


def databases(**fields: Any) -> Spec:
    """A spec whose only database has these fields."""
    return {"databases": [{"name": "main", **fields}]}


def chain(*names: str, **depends_on: list[str]) -> Spec:
    """A spec with databases of these names and dependencies."""
    entries = [{"name": n, **({"dependsOn": depends_on[n]} if n in depends_on else {})} for n in names]
    return {"databases": entries}


def hook(kind: str, *points: str, **fields: Any) -> Spec:
    """A spec with one hook."""
    address = {} if "endpoint" in fields else {"url": "https://hooks.example.com/shop"}
    return {"hooks": [{"name": "hook", "type": kind, "points": list(points), **address, **fields}]}


def window(**fields: Any) -> Spec:
    """A spec with one backfill window."""
    return {"backfill": {"windows": [fields]}}


URL = {"secretKeyRef": {"name": "shop", "key": "uri"}}
CREDENTIALS = {"secretRef": {"name": "shop"}, "keys": "CloudNativePG"}
PARTS = {"host": "h", "database": "d", "username": "u", "password": "p"}


def custom(**keys: str) -> Spec:
    """A spec whose database takes its credentials from keys of these names."""
    return databases(credentialsFrom={"secretRef": {"name": "shop"}, "keys": "Custom", "customKeys": keys})


COMMAND = {"command": ["flask", "db", "upgrade"]}

ADMITTED: dict[str, Spec] = {
    "a command": COMMAND,
    "a command with its folder and interpreter": {
        **COMMAND,
        "alembic": {"workingDir": "/app", "python": "/app/bin/python"},
        **databases(urlFrom=URL, urlEnv="DATABASE_URL", versionTable="shop_version"),
    },
    "an empty command with a target": {"command": [], "target": "analytics@head", "whenAhead": "Downgrade"},
    "a version tag": {"image": "shop:1.0"},
    "a version tag behind a port": {"image": "registry.example.com:5000/team/shop:1.0"},
    "a digest without a tag": {"image": "shop@sha256:" + "0" * 64},
    "latest with a digest": {"image": "shop:latest@sha256:" + "0" * 64},
    "latest with a revision": {"image": "shop:latest", "revision": "1"},
    "no tag but a revision": {"image": "registry.example.com:5000/shop", "revision": "1"},
    "a target on a branch": {"target": "analytics@head"},
    "a relative target upwards": {"target": "+2"},
    "a target one before the head": {"target": "head-1"},
    "a URL from a Secret, exported": databases(urlFrom=URL, urlEnv="DATABASE_URL"),
    "credentials by a preset": databases(credentialsFrom=CREDENTIALS),
    "credentials by custom keys": custom(**PARTS, port="port"),
    "a custom key of a whole URL": custom(uri="dsn"),
    "neither URL nor credentials": databases(),
    "dependencies on earlier databases": chain("a", "b", "c", b=["a"], c=["a", "b"]),
    "a version table and its schema": databases(versionTable="shop_version", versionTableSchema="ops"),
    "approval with a plan": {"plan": {"approval": "Required"}},
    "no plan without approval": {"plan": {"mode": "Never"}},
    "lint warnings without a plan": {"plan": {"mode": "Never"}, "lint": {"mode": "Warn"}},
    "lint enforced with a plan": {"lint": {"mode": "Enforce"}},
    "a comparison after each run": {
        "drift": {"report": "AfterRun", "ignore": ["legacy_*", "remove_index:*"]}
    },
    "a command that is never compared": {**COMMAND, "drift": {"report": "Never"}},
    "equal waits": {"retry": {"backoffSeconds": 300}},
    "one lock wait only": {"locks": {"timeoutSeconds": 5, "giveUpAfterSeconds": 5}},
    "a gate before the migration": hook("Gate", "BeforeMigration", failurePolicy="Fail"),
    "a check before each revision": hook("Check", "BeforeDatabase", "BeforeRevision", failurePolicy="Ignore"),
    "a throttle": hook("Throttle", "DuringBackfill"),
    "a notice at every other point": hook(
        "Notify",
        "BeforeMigration",
        "AfterRevision",
        "AfterDatabase",
        "OnReady",
        "AfterMigration",
        "OnFailure",
    ),
    "an endpoint": hook("Notify", "OnFailure", endpoint="team-chat"),
    "http inside the cluster": hook("Notify", "OnFailure", url="http://chat.shop.svc:8080/hook"),
    "an @ in the path of a URL": hook("Notify", "OnFailure", url="https://hooks.example.com/@shop?to=@all"),
    "a window over midnight": window(
        **{"from": "22:00", "to": "05:30"}, timeZone="America/Argentina/Ushuaia"
    ),
    "whole days": window(**{"from": "00:00", "to": "24:00"}, days=["Saturday", "Sunday"]),
    "an -x argument": {"alembic": {"x": {"tenant": "a=b"}}},
    "quantities as texts and numbers": {"job": {"resources": {"limits": {"cpu": 1, "memory": "1.5Gi"}}}},
    "labels with a prefix": {"job": {"podLabels": {"example.com/team": "shop"}}},
}

REFUSED: dict[str, tuple[Spec, str]] = {
    "no image": ({"image": None}, "spec.image: Required value"),
    "no databases": ({"databases": []}, "spec.databases in body should have at least 1 items"),
    "no tag": ({"image": "registry.example.com:5000/shop"}, "image has no tag, or the tag latest"),
    "latest": ({"image": "shop:latest"}, "set revision to something that changes with each release"),
    "a space in the image": ({"image": "shop :1"}, "spec.image in body should match"),
    "the target base": ({"target": "base"}, "a target leads up only"),
    "a relative target downwards": ({"target": "-1"}, "a target leads up only"),
    "the base of a branch": (databases(target="analytics@base"), "a target leads up only"),
    "URL and credentials": (
        databases(urlFrom=URL, credentialsFrom=CREDENTIALS),
        "either urlFrom (a Secret with a whole URL) or credentialsFrom (a Secret with its parts), not both",
    ),
    "an exported URL that is not there": (databases(urlEnv="DATABASE_URL"), "add urlFrom or credentialsFrom"),
    "a reserved urlEnv": (databases(urlFrom=URL, urlEnv="HEADWAY_URL"), "choose another name for urlEnv"),
    "Custom without keys": (
        databases(credentialsFrom={**CREDENTIALS, "keys": "Custom"}),
        "customKeys goes together with keys Custom",
    ),
    "keys without Custom": (
        databases(credentialsFrom={**CREDENTIALS, "customKeys": PARTS}),
        "customKeys goes together with keys Custom",
    ),
    "URL and parts": (custom(uri="dsn", host="h"), "set uri alone, or host, database, username and password"),
    "a part is missing": (custom(host="h", database="d", username="u"), "set uri alone, or host, database"),
    "another database's name": (
        {"databases": [{"name": "main"}, {"name": "main"}]},
        'spec.databases[1]: Duplicate value: {"name":"main"}',
    ),
    "upper case in a name": (
        {"databases": [{"name": "Main"}]},
        "spec.databases[0].name in body should match",
    ),
    "a command and a target": ({**COMMAND, "target": "a1"}, "leave target out of spec and of each database"),
    "a command and a database's target": ({**COMMAND, **databases(target="a1")}, "or leave command out"),
    "a command and a section": ({**COMMAND, "alembic": {"section": "shop"}}, "write them into the command"),
    "a command and x": ({**COMMAND, "alembic": {"x": {"tenant": "acme"}}}, "write them into the command"),
    "a command and a database's config": (
        {**COMMAND, **databases(alembic={"config": "db.ini"})},
        "write them into the command",
    ),
    "a command and a comparison": ({**COMMAND, "drift": {"report": "AfterRun"}}, "leave drift.report out"),
    "a command that leads down": ({**COMMAND, "whenAhead": "Downgrade"}, "set whenAhead to Accept or Fail"),
    "dependence on a later one": (chain("a", "b", a=["b"]), "only databases that stand earlier in this list"),
    "dependence on itself": (chain("a", a=["a"]), "only databases that stand earlier in this list"),
    "dependence on an unknown one": (
        chain("a", "b", b=["c"]),
        "only databases that stand earlier in this list",
    ),
    "dependence twice": (
        chain("a", "b", b=["a", "a"]),
        'spec.databases[1].dependsOn[1]: Duplicate value: "a"',
    ),
    "a schema in versionTable": (
        databases(versionTable="ops.version"),
        "write the schema, if any, into versionTableSchema",
    ),
    "quotes in the schema": (databases(versionTableSchema='"Ops"'), "no dots and no quotes"),
    "approval without a plan": (
        {"plan": {"mode": "Never", "approval": "Required"}},
        "set plan.mode to Always, or plan.approval to Automatic",
    ),
    "lint enforced without a plan": (
        {"plan": {"mode": "Never"}, "lint": {"mode": "Enforce"}},
        "set plan.mode to Always, or lint.mode to Warn",
    ),
    "a first wait over the longest": ({"retry": {"backoffSeconds": 301}}, "raise maxBackoffSeconds"),
    "a lock wait over the patience": (
        {"locks": {"timeoutSeconds": 6, "giveUpAfterSeconds": 5}},
        "raise giveUpAfterSeconds or lower timeoutSeconds",
    ),
    "no time for a Job": ({"activeDeadlineSeconds": 0}, "should be greater than or equal to 1"),
    "waiting for ever for a lock": ({"locks": {"timeoutSeconds": 0}}, "should be greater than or equal to 1"),
    "url and endpoint": (
        hook("Notify", "OnFailure", url="https://a.example.com", endpoint="chat"),
        "exactly one of url (an address) and endpoint",
    ),
    "neither url nor endpoint": (
        {"hooks": [{"name": "hook", "type": "Notify", "points": ["OnFailure"]}]},
        "exactly one of url (an address) and endpoint",
    ),
    "a throttle elsewhere": (
        hook("Throttle", "BeforeMigration"),
        "use points [DuringBackfill] with type Throttle",
    ),
    "a throttle here and elsewhere": (
        hook("Throttle", "DuringBackfill", "OnFailure"),
        "write a second hook for the other points",
    ),
    "a notice during backfill": (hook("Notify", "DuringBackfill"), "no DuringBackfill with another type"),
    "a gate afterwards": (hook("Gate", "AfterDatabase"), "holds what comes next"),
    "a check on failure": (hook("Check", "BeforeMigration", "OnFailure"), "or type Notify"),
    "a gate that is ignored": (
        hook("Gate", "BeforeMigration", failurePolicy="Ignore"),
        "remove failurePolicy",
    ),
    "a notice that fails the run": (hook("Notify", "OnFailure", failurePolicy="Fail"), "or use type Check"),
    "no point": (hook("Notify"), "should have at least 1 items"),
    "an unknown point": (hook("Notify", "Sometimes"), 'Unsupported value: "Sometimes"'),
    "not a URL": (hook("Notify", "OnFailure", url="hooks.example.com"), "write https://HOST/PATH"),
    "another scheme": (
        hook("Notify", "OnFailure", url="ftp://hooks.example.com/x"),
        "write https://HOST/PATH",
    ),
    "no host": (hook("Notify", "OnFailure", url="https:///x"), "write https://HOST/PATH"),
    "credentials in a URL": (
        hook("Notify", "OnFailure", url="https://user:secret@hooks.example.com/"),
        "url holds credentials that everybody who may read this resource would see",
    ),
    "nothing to wait for": ({"postDeploy": {"waitFor": []}}, "should have at least 1 items"),
    "two workloads in one entry": (
        {"postDeploy": {"waitFor": [{"deployment": "shop", "statefulSet": "shop"}]}},
        "write one entry for each",
    ),
    "an empty entry": ({"postDeploy": {"waitFor": [{}]}}, "names exactly one workload"),
    "an hour that is none": (
        window(**{"from": "24:00", "to": "05:00"}),
        "from is a time of day between 00:00 and 23:59",
    ),
    "a time without minutes": (
        window(**{"from": "22:00", "to": "5"}),
        "to is a time of day between 00:00 and 24:00",
    ),
    "an empty window": (window(**{"from": "05:00", "to": "05:00"}), "for whole days write 00:00 to 24:00"),
    "an = in a key of x": ({"alembic": {"x": {"tenant=acme": ""}}}, "write KEY: VALUE, not KEY=VALUE"),
    "an = in a database's x": (databases(alembic={"x": {"a=b": ""}}), "write KEY: VALUE, not KEY=VALUE"),
    "value and valueFrom": (
        {
            "job": {
                "env": [{"name": "A", "value": "", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]
            }
        },
        "either value or valueFrom",
    ),
    "valueFrom nothing": ({"job": {"env": [{"name": "A", "valueFrom": {}}]}}, "exactly one of secretKeyRef"),
    "a reserved variable": ({"job": {"env": [{"name": "HEADWAY_REQUEST"}]}}, "are Headway's own"),
    "a variable twice": ({"job": {"env": [{"name": "A"}, {"name": "A"}]}}, 'Duplicate value: {"name":"A"}'),
    "envFrom two": (
        {"job": {"envFrom": [{"secretRef": {"name": "a"}, "configMapRef": {"name": "b"}}]}},
        "exactly one of secretRef and configMapRef",
    ),
    "Headway's labels": ({"job": {"podLabels": {"headway.dev/run": "x"}}}, "by which it finds its pods"),
    "Headway's annotations": (
        {"job": {"podAnnotations": {"headway.dev/x": "x"}}},
        "by which it steers its pods",
    ),
    "root": ({"job": {"securityContext": {"runAsUser": 0}}}, "should be greater than or equal to 1"),
    "not a quantity": ({"job": {"resources": {"limits": {"memory": "lots"}}}}, "should match"),
    "too many databases": (chain(*(f"db{n}" for n in range(33))), "must have at most 32 items"),
    "an unknown field": ({"databse": []}, 'unknown field "spec.databse"'),
}


def kept(spec: Any, stored: Any) -> Any:
    """`stored` cut down to what `spec` sets: equal to `spec` unless something was dropped or changed."""
    if isinstance(spec, dict):
        return {name: kept(value, stored[name]) for name, value in spec.items()}
    if isinstance(spec, list):
        return [kept(value, other) for value, other in zip(spec, stored, strict=True)]
    return stored


@pytest.mark.parametrize("spec", ADMITTED.values(), ids=ADMITTED.keys())
def test_it_is_admitted_as_it_was_written(client: ApiClient, spec: Spec) -> None:
    assert kept(spec, submit(client, minimal(**spec))["spec"]) == spec


@pytest.mark.parametrize(("spec", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_with_a_sentence(client: ApiClient, spec: Spec, sentence: str) -> None:
    with pytest.raises(ApiError) as refusal:
        submit(client, minimal(**spec))
    assert refusal.value.status in (400, 422)
    # Kubernetes 1.33 writes Go's type before a value.
    assert sentence in refusal.value.message.replace("map[string]interface {}", "")


def test_the_examples_are_admitted_with_nothing_unknown(client: ApiClient) -> None:
    for name in ("minimal.yaml", "defaults_written_out.yaml", "full.yaml", "command.yaml"):
        resource = example(name)
        assert kept(resource["spec"], submit(client, resource)["spec"]) == resource["spec"]


def test_the_missing_revision_is_reported_at_its_field(client: ApiClient) -> None:
    with pytest.raises(ApiError) as refusal:
        submit(client, minimal(image="shop:latest"))
    assert "spec.revision: Required value" in refusal.value.message
