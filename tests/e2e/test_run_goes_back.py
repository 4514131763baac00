"""`whenAhead: Downgrade` without a cluster: the way back is shown, waits for its approval, and is gone once."""

import pytest

from support.command_line import Headway, resource
from support.projects import from_template

BACK = {"target": "users", "whenAhead": "Downgrade"}


@pytest.fixture
def run(tmp_path, database):
    from_template(tmp_path).tables("users", "orders", "invoices")

    def start(*arguments, **spec):
        (tmp_path / "shop.yaml").write_text(resource({"main": {}}, **spec))
        return Headway(tmp_path, *arguments, "--url", f"main={database.url()}")

    done = start("run", "-f", "shop.yaml")
    assert done.wait() == 0, done.out + done.err
    return start


def test_a_way_back_is_shown_and_gone_once_its_digest_is_given(run, database):
    asked = run("run", "-f", "shop.yaml", **BACK, plan={"mode": "Never"})
    assert asked.wait() == 3, asked.out + asked.err
    assert "the plan needs an approval; nothing was changed" in asked.out
    assert database.tables() == {"alembic_version", "users", "orders", "invoices"}
    assert "plan: 2 revisions to take back in 1 database" in asked.out
    assert "main  takes back invoices" in asked.out
    assert "main  takes back orders" in asked.out
    print(asked.out)
    digest = asked.out.rpartition("--approve ")[2].split()[0]

    planned = run("plan", "./shop.yaml", **BACK)
    assert planned.wait() == 0, planned.out + planned.err
    assert "at invoices down to users" in planned.out
    assert digest.removeprefix("sha256:")[:12] in planned.out

    done = run("run", "-f", "shop.yaml", "--approve", digest, **BACK)
    assert done.wait() == 0, done.out + done.err
    assert "took back 1/2 invoices" in done.out
    assert "1 database at the target, 2 revisions taken back" in done.out
    assert "appl" not in done.out + done.err
    assert database.tables() == {"alembic_version", "users"}
    assert database.rows("SELECT version_num FROM alembic_version") == [("users",)]

    again = run("run", "-f", "shop.yaml", **BACK)
    assert again.wait() == 0, "it is there already: nothing needs an approval"
