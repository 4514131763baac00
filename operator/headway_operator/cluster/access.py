"""Where the API server is and how to prove who we are: in the cluster's own way, or as a kubeconfig says.

A token is asked for with every request, because tokens are renewed while the operator runs: a file is read again
when it has changed, a kubeconfig's plugin is asked again when its answer has expired.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from headway_operator.cluster.impersonation import Headers, NobodyNamed, headers
from headway_operator.cluster.kubeconfig import context_of

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
DEFAULT_KUBECONFIG = Path.home() / ".kube" / "config"
TOKEN_SECONDS = 30.0
"""How long a token is used before it is asked for again."""

NOBODY_ELSE: Mapping[str, Any] = {}
"""Act as who we are."""

TokenSource = Callable[[], Awaitable[str]]


class NoAccess(Exception):
    """There is no usable way to an API server; the message says what to do."""


@dataclass(frozen=True)
class Access:
    """An address, the trust in it, and our own proof: a client certificate in ``tls``, a token, or both."""

    server: str
    tls: ssl.SSLContext
    token: TokenSource | None = None
    proxy: str | None = None
    traces: tuple[Callable[[], aiohttp.TraceConfig], ...] = ()
    """Whom every session tells of its requests."""
    impersonation: Headers = ()
    """As whom every request acts; nothing: as who we are."""
    server_name: str = ""
    """What the server's certificate is checked for, where that is not the host of its address."""
    namespace: str = "default"
    """That is meant where none is named."""

    def session(self) -> aiohttp.ClientSession:
        """A new session that authenticates each of its requests; the caller closes it."""
        return aiohttp.ClientSession(
            base_url=self.server.rstrip("/") + "/",
            connector=aiohttp.TCPConnector(ssl=self.tls, limit=0),
            middlewares=tuple(self._middlewares()),
            proxy=self.proxy,
            headers=self.impersonation,
            trace_configs=[trace() for trace in self.traces],
        )

    def _middlewares(self) -> Iterator[aiohttp.ClientMiddlewareType]:
        if self.token is not None:
            yield _authorize(self.token)
        if self.server_name:
            yield _checked_as(self.server_name)


def find_access() -> Access:
    """Of the cluster this process runs in, else of the kubeconfig; raises :class:`NoAccess`."""
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    if host and "KUBECONFIG" not in os.environ:
        return in_cluster(host, os.environ.get("KUBERNETES_SERVICE_PORT", "443"), SERVICE_ACCOUNT)
    return from_kubeconfig()


def for_a_person(
    kubeconfig: str = "", context: str = "", acting: Mapping[str, Any] = NOBODY_ELSE
) -> tuple[Access, str]:
    """As kubectl finds it, and the namespace that is meant where none is named; raises :class:`NoAccess`.

    ``acting``: as whom, by the keys of a kubeconfig's user (``as``, ``as-groups``), before what stands there.
    """
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    if host and not (kubeconfig or context or "KUBECONFIG" in os.environ or DEFAULT_KUBECONFIG.exists()):
        try:
            access = replace(find_access(), impersonation=headers(acting))
        except NobodyNamed as error:
            raise NoAccess(str(error)) from None
        return access, (SERVICE_ACCOUNT / "namespace").read_text().strip()
    access = from_kubeconfig(kubeconfig, context, acting)
    return access, access.namespace


def in_cluster(host: str, port: str, folder: Path) -> Access:
    """With the files that the kubelet puts into every pod; raises :class:`NoAccess`."""
    try:
        tls = _tls(str(folder / "ca.crt"))
        (folder / "token").read_text()
    except OSError as error:
        raise NoAccess(
            f"the pod's service account cannot be read ({error}): set automountServiceAccountToken to true"
        ) from None
    address = f"[{host}]" if ":" in host else host
    return Access(f"https://{address}:{port}", tls, _kept(lambda: (folder / "token").read_text().strip()))


def from_kubeconfig(file: str = "", context: str = "", acting: Mapping[str, Any] = NOBODY_ELSE) -> Access:
    """With this file, else that of ``KUBECONFIG`` or the home folder, plugins included; raises :class:`NoAccess`."""
    import yaml
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config

    configuration = Configuration()
    try:
        load_kube_config(  # type: ignore[no-untyped-call]
            file or None, context or None, client_configuration=configuration
        )
        meant = context_of(file, context)
        impersonation = headers({**(meant.user or {}), **acting})
        tls = _tls(configuration.ssl_ca_cert)
        if configuration.cert_file:
            tls.load_cert_chain(configuration.cert_file, configuration.key_file)
    except NobodyNamed as error:
        raise NoAccess(str(error)) from None
    except (ConfigException, OSError, yaml.YAMLError) as error:
        raise NoAccess(
            f"no kubeconfig that can be used ({error}): set KUBECONFIG to one, or run this in a cluster"
        ) from None
    if not configuration.verify_ssl:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE

    def token() -> str:
        prefixed = configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or ""
        return prefixed.removeprefix("Bearer ")

    has_token = "BearerToken" in configuration.api_key or "authorization" in configuration.api_key
    return Access(
        configuration.host,
        tls,
        _kept(token) if has_token else None,
        _proxy(configuration, meant.proxy),
        impersonation=impersonation,
        server_name=meant.server_name,
        namespace=meant.namespace,
    )


def _proxy(configuration: Any, named: str) -> str | None:
    """That which the kubeconfig names, else that of the environment unless ``NO_PROXY`` has the server."""
    from kubernetes.client.rest import should_bypass_proxies

    found: str | None = named or configuration.proxy
    if not named and found and should_bypass_proxies(configuration.host, configuration.no_proxy or ""):
        return None
    if found and found.split("://", 1)[0] not in ("http", "https"):
        scheme = found.split("://", 1)[0]
        raise NoAccess(
            f"the API server is to be reached by a proxy of the kind {scheme}, and only http and https are known "
            "here: name such a proxy (proxy-url in the kubeconfig, or HTTPS_PROXY), or run this where none is needed"
        )
    return found or None


def _tls(authority: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority or None)
    # Python 3.13 refuses certificates that every other client of Kubernetes accepts.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _kept(read: Callable[[], str]) -> TokenSource:
    """``read`` in a thread, because it may start a plugin, and not for every request."""
    kept, until = "", 0.0

    async def token() -> str:
        nonlocal kept, until
        if time.monotonic() >= until:
            kept = await asyncio.to_thread(read)
            until = time.monotonic() + TOKEN_SECONDS
        return kept

    return token


def _checked_as(server_name: str) -> aiohttp.ClientMiddlewareType:
    async def named(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.server_hostname = server_name
        return await handler(request)

    return named


def _authorize(token: TokenSource) -> aiohttp.ClientMiddlewareType:
    async def authorize(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers["Authorization"] = f"Bearer {await token()}"
        return await handler(request)

    return authorize
