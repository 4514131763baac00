"""A backfill that is killed at any moment goes on, misses no row and changes none twice, whatever others write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.kills.judged import HEADWAY, reference
from support.kills.prove import exit_code, shares
from support.kills.scenes import BLOCKS, BY_NAME, KEYSET, STRIPED
from support.kills.story import RESUME_SECONDS, Told
from support.kills.victim import ANY_TIME, KINDS, Moment

STORIES = 25
"""A wrong backfill is found in half of the stories or more; in so many it is."""
WRONG = (
    ("checkpoint_before_the_batch", "exactly-once", "a row that was there was missed"),
    ("checkpoint_after_the_batch", "exactly-once", "a row was changed twice"),
    ("one_pass_over_blocks", "striped-done-predicate", "a row was missed"),
    ("one_pass_along_the_key", "keyset-composite", "a row was missed"),
    ("one_pass_along_the_key", "keyset-uuid", "a row was missed"),
    ("values_that_were_read_before", "exactly-once", "a row that was there was missed"),
)


RIGHT = ("keyset-bigint", "keyset-composite", "keyset-uuid", "exactly-once")
"""What a walk along the primary key can do."""


@pytest.mark.parametrize("scene", BY_NAME)
def test_a_backfill_that_is_killed_misses_no_row_and_changes_none_twice(stage_of, seed, kills, scene):
    share = shares(kills, len(BY_NAME))[list(BY_NAME).index(scene)]
    told = stage_of(scene, HEADWAY).tell_many(seed, share)
    assert told.wrong == {}
    assert len(told.kills) >= share


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != ANY_TIME])
def test_at_each_moment_at_which_rows_and_checkpoint_could_part_they_do_not(stage_of, kind):
    stage = stage_of("exactly-once", HEADWAY)
    database = stage.make_database()
    for number in (1, 2, 3):
        stage.start(database, Moment(kind, number)).reach().kill()
    last = stage.start(database)
    assert last.end() == 0, last.words()
    assert stage.wrong(database) == {}


@pytest.mark.parametrize("scene", RIGHT)
def test_the_proof_finds_nothing_wrong_in_a_right_backfill(stage_of, seed, scene):
    assert stage_of(scene, reference("right")).tell_many(seed, 3).wrong == {}


@pytest.mark.parametrize(("engine", "scene", "what"), WRONG, ids=str)
def test_the_proof_finds_what_a_wrong_backfill_does(stage_of, seed, engine, scene, what):
    stage = stage_of(scene, reference(engine))
    stories = (stage.tell(f"{seed}/{number}", 3) for number in range(STORIES))
    assert any(what in story.wrong for story in stories)


@pytest.mark.parametrize(
    ("scene", "way"),
    [
        ("striped-done-predicate", KEYSET),
        ("striped-done-predicate", BLOCKS),
        ("striped-sync-trigger", STRIPED),
        ("keyset-bigint", STRIPED),
    ],
)
def test_the_proof_finds_that_another_way_was_chosen_than_the_scene_is_about(stage_of, seed, scene, way):
    stage = stage_of(scene, HEADWAY)
    stage.scene = replace(stage.scene, way=way)
    assert stage.tell(seed, 0).wrong == {"another way through the table was chosen": 1}


def test_the_proof_fails_for_a_wrong_row_and_for_one_run_that_went_on_too_late():
    assert exit_code(Told(resumes=[0.1, RESUME_SECONDS])) == 0
    assert exit_code(Told(resumes=[0.1, RESUME_SECONDS + 0.1])) == 1
    assert exit_code(Told(wrong={"a row was missed": 1})) == 1
    assert "MISSED: target 2 s" in str(Told(resumes=[0.1, 2.1]))
