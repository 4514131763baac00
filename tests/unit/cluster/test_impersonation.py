"""As whom a kubeconfig's user acts, in the headers that kubectl sends for it."""

from pathlib import Path

import pytest
import yaml

from headway_operator.cluster.access import NoAccess, from_kubeconfig
from headway_operator.cluster.impersonation import NobodyNamed, headers


def test_a_user_that_acts_as_itself_has_no_headers() -> None:
    assert headers({"token": "t", "as": "", "as-groups": [], "as-user-extra": {}}) == ()


def test_everything_that_a_user_may_act_as_has_its_header() -> None:
    user = {
        "as": "alice",
        "as-uid": "42",
        "as-groups": ["dba", "shops"],
        "as-user-extra": {"example.com/100%": ["a", "b"], "scopes": ["view"]},
    }
    assert headers(user) == (
        ("Impersonate-User", "alice"),
        ("Impersonate-Uid", "42"),
        ("Impersonate-Group", "dba"),
        ("Impersonate-Group", "shops"),
        ("Impersonate-Extra-example.com%2F100%25", "a"),
        ("Impersonate-Extra-example.com%2F100%25", "b"),
        ("Impersonate-Extra-scopes", "view"),
    )


@pytest.mark.parametrize("alone", [{"as-groups": ["dba"]}, {"as-uid": "42"}, {"as-user-extra": {"a": ["b"]}}])
def test_a_group_without_a_user_is_refused_and_not_left_out(alone: dict[str, object]) -> None:
    with pytest.raises(NobodyNamed, match="set `as`, too"):
        headers(alone)


def test_the_user_of_the_named_context_counts(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        yaml.safe_dump(
            {
                "current-context": "own",
                "contexts": [
                    {"name": "own", "context": {"cluster": "c", "user": "me"}},
                    {"name": "other", "context": {"cluster": "c", "user": "me-as-alice"}},
                    {"name": "wrong", "context": {"cluster": "c", "user": "me-in-a-group"}},
                    {"name": "nobody", "context": {"cluster": "c"}},
                ],
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [
                    {"name": "me", "user": {"token": "t"}},
                    {"name": "me-as-alice", "user": {"token": "t", "as": "alice"}},
                    {"name": "me-in-a-group", "user": {"token": "t", "as-groups": ["dba"]}},
                ],
            }
        )
    )
    assert from_kubeconfig(str(file)).impersonation == ()
    assert from_kubeconfig(str(file), "other").impersonation == (("Impersonate-User", "alice"),)
    assert from_kubeconfig(str(file), "nobody").impersonation == ()
    with pytest.raises(NoAccess, match="set `as`, too"):
        from_kubeconfig(str(file), "wrong")
