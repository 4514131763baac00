"""What a hook's URL may look like, and what is said when it may not be called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_operator.hooks.guard import METADATA_NAMES, RULES, Denied, checked_url
from headway_operator.hooks.policy import Policy
from headway_operator.settings import Settings

CASES = (
    ("ftp://hooks.example.com/x", "scheme_is_neither_https_nor_http"),
    ("//hooks.example.com/x", "scheme_is_neither_https_nor_http"),
    ("hooks.example.com", "scheme_is_neither_https_nor_http"),
    ("https:///x", "scheme_is_neither_https_nor_http"),
    ("https://user@hooks.example.com/", "url_holds_credentials"),
    ("https://user:secret@hooks.example.com/", "url_holds_credentials"),
    ("https://hooks.example.com;@127.0.0.1/", "url_holds_credentials"),
    ("https://0x7f.1/", "host_is_an_address_in_an_unusual_form"),
    ("https://0x7f000001/", "host_is_an_address_in_an_unusual_form"),
    ("https://2130706433/", "host_is_an_address_in_an_unusual_form"),
    ("https://017700000001/", "host_is_an_address_in_an_unusual_form"),
    ("https://127.1/", "host_is_an_address_in_an_unusual_form"),
    ("https://0177.0.0.1/", "host_is_an_address_in_an_unusual_form"),
    ("https://8.8.8.8./", "host_is_an_address_in_an_unusual_form"),
    ("https://1.2.3.4.5/", "host_is_an_address_in_an_unusual_form"),
    ("https://hooks.example.0x/", "host_is_an_address_in_an_unusual_form"),
    ("https://[fe80::1%25eth0]/", "host_is_an_address_in_an_unusual_form"),
    ("https://[2606:2800::1%eth0]/", "host_is_an_address_in_an_unusual_form"),
    ("https://127%2e0.0.1/", "host_is_an_address_in_an_unusual_form"),
    ("https://a..example.com/", "host_is_no_name"),
    ("https://" + "a" * 64 + ".example.com/", "host_is_no_name"),
    ("https://" + "a." * 126 + "com/", "host_is_no_name"),
    ("https://hooks.ex ample.com/", "host_is_no_name"),
    ("https://*.example.com/", "host_is_no_name"),
    ("https://hooks.exa\x00mple.com/", "host_is_no_name"),
    ("https://metadata.google.internal/computeMetadata/v1/", "name_is_of_the_metadata_service"),
    ("https://METADATA.google.internal./", "name_is_of_the_metadata_service"),
    ("https://instance-data/latest", "name_is_of_the_metadata_service"),
    ("https://kubernetes/", "name_is_of_the_api_server"),
    ("https://kubernetes.default/", "name_is_of_the_api_server"),
    ("https://kubernetes.default.svc/api", "name_is_of_the_api_server"),
    ("https://Kubernetes.Default.svc.cluster.local./", "name_is_of_the_api_server"),
    ("https://kubernetes.default.svc.corp.example/", "name_is_of_the_api_server"),
    ("https://api.cluster.example.com/", "name_is_of_the_api_server"),
    ("https://chat/", "name_has_one_label"),
    ("https://localhost/", "name_has_one_label"),
    ("http://hooks.example.com/", "url_leaves_the_cluster_without_tls"),
    ("http://chat.team-a.svc.example.com/", "url_leaves_the_cluster_without_tls"),
    ("http://chat.team-a.svc:22/", "port_is_not_for_the_web"),
    ("https://hooks.example.com:6443/", "port_is_not_for_the_web"),
    ("https://hooks.example.com:10250/", "port_is_not_for_the_web"),
    ("https://hooks.example.com:2379/", "port_is_not_for_the_web"),
    ("https://hooks.example.com:0/", "port_is_not_for_the_web"),
    ("https://127.0.0.1/", "address_is_denied"),
    ("https://１２７.０.０.１/", "address_is_denied"),
    ("https://[::ffff:169.254.169.254]/", "address_is_denied"),
    ("https://[64:ff9b::a9fe:a9fe]/", "address_is_denied"),
)
ALLOWED = (
    "https://hooks.example.com/services/T0/B0",
    "https://hooks.example.com:8443/x?y=z",
    "https://xn--bcher-kva.example.com/",
    "https://my_service.example.com./",
    "https://chat.team-a.svc/x",
    "http://chat.team-a.svc/x",
    "http://chat.team-a.svc.cluster.local:8080/x",
    "https://10.1.2.3/x",
    "https://[fd12:3456::1]:8443/x",
    "https://kubernetes.example.com/x",
    "https://kubernetes-default.svc.example.com/",
)
POLICY = Policy(api_server="api.cluster.example.com")


@pytest.mark.parametrize(("url", "rule"), CASES)
def test_the_first_rule_that_objects_is_this_one(url: str, rule: str) -> None:
    from yarl import URL

    parsed = URL(url)
    host = (parsed.host or "").lower().rstrip(".")
    assert next(one.__name__ for one in RULES if one(parsed, host, POLICY)) == rule
    with pytest.raises(Denied):
        checked_url(url, POLICY)


@pytest.mark.parametrize("url", ALLOWED)
def test_what_is_in_order_may_be_called(url: str) -> None:
    assert str(checked_url(url, POLICY)) == url


def test_every_rule_has_a_case() -> None:
    assert {rule for _, rule in CASES} == {rule.__name__ for rule in RULES}


def test_the_rules_stand_in_this_order() -> None:
    assert [rule.__name__ for rule in RULES] == [
        "scheme_is_neither_https_nor_http",
        "url_holds_credentials",
        "host_is_an_address_in_an_unusual_form",
        "host_is_no_name",
        "name_is_of_the_metadata_service",
        "name_is_of_the_api_server",
        "name_has_one_label",
        "url_leaves_the_cluster_without_tls",
        "port_is_not_for_the_web",
        "address_is_denied",
    ]


@given(st.text() | st.builds("https://{}/".format, st.text()) | st.builds("https://a.b{}".format, st.text()))
def test_whatever_is_written_is_called_or_denied(text: str) -> None:
    try:
        url = checked_url(text, POLICY)
    except Denied:
        return
    assert url.scheme in ("http", "https")
    assert url.raw_host


@pytest.mark.parametrize("name", METADATA_NAMES)
def test_no_name_of_a_metadata_service_may_be_called(name: str) -> None:
    with pytest.raises(Denied, match="metadata"):
        checked_url(f"https://{name}/", POLICY)


@pytest.mark.parametrize("text", ["https://[::1", "https://a\\@b/", "https://h:99999/", "http://"])
def test_what_is_no_url_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Denied, match="https://HOST/PATH"):
        checked_url(text, POLICY)


def test_the_administrators_own_address_may_have_any_port_and_no_tls() -> None:
    with pytest.raises(Denied):
        checked_url("http://proxy.example.com:81/", POLICY)
    assert checked_url("http://proxy.example.com:81/", POLICY, is_the_administrators=True).port == 81


def test_the_administrators_own_address_may_not_be_a_metadata_service() -> None:
    with pytest.raises(Denied):
        checked_url("http://169.254.169.254/", POLICY, is_the_administrators=True)


def test_on_a_persons_own_machine_everything_may_be_called() -> None:
    assert checked_url("http://localhost:8080/", Policy(is_open=True)).port == 8080
    with pytest.raises(Denied):
        checked_url("file:///etc/passwd", Policy(is_open=True))


@pytest.mark.parametrize("server", ["10.96.0.1", "fd00:10::1"])
def test_the_api_servers_address_may_not_be_called(server: str) -> None:
    policy = Policy.from_settings(Settings(), server)
    host = f"[{server}]" if ":" in server else server
    with pytest.raises(Denied):
        checked_url(f"https://{host}/", policy)


def test_the_api_server_is_not_meant_by_a_wide_network_that_is_allowed() -> None:
    wide = Policy.from_settings(Settings(hooks_allow=("10.0.0.0/8",)), "10.96.0.1")
    very = Policy.from_settings(Settings(hooks_allow=("10.96.0.1",)), "10.96.0.1")
    checked_url("https://10.96.0.2/", wide)
    for host in ("10.96.0.1", "[::ffff:10.96.0.1]"):
        with pytest.raises(Denied, match="the API server's address"):
            checked_url(f"https://{host}/", wide)
    checked_url("https://10.96.0.1/", very)


def test_a_setting_that_is_no_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"HEADWAY_HOOKS_DENY.*'10\.0\.0'"):
        Policy.from_settings(Settings(hooks_deny=("10.0.0",)))
    with pytest.raises(ValueError, match=r"HEADWAY_HOOKS_ALLOW.*'localhost'"):
        Policy.from_settings(Settings(hooks_allow=("localhost",)))
    # A network with bits beyond its mask is a slip whose meaning nobody knows.
    with pytest.raises(ValueError, match="HEADWAY_HOOKS_ALLOW"):
        Policy.from_settings(Settings(hooks_allow=("10.0.0.1/8",)))


def test_private_stands_for_all_private_networks() -> None:
    policy = Policy.from_settings(Settings(hooks_deny=("private",), hooks_allow=("10.1.0.0/16",)))
    checked_url("https://10.1.2.3/", policy)
    for host in ("10.2.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fd00::1]"):
        with pytest.raises(Denied):
            checked_url(f"https://{host}/", policy)
