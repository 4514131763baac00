"""Who blocks, in words: nothing of another session's data, nothing guessed, and no list without an end."""

from __future__ import annotations

import pytest

from headway_runner.statements.blockers import Blocker, Wait, first_words, postgres_wait, sentence, told


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("UPDATE users SET name = 'Eve' WHERE id = 4711", "UPDATE users"),
        ("select * from users where name = 'Eve'", "SELECT … FROM users"),
        ('SELECT users.id, count(*) FROM "Users" WHERE id = 4711', 'SELECT … FROM "Users"'),
        ("SELECT 'Eve from Eden', 4711 FROM users", "SELECT"),
        ("SELECT f(4711) FROM users", "SELECT"),
        ("/* user Eve */ DELETE FROM users -- Eve", "DELETE FROM users"),
        ("COPY users FROM STDIN", "COPY users FROM STDIN"),
        ("DO $$ BEGIN PERFORM 'Eve'; END $$", "DO"),
        ("", "?"),
    ],
)
def test_of_another_session_s_statement_only_the_first_words_are_told(statement, shown):
    assert first_words(statement) == shown


def test_a_session_is_told_with_all_that_the_server_shows():
    blocker = Blocker(
        4711,
        "shop-api",
        "app",
        "idle in transaction",
        "",
        "DELETE FROM users",
        12,
        300,
        False,
        "RowExclusiveLock",
    )
    assert told(blocker) == (
        "session 4711 (application shop-api, user app): idle in transaction for 12 s, in a transaction open for "
        "300 s, holds RowExclusiveLock, last statement DELETE FROM users"
    )


def test_a_worker_and_a_session_that_waits_itself_are_told_as_such():
    text = told(
        Blocker(
            1, state="active", kind="autovacuum worker", statement="autovacuum: VACUUM t", waits_itself=True
        )
    )
    assert (
        text
        == "session 1 (autovacuum worker): active, waits for a lock itself, statement autovacuum: VACUUM t"
    )


def test_a_long_list_of_blockers_ends_with_a_count():
    wait = Wait("AccessExclusiveLock on t", tuple(Blocker(number) for number in range(1, 11)))
    assert sentence(wait).endswith("blocked by session 1; session 2; session 3; and 7 more")


def test_the_costly_question_is_asked_only_of_a_session_that_waits():
    asked = []
    assert postgres_wait(lambda statement: asked.append(statement) or [], 7) is None
    assert len(asked) == 1
    assert "pg_blocking_pids" not in asked[0]
