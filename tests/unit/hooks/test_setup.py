"""Settings that cannot be used stop the operator at its start, with a sentence for a person."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from headway_operator.hooks.own_key import SigningKey
from headway_operator.hooks.setup import make_local_sender, make_sender
from headway_operator.settings import Settings
from support.receivers import now

SERVER = "https://10.96.0.1:443"


@pytest.mark.parametrize(
    ("variable", "content", "said"),
    [
        ("HEADWAY_HOOKS_KEY_FILE", "whsk_c2hvcnQ=", "HEADWAY_HOOKS_KEY_FILE .*32 bytes"),
        ("HEADWAY_HOOKS_KEY_FILE", None, "HEADWAY_HOOKS_KEY_FILE cannot be read: .*No such file"),
        ("HEADWAY_HOOKS_ENDPOINTS_FILE", "endpoints: 1", "endpoints .*should be a list"),
        ("HEADWAY_HOOKS_ENDPOINTS_FILE", None, "endpoints .*No such file"),
        ("HEADWAY_HOOKS_CA_FILE", "no certificate", "HEADWAY_HOOKS_CA_FILE .*cannot be used"),
        ("HEADWAY_HOOKS_CA_FILE", None, "HEADWAY_HOOKS_CA_FILE .*No such file"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named(
    variable: str, content: str | None, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=said):
        make_sender(Settings.from_environment({variable: str(file)}), SERVER, now)


@pytest.mark.parametrize("proxy", ["proxy.example.com:3128", "socks5://proxy.example.com", "http://"])
async def test_a_proxy_that_is_none_is_refused(proxy: str) -> None:
    with pytest.raises(ValueError, match="HEADWAY_HOOKS_PROXY"):
        make_sender(Settings.from_environment({"HEADWAY_HOOKS_PROXY": proxy}), SERVER, now)


async def test_without_a_key_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await make_sender(Settings(), SERVER, now).close()
    assert [text for text in caplog.messages if "HEADWAY_HOOKS_KEY_FILE" in text]


async def test_with_a_key_the_log_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "key").write_text(SigningKey.generate().secret_text)
    with caplog.at_level(logging.INFO):
        await make_sender(Settings(hooks_key_file=str(tmp_path / "key")), SERVER, now).close()
    assert caplog.messages == []


async def test_a_local_sender_closes(recwarn: pytest.WarningsRecorder) -> None:
    await make_local_sender(now).close()
    assert list(recwarn) == []


def test_the_settings_are_lists_where_there_may_be_several() -> None:
    found = Settings.from_environment({"HEADWAY_HOOKS_ALLOW": "127.0.0.1, ::1,", "HEADWAY_HOOKS_DENY": ""})
    assert found.hooks_allow == ("127.0.0.1", "::1")
    assert found.hooks_deny == ()
    assert found.hooks_plain_http == (".svc", ".svc.cluster.local")
