"""``headway hooks`` as people use it: real processes, one sends and one listens."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.certificates import Authority
from support.command_line import Headway

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


def ended(headway: Headway) -> tuple[int, str]:
    return headway.wait(), headway.out


@pytest.fixture
def key(tmp_path: Path) -> str:
    """The public half of a new key in the file `key`."""
    code, out = ended(Headway(tmp_path, "hooks", "key", "--new", "key"))
    assert code == 0
    return out.strip()


@pytest.fixture
def listener(tmp_path: Path, key: str) -> Iterator[tuple[Headway, str]]:
    """One that says not yet to the first message, and its URL."""
    options = ("--port", "0", "--answer", "403,200", "--key", key, "--secret", SECRET)
    started = Headway(tmp_path, "hooks", "listen", *options)
    started.wait_for("listening on ")
    (url,) = re.findall(r"http://\S+", started.out)
    yield started, url
    started.interrupt()
    assert started.wait() == 0
    assert started.out.endswith("stopped\n")


def test_a_new_key_is_its_owners_alone_and_is_not_overwritten(tmp_path: Path, key: str) -> None:
    file = tmp_path / "key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ended(Headway(tmp_path, "hooks", "key", "key")) == (0, f"{key}\n")
    before = file.read_text()
    again = Headway(tmp_path, "hooks", "key", "--new", "key")
    assert again.wait() == 2
    assert "exists already" in again.err
    assert file.read_text() == before


def test_what_one_sends_the_other_verifies(tmp_path: Path, listener: tuple[Headway, str]) -> None:
    listening, url = listener
    entry = {"name": "chat", "url": url, "secrets": [SECRET], "namespaces": ["team-a"]}
    (tmp_path / "endpoints.yaml").write_text(json.dumps({"endpoints": [entry]}))
    environment = {"HEADWAY_HOOKS_ALLOW": "127.0.0.1", "HEADWAY_HOOKS_PLAIN_HTTP": "127.0.0.1"}
    keyed = environment | {"HEADWAY_HOOKS_KEY_FILE": "key"}
    shared = environment | {"HEADWAY_HOOKS_ENDPOINTS_FILE": "endpoints.yaml"}
    to_chat = ("hooks", "send", "--endpoint", "chat", "--namespace")
    assert ended(Headway(tmp_path, "hooks", "send", "--url", url, environment=keyed)) == (
        1,
        "127.0.0.1 answered 403 (no, or not yet)\n",
    )
    assert ended(Headway(tmp_path, *to_chat, "team-a", environment=shared)) == (
        0,
        "endpoint chat answered 200\n",
    )
    assert ended(Headway(tmp_path, *to_chat, "team-b", environment=shared)) == (
        1,
        "endpoint chat: the namespace team-b may not use it\n",
    )
    first, second = (line for line in listening.out.splitlines() if "dev.headway.test" in line)
    assert first.endswith("verified (v1a)  → 403")
    assert second.endswith("verified (v1)  → 200")


def test_a_person_tries_it_out_on_this_machine_without_settings_and_is_told_of_the_operator(
    tmp_path: Path, listener: tuple[Headway, str]
) -> None:
    listening, url = listener
    sent = Headway(tmp_path, "hooks", "send", "--url", url)
    assert ended(sent) == (1, "127.0.0.1 answered 403 (no, or not yet)\n")
    assert "An operator calls it only if HEADWAY_HOOKS_ALLOW and HEADWAY_HOOKS_PLAIN_HTTP say so." in sent.err
    again = Headway(tmp_path, "hooks", "send", "--url", url)
    assert ended(again) == (0, "127.0.0.1 answered 200\n")
    assert listening.out.count("dev.headway.test") == 2


def test_an_operator_would_not_send_to_this_machine(tmp_path: Path, listener: tuple[Headway, str]) -> None:
    listening, url = listener
    (tmp_path / "endpoints.yaml").write_text(json.dumps({"endpoints": [{"name": "chat", "url": url}]}))
    environment = {"HEADWAY_HOOKS_ENDPOINTS_FILE": "endpoints.yaml"}
    sent = Headway(tmp_path, "hooks", "send", "--endpoint", "chat", environment=environment)
    assert ended(sent) == (
        1,
        "endpoint chat: its address is a loopback address, which no hook may call\n",
    )
    assert "dev.headway.test" not in listening.out


@pytest.mark.parametrize("host", ["10.0.0.1:9", "shop.example.com:9999", "127.1:9999", "localhost:9999"])
def test_what_is_no_loopback_address_is_called_by_the_operators_settings(host: str, tmp_path: Path) -> None:
    sent = Headway(tmp_path, "hooks", "send", "--url", f"http://{host}/")
    code, out = ended(sent)
    assert (code, sent.err) == (1, "")
    assert "answered" not in out
    assert any(word in out for word in ("use https", "unusual form", "no domain")), out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("listen", "--secret", "whsec_%"), "error: --secret"),
        (("listen", "--key", "whpk_AAAA"), "error: --key"),
        (("listen", "--answer", "200,teapot"), "is not a list of HTTP statuses"),
        (("listen", "--port", "99999"), "cannot be listened on"),
        (("key", "nothing"), "No such file"),
        (("send",), "one of the arguments --url --endpoint is required"),
    ],
)
def test_what_is_wrong_is_said(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    headway = Headway(tmp_path, "hooks", *words)
    assert headway.wait() == 2
    assert said in headway.err
    assert "Traceback" not in headway.err


def test_settings_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    headway = Headway(
        tmp_path, "hooks", "send", "--url", "https://x.example.com", environment={"HEADWAY_HOOKS_DENY": "x"}
    )
    assert headway.wait() == 2
    assert "HEADWAY_HOOKS_DENY" in headway.err


def test_an_operator_with_a_key_that_cannot_be_used_does_not_start(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    authority.issue_client("operator", "operator")
    (tmp_path / "key").write_text("whsk_c2hvcnQ=")
    settings = {
        "KUBECONFIG": str(authority.kubeconfig("operator", "https://127.0.0.1:1")),
        "HEADWAY_HOOKS_KEY_FILE": str(tmp_path / "key"),
    }
    operator = Path(sys.executable).with_name("headway-operator")
    done = subprocess.run(
        [operator], env=os.environ | settings, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "headway-operator: HEADWAY_HOOKS_KEY_FILE" in done.stderr
    assert "has 5" in done.stderr
    assert "c2hvcnQ" not in done.stderr
