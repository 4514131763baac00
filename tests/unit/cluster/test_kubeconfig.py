"""Kubeconfigs that kubectl takes, taken as it takes them."""

from __future__ import annotations

import pytest
import yaml

from headway_operator.cluster.access import NoAccess, for_a_person, from_kubeconfig

PROXIES = (
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
)


@pytest.fixture(autouse=True)
def no_proxy_from_here(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def kubeconfig(tmp_path):
    """Write one with this cluster and context, and other keys at its top."""

    def write(cluster=None, context=None, **more):
        file = tmp_path / "config"
        content = {
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "me", **(context or {})}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://10.1.2.3:6443", **(cluster or {})}}],
            "users": [{"name": "me", "user": {"token": "t"}}],
            **more,
        }
        file.write_text(yaml.safe_dump(content))
        return str(file)

    return write


@pytest.mark.parametrize("current", [{}, {"current-context": "deleted"}], ids=["none", "one that is gone"])
def test_a_context_that_is_named_needs_no_current_one(kubeconfig, current):
    access, namespace = for_a_person(kubeconfig(context={"namespace": "shop"}, **current), "prod")
    assert (access.server, namespace) == ("https://10.1.2.3:6443", "shop")


def test_without_a_namespace_it_is_the_default_one(kubeconfig):
    assert for_a_person(kubeconfig(**{"current-context": "prod"}))[1] == "default"


@pytest.mark.parametrize("content", ["", "a: b: c", "current-context: prod"])
def test_what_is_no_kubeconfig_is_said(tmp_path, content):
    file = tmp_path / "config"
    file.write_text(content)
    with pytest.raises(NoAccess, match="no kubeconfig that can be used"):
        for_a_person(str(file))


@pytest.mark.parametrize(
    ("without", "proxy"),
    [
        ("", "http://proxy.corp:3128"),
        ("example.com", "http://proxy.corp:3128"),
        ("example.com, 10.0.0.0/8", None),
        ("10.1.2.3", None),
        ("*", None),
    ],
)
def test_the_proxy_of_the_environment_is_left_out_for_what_no_proxy_names(
    kubeconfig, monkeypatch, without, proxy
):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp:3128")
    monkeypatch.setenv("NO_PROXY", without)
    assert from_kubeconfig(kubeconfig(), "prod").proxy == proxy


def test_the_proxy_of_the_kubeconfig_counts_before_that_of_the_environment(kubeconfig, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp:3128")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    found = from_kubeconfig(kubeconfig({"proxy-url": "http://bastion:8888"}), "prod")
    assert found.proxy == "http://bastion:8888"


def test_a_proxy_of_another_kind_is_refused_with_what_to_do(kubeconfig):
    with pytest.raises(NoAccess, match="a proxy of the kind socks5, and only http and https are known here"):
        from_kubeconfig(kubeconfig({"proxy-url": "socks5://bastion:1080"}), "prod")
