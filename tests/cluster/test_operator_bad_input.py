"""Bad input: each ends in the right condition, with a sentence that says what to do, and no database is touched."""

import pytest

from support.fix_postgres import MakeDatabase
from support.gates import Doorway
from support.postgres import Database
from support.projects import Project
from support.resources import Resources, a_database

pytestmark = pytest.mark.usefixtures("operator")


def the_message(shop: Resources, reason: str) -> str:
    """The message of the failure that the resource `shop` ends with."""
    ready = shop.wait_for_condition("shop", "Ready", "False", reason)
    stalled = shop.condition("shop", "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", reason)
    return str(ready["message"])


def test_a_wrong_url_is_tried_as_often_as_it_says_and_then_explained(
    shop: Resources, project: Project
) -> None:
    project.tables("users")
    retry = {"limit": 1, "backoffSeconds": 1}
    shop.create("shop", {"main": "postgresql+psycopg://shop:s3cret@127.0.0.1:1/shop"}, retry=retry)
    message = the_message(shop, "DatabaseUnreachable")
    assert "main" in message
    assert "Check that it is up" in message
    assert "s3cret" not in str(shop.get("shop"))
    attempts = [job["metadata"]["labels"]["headway.dev/attempt"] for job in shop.jobs("Plan")]
    assert attempts == ["1", "2"]
    assert shop.jobs() == []


def test_a_wrong_password_is_not_tried_again(shop: Resources, project: Project, database: Database) -> None:
    project.tables("users")
    address = database.url()
    user = address.split("://")[1].split(":")[0]
    password = address.split("@")[0].rsplit(":", 1)[1]
    shop.create("shop", {"main": address.replace(f":{password}@", ":wr0ng@")})
    message = the_message(shop, "AuthenticationFailed")
    assert user
    assert "Its URL comes from key uri of Secret shop-main. Correct the Secret" in message
    assert "kubectl annotate dbmig shop headway.dev/retry" in message
    assert "wr0ng" not in str(shop.get("shop"))
    assert len(shop.jobs("Plan")) == 1
    shop.secret("shop-main", uri=address)
    shop.annotate("shop", retry="1")
    shop.wait_for_condition("shop", "Ready")
    assert "users" in database.tables()


def test_a_database_that_is_away_for_a_while_is_waited_for(
    shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    doorway = Doorway(database.url())
    shop.create(
        "shop", {"main": doorway.url}, retry={"limit": 30, "backoffSeconds": 1, "maxBackoffSeconds": 1}
    )
    waiting = shop.wait_for_condition("shop", "Reconciling", "True", "Retrying")
    assert "The database could not be reached" in waiting["message"]
    doorway.open()
    shop.wait_for_condition("shop", "Ready")
    doorway.leave()
    assert "users" in database.tables()


@pytest.mark.parametrize(
    ("target", "reason", "advice"),
    [
        ("nowhere", "UnknownTarget", "Correct spec.target"),
        ("head", "MultipleHeads", "Set target to 'heads'"),
    ],
)
def test_a_target_that_does_not_fit_the_history(
    target: str, reason: str, advice: str, shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    project.revision("left", after="users")
    project.revision("right", after="users")
    shop.create("shop", {"main": database.url()}, target=target)
    assert advice in the_message(shop, reason)
    assert database.tables() == set()
    assert shop.jobs() == []


@pytest.fixture
def ahead(database: Database, project: Project) -> Database:
    """A database at a revision that the image does not know."""
    project.tables("users")
    database.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    database.execute("INSERT INTO alembic_version VALUES ('fromthefuture')")
    return database


def test_a_database_ahead_of_the_image_is_accepted_by_default(shop: Resources, ahead: Database) -> None:
    shop.create("shop", {"main": ahead.url()})
    ready = shop.wait_for_condition("shop", "Ready")
    assert ready["reason"] == "NothingToDo"
    assert "fromthefuture" in shop.database("shop", "main")["message"]
    assert ahead.tables() == {"alembic_version"}


@pytest.mark.parametrize(
    ("when_ahead", "reason", "advice"),
    [
        ("Fail", "DatabaseAhead", "set whenAhead to Accept"),
        ("Downgrade", "CannotDowngrade", "Use the newer image"),
    ],
)
def test_a_database_ahead_of_the_image_is_refused_when_asked(
    when_ahead: str, reason: str, advice: str, shop: Resources, ahead: Database
) -> None:
    shop.create("shop", {"main": ahead.url()}, whenAhead=when_ahead)
    assert advice in the_message(shop, reason)
    assert ahead.scalar("SELECT version_num FROM alembic_version") == "fromthefuture"


@pytest.mark.parametrize(("on_failure", "third"), [("Stop", "Skipped"), ("Continue", "Succeeded")])
def test_a_broken_revision_in_the_second_of_three_databases(
    on_failure: str, third: str, shop: Resources, project: Project, make_database: MakeDatabase
) -> None:
    databases = {name: make_database(name) for name in ("one", "two", "three")}
    databases["two"].execute("CREATE TABLE orders (id integer)")
    project.tables("users", "orders")
    urls = {name: database.url() for name, database in databases.items()}
    shop.create("shop", urls, strategy={"onFailure": on_failure})
    message = the_message(shop, "RevisionFailed")
    assert message.startswith("two: ")
    assert "Correct the revision" in message
    meaning = shop.wait_for_event("RunFailed")["note"]
    others = (
        " Not started because of it: three. At the target: one. " if third == "Skipped" else " one, three. "
    )
    assert meaning.startswith("The run has failed at two (RevisionFailed). ")
    assert others in meaning
    (what,) = shop.events("RevisionFailed")
    assert what["note"].startswith("two: ")
    phases = {name: shop.database("shop", name)["phase"] for name in databases}
    assert phases == {"one": "Succeeded", "two": "Failed", "three": third}
    assert "orders" in databases["one"].tables()
    assert databases["two"].scalar("SELECT version_num FROM alembic_version") == "users"
    assert ("orders" in databases["three"].tables()) == (third == "Succeeded")
    assert shop.attempts("two") == ["1"]


def test_a_missing_secret_is_named_and_waited_for(
    shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    shop.create("shop", [a_database("shop", "main")])
    waiting = shop.wait_for_condition("shop", "Reconciling", "True", "SecretNotFound")
    assert "shop-main" in waiting["message"]
    assert "Create it" in waiting["message"]
    shop.secret("shop-main", uri=database.url())
    shop.wait_for_condition("shop", "Ready")
    assert len(shop.jobs("Plan")) == 1


def test_an_image_that_cannot_be_pulled_is_named_and_can_be_corrected(
    shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    shop.create("shop", {"main": database.url()}, image="nowhere.example/shop:1")
    waiting = shop.wait_for_condition("shop", "Reconciling", "True", "ImageNotPulled")
    assert "nowhere.example/shop:1" in waiting["message"]
    assert "Check spec.image" in waiting["message"]
    shop.change("shop", image="shop:1")
    shop.wait_for_condition("shop", "Ready")
    assert "users" in database.tables()


def test_an_interpreter_that_is_not_in_the_image_is_named_at_once(
    shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    shop.create("shop", {"main": database.url()}, alembic={"python": "/app/no-such-python"})
    message = the_message(shop, "InterpreterNotFound")
    assert 'no-such-python": executable file not found' in message
    assert "Correct spec.alembic.python" in message
    assert len(shop.jobs("Plan")) == 1


def test_a_job_that_the_api_server_refuses_is_explained(
    shop: Resources, project: Project, database: Database
) -> None:
    project.tables("users")
    forged = {"nodeSelector": {"not a label": "x"}}
    shop.create("shop", {"main": database.url()}, job=forged)
    assert "nodeSelector" in the_message(shop, "JobRefused")
    shop.change("shop", job=None)
    shop.wait_for_condition("shop", "Ready")


def test_a_quota_that_is_used_up_holds_one_database_and_the_other_is_told_of(
    shop: Resources, project: Project, make_database: MakeDatabase
) -> None:
    project.tables("users")
    databases = {name: make_database(name) for name in ("main", "audit")}
    allow_jobs(shop, 2)
    urls = {name: database.url() for name, database in databases.items()}
    shop.create("shop", urls, strategy={"maxParallel": 2})
    done = shop.wait_for_database("shop", "main", "Succeeded")
    assert done["revisionsDone"] == 1
    message = the_message(shop, "JobRefused")
    assert message.startswith("audit: The API server refuses the Job")
    assert "exceeded quota: jobs" in message
    assert shop.condition("shop", "PlanReady")["reason"] == "Planned"
    assert "users" not in databases["audit"].tables()
    allow_jobs(shop, 3)
    shop.annotate("shop", pace="gentle")
    shop.wait_for_condition("shop", "Ready")
    assert "users" in databases["audit"].tables()


def allow_jobs(shop: Resources, number: int) -> None:
    """So many in the namespace; the admission of the API server counts, for there is no controller of quotas here."""
    path, hard = f"{shop.core}/resourcequotas/jobs", {"count/jobs.batch": str(number)}
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "jobs"},
        "spec": {"hard": hard},
    }
    shop.client.apply(path, quota)
    used = shop.client.get(path).get("status", {}).get("used") or {"count/jobs.batch": "0"}
    shop.client.patch(f"{path}/status", {"status": {"hard": hard, "used": used}})
