"""What an API server admits and refuses (the very cases that are tried on a real one), decided here without it."""

import pytest

from cluster.test_crd_rules import ADMITTED, REFUSED
from headway_cli.admission import broken_rules
from headway_cli.problems import BadInput
from headway_cli.schema import checked, resource_schema
from support.crd import example, minimal


def objections(resource):
    """Everything that is said against it."""
    try:
        return [str(problem) for problem in broken_rules(checked(resource, "shop.yaml"), "shop.yaml")]
    except BadInput as error:
        return [str(problem) for problem in error.problems]


def messages_of_rules(schema):
    yield from (" ".join(rule["message"].split()) for rule in schema.get("x-kubernetes-validations", ()))
    for part in (
        *schema.get("properties", {}).values(),
        schema.get("items"),
        schema.get("additionalProperties"),
    ):
        if isinstance(part, dict):
            yield from messages_of_rules(part)


MESSAGES = "\n".join(messages_of_rules(resource_schema()))


@pytest.mark.parametrize("spec", ADMITTED.values(), ids=ADMITTED.keys())
def test_what_a_server_admits_is_admitted(spec):
    assert objections(minimal(**spec)) == []


@pytest.mark.parametrize(("spec", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_a_server_refuses_is_refused_and_a_rule_in_the_same_words(spec, sentence):
    told = "\n".join(objections(minimal(**spec)))
    assert told
    assert sentence in told or sentence not in MESSAGES


@pytest.mark.parametrize("name", ["minimal.yaml", "defaults_written_out.yaml", "full.yaml", "command.yaml"])
def test_the_examples_are_admitted(name):
    assert objections(example(name)) == []


def test_the_defaults_are_those_that_a_server_fills_in():
    filled = checked(example("minimal.yaml"), "minimal.yaml")
    assert filled["spec"] == example("defaults_written_out.yaml")["spec"]


def test_null_means_absent():
    resource = minimal(target="heads")
    resource["spec"] |= {"target": None, "hooks": None}
    assert checked(resource, "shop.yaml")["spec"]["target"] == "heads"
    assert "hooks" not in checked(resource, "shop.yaml")["spec"]


def test_an_unknown_field_that_is_empty_is_still_unknown():
    resource = minimal()
    resource["spec"]["databse"] = None
    assert objections(resource) == [
        "shop.yaml: spec.databse: there is no such field\n  Did you mean databases?"
    ]


def test_a_long_value_is_not_repeated():
    (told,) = objections(minimal(environment="x" * 5000))
    assert "is longer than 63 characters" in told
    assert "xxx" not in told
