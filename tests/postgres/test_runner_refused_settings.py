"""A server that cannot look whether its client is still there refuses that setting; the run goes on without."""

from __future__ import annotations

import pytest

from support.projects import from_template
from support.runner import migrate

REFUSING = """
CREATE FUNCTION public.set_config(name text, value text, local boolean) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF name = 'client_connection_check_interval' THEN
        RAISE EXCEPTION 'client_connection_check_interval must be set to 0 on platforms that lack POLLRDHUP support'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN pg_catalog.set_config(name, value, local);
END $$;
"""
"""PostgreSQL's own words on such a platform."""
NOTE_THE_SETTINGS = """
op.execute(
    "CREATE TABLE noted AS SELECT current_setting('lock_timeout') AS waits, "
    "current_setting('client_connection_check_interval') AS looks, current_setting('application_name') AS name"
)
"""


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg", "pg8000"])
def test_a_refused_setting_costs_neither_the_run_nor_the_other_settings(tmp_path, database, driver):
    database.execute(REFUSING)
    # What stands in front of the catalogue is found first.
    database.execute(f'ALTER DATABASE "{database.name}" SET search_path = public, pg_catalog')
    template = "async" if driver == "asyncpg" else "generic"
    project = from_template(tmp_path, template).revision("a1", NOTE_THE_SETTINGS)
    run = migrate(project, database.url(driver))
    assert run.exit_code == 0, run.stderr
    assert run.result.applied == ("a1",)
    assert database.rows("SELECT waits, looks, name FROM noted") == [("2s", "0", "headway:test-run/main")]
