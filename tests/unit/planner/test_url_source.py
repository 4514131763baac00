"""A failure that is mended in the database's URL names where the operator was told to take it from."""

import pytest

from headway_operator.api.migration import (
    CredentialsFrom,
    CustomKeys,
    Database,
    SecretKeyRef,
    SecretRef,
    UrlFrom,
)
from headway_operator.planner.snapshot import Stage
from support.builders import a_migration, a_result, ended
from support.model import ModelCluster

A_URL = Database("main", url_from=UrlFrom(SecretKeyRef("shop-main-app", "uri")))
EXPORTED = Database("main", url_from=UrlFrom(SecretKeyRef("shop-main-app", "uri")), url_env="DATABASE_URL")
PARTS = Database("main", credentials_from=CredentialsFrom(SecretRef("main-pguser"), "Crunchy"))
WHOLE = Database(
    "main", credentials_from=CredentialsFrom(SecretRef("own"), "Custom", CustomKeys(uri="address"))
)
NEITHER = Database("main")


def failed(database: Database, reason: str, message: str = "what the server said", **fields) -> ModelCluster:
    """The only Job of the resource ends with this failure: the plan's, or that of the database."""
    cluster = ModelCluster(a_migration(database, retries=0, **fields))
    cluster.start_pod(cluster.reconcile().starts[0].name)
    (job,) = cluster.active
    cluster.jobs[job.name] = ended(job, a_result(failure=reason, message=message, database="main"))
    cluster.reconcile()
    return cluster


def ready(cluster: ModelCluster) -> str:
    return cluster.status.condition("Ready").message


@pytest.mark.parametrize(
    ("database", "source"),
    [
        (A_URL, "Its URL comes from key uri of Secret shop-main-app. "),
        (EXPORTED, "Its URL comes from key uri of Secret shop-main-app, and env.py has it as DATABASE_URL. "),
        (PARTS, "Its URL is made of keys host, port, dbname, user, password of Secret main-pguser. "),
        (WHOLE, "Its URL comes from key address of Secret own. "),
        (NEITHER, "Its URL is the application's own, from spec.job.env, spec.job.envFrom or the image: "),
    ],
)
@pytest.mark.parametrize("plan", ["Always", "Never"])
def test_a_refused_password_names_the_secret_between_what_was_said_and_what_to_do(database, source, plan):
    message = ready(failed(database, "AuthenticationFailed", plan=plan))
    said, step = message.index("what the server said. "), message.index("Correct the Secret, then retry: ")
    assert source in message
    assert said < message.index(source) < step


@pytest.mark.parametrize(
    "reason",
    ["InvalidUrl", "DriverMissing", "DatabaseUnreachable", "DatabaseDoesNotExist", "PoolerDetected"],
)
def test_other_failures_of_a_url_name_its_secret_too(reason):
    assert "key uri of Secret shop-main-app" in ready(failed(A_URL, reason))


@pytest.mark.parametrize("reason", ["RevisionFailed", "LockHeld", "PermissionDenied"])
def test_failures_of_something_else_name_no_secret(reason):
    assert "Secret" not in ready(failed(A_URL, reason))


def test_a_server_that_says_much_leaves_room_for_the_source_and_for_what_to_do():
    message = ready(failed(EXPORTED, "AuthenticationFailed", message="connection to server failed; " * 60))
    assert "of Secret shop-main-app, and env.py has it as DATABASE_URL. Correct the Secret" in message
    assert len(message) <= 1024


def test_of_several_databases_the_one_is_named_that_the_plan_failed_at():
    other = Database("other", url_from=UrlFrom(SecretKeyRef("shop-other", "uri")))
    cluster = ModelCluster(a_migration(A_URL, other))
    cluster.start_pod(cluster.reconcile().starts[0].name)
    (job,) = cluster.active
    assert job.stage is Stage.PLAN
    cluster.jobs[job.name] = ended(job, a_result(failure="AuthenticationFailed", database="other"))
    cluster.reconcile()
    assert "other: what the runner saw. Its URL comes from key uri of Secret shop-other. " in ready(cluster)
    assert "shop-main-app" not in ready(cluster)
