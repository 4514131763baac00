"""The administrator's file of endpoints."""

from __future__ import annotations

import base64
import logging
from pathlib import Path

import pytest

from headway_operator.hooks.endpoints import BadEndpoints, Endpoints, parse

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
CHAT = f"""
endpoints:
- name: chat
  url: https://hooks.example.com/T0/hidden-path
  headers: {{Authorization: Bearer hidden-token}}
  secrets: [{SECRET}]
  namespaces: [team-a]
- name: pager
  url: https://pager.example.com/
"""


def test_a_file_is_read_whole() -> None:
    found = parse(CHAT)
    assert list(found) == ["chat", "pager"]
    chat = found["chat"]
    assert chat.url == "https://hooks.example.com/T0/hidden-path"
    assert chat.headers == {"Authorization": "Bearer hidden-token"}
    assert chat.secrets[0].key == b"s" * 32
    assert [chat.may_be_used_in(one) for one in ("team-a", "team-b", "")] == [True, False, False]
    assert found["pager"].may_be_used_in("team-b")


def test_nothing_secret_is_in_what_a_traceback_shows() -> None:
    assert "hidden" not in repr(parse(CHAT)["chat"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a list under the key endpoints"),
        ("[]", "a list under the key endpoints"),
        ("endpoints: {chat: {}}", "a list under the key endpoints"),
        ("endpoints: [chat]", "endpoint 1: it should have a name and a url"),
        ("endpoints: [{name: chat}]", "endpoint 1: url should be a text"),
        ("endpoints: [{url: https://x}]", "endpoint 1: name should be a text"),
        ("endpoints: [{name: 1, url: https://x}]", "endpoint 1: name should be a text"),
        ("endpoints: [{name: a, url: u, secret: hidden}]", "endpoint 1: unknown: secret"),
        ("endpoints: [{name: a, url: u}, {name: a, url: v}]", "there is more than one a"),
        ("endpoints: [{name: a, url: u, headers: [hidden]}]", "headers should be names and values"),
        ("endpoints: [{name: a, url: u, headers: {A: 1}}]", "the header A should be a text"),
        ('endpoints: [{name: a, url: u, headers: {A: "hidden\\nB: c"}}]', "the header A should be a text"),
        ("endpoints: [{name: a, url: u, headers: {A hidden: x}}]", "a header's name has characters"),
        ("endpoints: [{name: a, url: u, headers: {webhook-id: x}}]", "webhook-id is set by Headway"),
        ("endpoints: [{name: a, url: u, headers: {Ce-Type: x}}]", "Ce-Type is set by Headway"),
        ("endpoints: [{name: a, url: u, headers: {Host: x}}]", "Host is set by Headway"),
        ("endpoints: [{name: a, url: u, headers: {Content-Length: '0'}}]", "is set by Headway"),
        ("endpoints: [{name: a, url: u, secrets: hidden}]", "at most 2 texts"),
        (f"endpoints: [{{name: a, url: u, secrets: [{SECRET}, {SECRET}, {SECRET}]}}]", "at most 2 texts"),
        ("endpoints: [{name: a, url: u, secrets: [hidden]}]", "secret 1: a shared secret starts with whsec_"),
        ("endpoints: [{name: a, url: u, namespaces: []}]", "namespaces should be a list"),
        ("endpoints: [{name: a, url: u, namespaces: team-a}]", "namespaces should be a list"),
        ("endpoints:\n- name: a\n  url: [hidden\n", "line 4 is no YAML"),
        ("endpoints:\n- name: !!python/object:os.system hidden", "line 2 is no YAML"),
        ("endpoints: \x00hidden", "it is no YAML"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_of_it_is_shown(text: str, said: str) -> None:
    with pytest.raises(BadEndpoints, match=said) as refusal:
        parse(text)
    assert "hidden" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(BadEndpoints) as refusal:
        parse("endpoints: [{name: a}, {url: u, secrets: [x]}]")
    assert str(refusal.value).count("endpoint ") == 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadEndpoints, match=r"No such file or directory.*endpoints\.yaml"):
        Endpoints(str(tmp_path / "endpoints.yaml"))


def test_without_a_file_there_are_no_endpoints() -> None:
    assert Endpoints().find("chat") is None


def swap(folder: Path, link: Path, text: str) -> None:
    """As a kubelet does with a mounted Secret: a new folder, and the link is moved to it."""
    fresh = folder / f"data-{len(list(folder.iterdir()))}"
    fresh.mkdir()
    (fresh / "endpoints.yaml").write_text(text)
    link.with_suffix(".new").symlink_to(fresh)
    link.with_suffix(".new").rename(link)


def test_a_secret_that_is_mounted_anew_is_read_again(tmp_path: Path) -> None:
    swap(tmp_path, tmp_path / "data", CHAT)
    endpoints = Endpoints(str(tmp_path / "data" / "endpoints.yaml"))
    assert endpoints.find("chat") is not None
    swap(tmp_path, tmp_path / "data", CHAT.replace("name: chat", "name: talk"))
    assert endpoints.find("chat") is None
    assert endpoints.find("talk") is not None


@pytest.mark.parametrize("change", ["broken", "gone"])
def test_a_file_that_becomes_unusable_changes_nothing_and_is_told_once(
    change: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "endpoints.yaml"
    file.write_text(CHAT)
    endpoints = Endpoints(str(file))
    if change == "broken":
        file.write_text("endpoints: [{name: hidden")
    else:
        file.unlink()
    with caplog.at_level(logging.ERROR):
        assert endpoints.find("chat") is not None
        assert endpoints.find("chat") is not None
    assert len(caplog.messages) == 1
    assert "stay as they were" in caplog.messages[0]
    assert "hidden" not in caplog.messages[0]
    file.write_text(CHAT.replace("name: chat", "name: talk"))
    assert endpoints.find("talk") is not None
