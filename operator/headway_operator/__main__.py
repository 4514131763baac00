"""``headway-operator``: settings from the environment, a cluster from the kubeconfig or the pod, then the loop.

Exit codes: 0 stopped by a signal, 1 kopf or the loop gave up (start it again), 2 it cannot run here and says why.
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from functools import partial
from importlib.metadata import version
from uuid import uuid4

from aiohttp import ClientTimeout
from prometheus_client.registry import Collector

from headway_contract.masking import Masker
from headway_operator.cluster.access import Access, NoAccess, find_access
from headway_operator.cluster.api_server import ApiServer, always
from headway_operator.cluster.interface import ClusterError, Forbidden, Unavailable
from headway_operator.cluster.kube import KubeCluster
from headway_operator.cluster.leases import KubeLeases
from headway_operator.cluster.permissions import objections
from headway_operator.controller.arrival import Arrival
from headway_operator.controller.clock import utc_now
from headway_operator.controller.elector import Elector
from headway_operator.controller.json_log import JsonFormatter
from headway_operator.controller.lead import lead
from headway_operator.controller.loop import Controller
from headway_operator.controller.masked_log import MaskedFormatter, log_to_stderr
from headway_operator.controller.triggers import watch
from headway_operator.hooks.setup import make_sender
from headway_operator.planner.election import Terms
from headway_operator.server.metrics.leadership import Leadership
from headway_operator.server.metrics.loop_lag import LoopLag
from headway_operator.server.metrics.registry import registry, shown
from headway_operator.server.metrics.witness import Counting
from headway_operator.server.metrics.work import Requests
from headway_operator.server.probes import serving
from headway_operator.settings import LOG_FORMATS, Settings

log = logging.getLogger("headway_operator")

LEASE_REQUEST_SECONDS = 3.0
LOG_FORMAT = "HEADWAY_LOG_FORMAT"
QUIET_LOGGERS = ("kopf.objects", "kopf._core", "aiohttp.access")


class CannotRun(Exception):
    """Something that only a person can mend is missing; the message says what."""


def main() -> None:
    """Run until a signal comes."""
    arguments = _parser().parse_args()
    environment = {**os.environ, **({LOG_FORMAT: arguments.log_format} if arguments.log_format else {})}
    try:
        settings = Settings.from_environment(environment)
        _start_logging(settings.log_level, settings.log_format)
        code = asyncio.run((check if arguments.check else operate)(settings, find_access()))
    except (CannotRun, NoAccess, ValueError) as problem:
        _tell_why_not(problem, environment.get(LOG_FORMAT, ""))
        code = 2
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    """There is little to say on the command line: settings come from the environment."""
    parser = argparse.ArgumentParser(
        prog="headway-operator",
        description="Takes databases to head: watches DatabaseMigration resources with the kubeconfig of this "
        "user, or in a pod with its service account.",
        epilog="Settings are environment variables: "
        + ", ".join(f"HEADWAY_{field.name.upper()}" for field in fields(Settings))
        + ". docs/reference/operator.md says what each does and which permissions are needed.",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="only ask the API server whether the definition is installed and the permissions are as they "
        "should be; exit code 2 when not",
    )
    parser.add_argument(
        "--log-format",
        choices=LOG_FORMATS,
        default="",
        help="one JSON object a line is for programs that gather logs (default: HEADWAY_LOG_FORMAT, else text)",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('headway')}")
    return parser


async def operate(settings: Settings, access: Access) -> int:
    """Check what is needed, then lead, or stand by for it; returns the exit code."""
    leases = _leases(settings, access) if settings.lease_namespace else None
    terms = Terms.within(settings.lease_seconds)
    elector = Elector(leases, _identity(), terms) if leases is not None else None
    may_write = always if elector is None else elector.may_write
    sender = make_sender(settings, access.server, utc_now)
    requests, counting = Requests(), Counting()
    access = replace(access, traces=(requests.trace,))
    cluster = KubeCluster(ApiServer(access.session(), may_write), settings.namespaces)
    arrival = Arrival(access.server)
    try:
        async with _answering(settings, arrival, elector, (requests, *counting.collectors)):
            if not await arrival.wait(partial(_require_definition, cluster, settings, access)):
                return 0
            controller = Controller(cluster, settings, utc_now, counting, sender)
            counting.work.queue_depth = lambda: controller.waiting
            counting.work.log_streams = lambda: controller.open_logs
            counting.work.log_reconnects = lambda: controller.reopened_logs
            if elector is None:
                return await _work(controller, access, settings)
            return await lead(elector, partial(_work, controller, access, settings))
    finally:
        await sender.close()
        await cluster.close()
        if leases is not None:
            await leases.close()


async def check(settings: Settings, access: Access) -> int:
    """Whether this operator could work here: 0, or :class:`CannotRun` with what is wrong."""
    api = ApiServer(access.session())
    try:
        await _require_permissions(settings, api)
        await _require_definition(KubeCluster(api, settings.namespaces), settings, access)
    except ClusterError as error:
        raise CannotRun(f"{access.server} cannot be asked: {error}") from None
    finally:
        await api.close()
    print("the definition is installed, the permissions are as they should be")
    return 0


async def _require_permissions(settings: Settings, api: ApiServer) -> None:
    found = await objections(api, settings.namespaces, settings.lease_namespace)
    if found:
        raise CannotRun(f"this user {'; '.join(found)}: compare its roles with docs/reference/operator.md")


def _leases(settings: Settings, access: Access) -> KubeLeases:
    """In a session of its own: a renewal never waits for others' connections."""
    api = ApiServer(access.session(), timeout=ClientTimeout(total=LEASE_REQUEST_SECONDS))
    return KubeLeases(api, settings.lease_namespace, settings.lease_name, utc_now)


def _identity() -> str:
    """Of this very process: one that comes back under the same name must not take over from itself."""
    return f"{socket.gethostname()}_{uuid4()}"


@asynccontextmanager
async def _answering(
    settings: Settings, arrival: Arrival, elector: Elector | None, collectors: tuple[Collector, ...]
) -> AsyncIterator[None]:
    """Probes and metrics, if they are wanted."""
    if not settings.port:
        yield
        return

    def not_ready() -> str:
        waits = elector is not None and not elector.has_answered
        return arrival.problem or ("the Lease could not be read yet" if waits else "")

    leads = elector.may_write if elector is not None else always
    transitions = (lambda: elector.transitions) if elector is not None else int
    lag = LoopLag()
    made = registry((Leadership(leads, transitions), *collectors, lag))
    try:
        async with lag.measuring(), serving(settings.port, not_ready, partial(shown, made)):
            yield
    except OSError as error:
        raise CannotRun(f"port {settings.port} cannot be served ({error}): set HEADWAY_PORT") from None


async def _require_definition(cluster: KubeCluster, settings: Settings, access: Access) -> None:
    """Raises :class:`CannotRun` for what a person must mend, and Unavailable for what may pass."""
    try:
        found = await cluster.has_definition()
    except Forbidden as error:
        await _tell_what_is_forbidden(settings, access)
        # It has all permissions by now: an API server that has just started may not know its roles yet.
        raise Unavailable(str(error)) from None
    except Unavailable:
        raise
    except ClusterError as error:
        raise CannotRun(f"{access.server} cannot be asked: {error}") from None
    if not found:
        raise CannotRun(
            "the CustomResourceDefinition databasemigrations.headway.dev is not installed: "
            "kubectl apply -f crds/databasemigrations.yaml"
        )


async def _tell_what_is_forbidden(settings: Settings, access: Access) -> None:
    """Raises :class:`CannotRun` with each verb that is missing; nothing is kept of this session."""
    api = ApiServer(access.session())
    try:
        await _require_permissions(settings, api)
    finally:
        await api.close()


async def _work(
    controller: Controller, access: Access, settings: Settings, leading: asyncio.Task[None] | None = None
) -> int:
    """Until a signal comes, the lead is lost, or either side ends by itself.

    Our tasks end before kopf does: it would cancel them.
    """
    ready, stop, signalled = asyncio.Event(), asyncio.Event(), asyncio.Event()
    loop_task = asyncio.create_task(controller.run())
    watch_task = asyncio.create_task(watch(controller, access, settings, ready, stop))
    signal_task = asyncio.create_task(_signal(ready, signalled))
    parts = [loop_task, watch_task, signal_task, *([] if leading is None else [leading])]
    await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    for task in (signal_task, loop_task):
        task.cancel()
    results: list[object] = list(await asyncio.gather(signal_task, loop_task, return_exceptions=True))
    results += [leading.exception()] if leading is not None and leading.done() else []
    stop.set()
    results += await asyncio.gather(watch_task, return_exceptions=True)
    for failure in [result for result in results if isinstance(result, Exception)]:
        log.error("giving up: %s", failure, exc_info=failure)
    return 0 if signalled.is_set() else 1


async def _signal(ready: asyncio.Event, signalled: asyncio.Event) -> None:
    """Until SIGTERM or SIGINT; kopf sets its own handlers when it starts, so ours come after that."""
    await ready.wait()
    _leave_out_of_collections()
    log.info("watching")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, signalled.set)
    await signalled.wait()
    log.info("stopping; Jobs that run go on")


def _leave_out_of_collections() -> None:
    """What is there once the operator has started stays: a full collection need not look at it, which takes 60 ms."""
    gc.collect()
    gc.freeze()


def _tell_why_not(problem: Exception, log_format: str) -> None:
    """It may be a setting, which is wrong before there is a log."""
    if log_format != "json":
        sys.stderr.write(f"headway-operator: {problem}\n")
        return
    _start_logging("INFO", log_format)
    log.critical("%s", problem)


def _log_unraisable(found: "sys.UnraisableHookArgs") -> None:
    """What is raised where nobody can catch it, such as in a finalizer: Python would print it unmasked."""
    trace = (found.exc_type, found.exc_value or found.exc_type(), found.exc_traceback)
    log.warning("%s: %r", found.err_msg or "an exception could not be raised", found.object, exc_info=trace)


def _start_logging(level: str, log_format: str) -> None:
    masker = Masker()
    masker.learn_variables(os.environ)
    text = MaskedFormatter(masker.mask, "%(asctime)s %(levelname)s %(name)s: %(message)s")
    log_to_stderr(level, JsonFormatter(masker.mask) if log_format == "json" else text)
    logging.captureWarnings(True)
    sys.unraisablehook = _log_unraisable
    sys.excepthook = lambda kind, error, trace: log.critical("giving up", exc_info=(kind, error, trace))
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    main()
