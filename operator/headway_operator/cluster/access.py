"""Where the API server is and how to prove who we are: in the cluster's own way, or as a kubeconfig says.

A token is asked for with every request, because tokens are renewed while the operator runs: a file is read again
when it has changed, a kubeconfig's plugin is asked again when its answer has expired.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from headway_operator.cluster.impersonation import Headers, NobodyNamed, headers

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

    def session(self) -> aiohttp.ClientSession:
        """A new session that authenticates each of its requests; the caller closes it."""
        return aiohttp.ClientSession(
            base_url=self.server.rstrip("/") + "/",
            connector=aiohttp.TCPConnector(ssl=self.tls, limit=0),
            middlewares=() if self.token is None else (_authorize(self.token),),
            proxy=self.proxy,
            headers=self.impersonation,
            trace_configs=[trace() for trace in self.traces],
        )


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
    return from_kubeconfig(kubeconfig, context, acting), _namespace_of(kubeconfig, context)


def _namespace_of(kubeconfig: str, context: str) -> str:
    from kubernetes.config import list_kube_config_contexts

    contexts, active = list_kube_config_contexts(kubeconfig or None)  # type: ignore[no-untyped-call]
    chosen = next((one for one in contexts if one["name"] == context), active) if context else active
    return str(chosen["context"].get("namespace") or "default")


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
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config

    configuration = Configuration()
    try:
        load_kube_config(  # type: ignore[no-untyped-call]
            file or None, context or None, client_configuration=configuration
        )
        impersonation = headers({**_user_of(file, context), **acting})
        tls = _tls(configuration.ssl_ca_cert)
        if configuration.cert_file:
            tls.load_cert_chain(configuration.cert_file, configuration.key_file)
    except NobodyNamed as error:
        raise NoAccess(str(error)) from None
    except (ConfigException, OSError) as error:
        raise NoAccess(
            f"no kubeconfig that can be used ({error}): set KUBECONFIG to one, or run this in a cluster"
        ) from None
    if not configuration.verify_ssl:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE

    def token() -> str:
        prefixed = configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or ""
        return prefixed.removeprefix("Bearer ")

    has_token = "BearerToken" in configuration.api_key or "authorization" in configuration.api_key
    proxy = configuration.proxy or None
    return Access(
        configuration.host, tls, _kept(token) if has_token else None, proxy, impersonation=impersonation
    )


def _user_of(file: str, context: str) -> Mapping[str, Any]:
    """As it stands there: the kubernetes package leaves out whom a user acts as."""
    from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigMerger

    merged = KubeConfigMerger(file or KUBE_CONFIG_DEFAULT_LOCATION).config  # type: ignore[no-untyped-call]
    used = merged["contexts"].get_with_name(context or merged["current-context"])["context"]
    chosen = used.safe_get("user")
    named = merged["users"].get_with_name(chosen, safe=True) if chosen and merged.safe_get("users") else None
    user: Mapping[str, Any] | None = None if named is None else named.safe_get("user")
    return user or {}


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


def _authorize(token: TokenSource) -> aiohttp.ClientMiddlewareType:
    async def authorize(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers["Authorization"] = f"Bearer {await token()}"
        return await handler(request)

    return authorize
