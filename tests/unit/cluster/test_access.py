"""How the operator finds its API server and proves who it is."""

import ssl
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from headway_operator.cluster import access
from headway_operator.cluster.access import Access, NoAccess, find_access, from_kubeconfig, in_cluster
from support.certificates import Authority


@pytest.fixture
def service_account(tmp_path: Path) -> Path:
    authority = Authority(tmp_path / "certificates")
    (tmp_path / "ca.crt").write_bytes(Path(authority.certificate).read_bytes())
    (tmp_path / "token").write_text("first\n")
    return tmp_path


async def test_a_renewed_token_is_used_without_a_restart(
    service_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "TOKEN_SECONDS", 0.0)
    found = in_cluster("10.0.0.1", "443", service_account)
    assert found.server == "https://10.0.0.1:443"
    assert found.token is not None
    assert await found.token() == "first"
    (service_account / "token").write_text("second")
    assert await found.token() == "second"


def test_an_ipv6_address_is_written_as_a_url_wants_it(service_account: Path) -> None:
    assert in_cluster("fd00::1", "443", service_account).server == "https://[fd00::1]:443"


def test_a_pod_without_a_token_is_told_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(NoAccess, match="automountServiceAccountToken"):
        in_cluster("10.0.0.1", "443", tmp_path)


def test_no_kubeconfig_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NoAccess, match="set KUBECONFIG"):
        find_access()


async def test_every_request_carries_the_token() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response()

    async def token() -> str:
        return f"t{len(seen)}"

    app = web.Application()
    app.router.add_get("/x", answer)
    async with TestServer(app) as server:
        found = Access(str(server.make_url("/")), ssl.create_default_context(), token)
        async with found.session() as session:
            for _ in range(2):
                async with session.get("x") as response:
                    assert response.status == 200
    assert seen == ["Bearer t0", "Bearer t1"]
    assert isinstance(session, aiohttp.ClientSession)


async def test_a_certificate_is_checked_for_the_name_that_the_kubeconfig_gives(tmp_path: Path) -> None:
    """As with a tunnel to an API server: its address is another one than its certificate has."""
    authority = Authority(tmp_path / "certificates")
    authority.issue_server("kube", (), ("kube.example.com",))
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(authority.folder / "kube.crt", authority.folder / "kube.key")

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/x", answer)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=serving)
    try:
        cluster = {"server": str(server.make_url("/")), "certificate-authority": str(authority.certificate)}
        for name, is_trusted in (("kube.example.com", True), ("other.example.com", False)):
            file = tmp_path / "config"
            file.write_text(
                yaml.safe_dump(
                    {
                        "contexts": [{"name": "tunnel", "context": {"cluster": "c"}}],
                        "clusters": [{"name": "c", "cluster": {**cluster, "tls-server-name": name}}],
                    }
                )
            )
            async with from_kubeconfig(str(file), "tunnel").session() as session:
                if is_trusted:
                    async with session.get("x") as response:
                        assert await response.text() == "here"
                else:
                    with pytest.raises(aiohttp.ClientConnectorCertificateError):
                        await session.get("x")
    finally:
        await server.close()
