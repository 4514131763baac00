"""What a person is told to do next: on a laptop nothing of a cluster, in a cluster nothing of a laptop."""

import re

import pytest

from headway_cli.at_home import HERE, at_home
from headway_cli.intake import GIVEN_URLS
from headway_contract.failures import FAILURES
from headway_operator.api.migration import Database, SecretKeyRef, UrlFrom
from headway_operator.api.reasons import REASONS, reason_of
from headway_operator.planner.explain import explain
from headway_operator.planner.gates import IS_SUSPENDED
from headway_operator.planner.review import where_all_are
from headway_operator.planner.url_source import url_source

ONLY_IN_A_CLUSTER = {
    "Planning", "Migrating", "Stopping", "Suspended", "Paused", "UnsupportedAnnotation", "ImageNotPulled",
    "PodNotScheduled", "ImageRunsAsRoot", "SecretNotFound", "JobDisappeared", "NotPlanned", "JobNameConflict",
    "PodLeftBehind", "JobRefused", "JobStarted", "InvalidSpec", "InterpreterNotFound", "OutOfMemory",
    "ContainerNotCreated", "PodNotCreated", "PodNotStarted", "PodEvicted", "Notice",
}  # fmt: skip
"""A run without a cluster has no such thing, or refuses it with exit code 2 before anything starts."""
OF_A_CLUSTER = re.compile(
    r"kubectl|annotat|cluster|network polic|CustomResource|namespace|\b([Ii]mages?|Secret|Jobs?|[Pp]ods?|NAME)\b"
)
OF_A_LAPTOP = re.compile(r"(^|\s)--(python|project|url)\b|same command|\bhere\b|this machine")
HERE_TOO = [one.name for one in (*FAILURES, *REASONS) if one.name not in ONLY_IN_A_CLUSTER]


def told(name, happened=""):
    return explain(reason_of(name), happened, "shop")


@pytest.mark.parametrize("name", [one.name for one in (*FAILURES, *REASONS)])
def test_nobody_without_a_cluster_is_told_to_use_kubectl(name):
    text = at_home(told(name, "something was seen"), "shop")
    assert "kubectl" not in text
    assert "something was seen." in text


@pytest.mark.parametrize("name", HERE_TOO)
def test_what_can_happen_here_is_told_without_a_word_of_a_cluster(name):
    found = OF_A_CLUSTER.search(at_home(told(name), "shop"))
    assert found is None, f"{name}: {found[0]!r} in {at_home(told(name), 'shop')!r}"


@pytest.mark.parametrize("name", [one.name for one in (*FAILURES, *REASONS)])
def test_what_happens_in_a_cluster_is_told_without_a_word_of_a_laptop(name):
    assert OF_A_LAPTOP.search(told(name)) is None


@pytest.mark.parametrize("one", FAILURES, ids=lambda one: one.name)
def test_every_failure_says_what_it_is_and_what_to_do_in_both_worlds(one):
    for text in (told(one.name), at_home(told(one.name), "shop")):
        assert text.count(".") >= 2
        assert text.endswith((".", "--overwrite", "?"))


def test_what_is_said_here_is_said_of_a_reason_that_there_is():
    assert set(HERE) <= {one.name for one in (*FAILURES, *REASONS)}


def test_a_wrong_password_is_mended_in_the_url():
    assert at_home(told("AuthenticationFailed"), "shop").endswith(
        "Correct the user or the password, then run the same command again."
    )


def test_a_url_of_the_command_line_is_told_as_the_option_that_gave_it():
    given = url_source(Database("main", url_from=UrlFrom(SecretKeyRef(GIVEN_URLS, "main"))))
    assert at_home(f"It failed. {given} Mend it.", "shop") == (
        "It failed. Its URL was given with --url main=…. Mend it."
    )


def test_a_url_of_a_secret_in_the_file_is_told_with_that_secret():
    given = url_source(Database("main", url_from=UrlFrom(SecretKeyRef("shop-main", "uri"))))
    assert at_home(given, "shop") == "Its URL comes from key uri of Secret shop-main."


def test_without_any_source_no_image_is_spoken_of():
    assert "the environment or the project: " in at_home(url_source(Database("main")), "shop")


def test_the_runner_s_own_last_words_in_the_log_have_no_name_to_put_in():
    step = reason_of("AuthenticationFailed").next_step
    assert "NAME" in step
    assert "kubectl" not in at_home(f"headway: main: AuthenticationFailed: {step}", "shop")


def test_ctrl_c_is_no_field_of_the_resource():
    assert at_home(f"stopping: {IS_SUSPENDED}", "shop") == "stopping: it was asked to stop"


def test_all_findings_are_shown_by_a_plan_of_the_file():
    assert at_home(f"One. {where_all_are('shop')} Two.", "shop") == (
        "One. All, each with its safe form: headway plan FILE. Two."
    )
