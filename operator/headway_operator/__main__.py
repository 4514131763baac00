"""``headway-operator``: settings from the environment, a cluster from the kubeconfig or the pod, then the loop.

Exit codes: 0 stopped by a signal, 1 kopf or the loop gave up (start it again), 2 it cannot run here and says why.
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from dataclasses import fields
from importlib.metadata import version

from headway_contract.masking import Masker
from headway_operator.cluster.access import Access, NoAccess, find_access
from headway_operator.cluster.interface import ClusterError, Forbidden
from headway_operator.cluster.kube import KubeCluster
from headway_operator.controller.clock import utc_now
from headway_operator.controller.loop import Controller
from headway_operator.controller.masked_log import log_masked
from headway_operator.controller.triggers import watch
from headway_operator.settings import Settings

log = logging.getLogger("headway_operator")

QUIET_LOGGERS = ("kopf.objects", "kopf._core", "aiohttp.access")


class CannotRun(Exception):
    """Something that only a person can mend is missing; the message says what."""


def main() -> None:
    """Run until a signal comes."""
    _parser().parse_args()
    try:
        settings = Settings.from_environment(os.environ)
        _start_logging(settings.log_level)
        code = asyncio.run(operate(settings, find_access()))
    except (CannotRun, NoAccess, ValueError) as problem:
        sys.stderr.write(f"headway-operator: {problem}\n")
        code = 2
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    """There is nothing to say on the command line but --help and --version."""
    parser = argparse.ArgumentParser(
        prog="headway-operator",
        description="Takes databases to head: watches DatabaseMigration resources with the kubeconfig of this "
        "user, or in a pod with its service account.",
        epilog="Settings are environment variables: "
        + ", ".join(f"HEADWAY_{field.name.upper()}" for field in fields(Settings))
        + ". docs/reference/operator.md says what each does and which permissions are needed.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('headway')}")
    return parser


async def operate(settings: Settings, access: Access) -> int:
    """Check what is needed, then watch and work; returns the exit code."""
    cluster = KubeCluster(access.session(), settings.namespaces)
    try:
        await _require_definition(cluster, access)
        return await _work(Controller(cluster, settings, utc_now), access, settings)
    finally:
        await cluster.close()


async def _require_definition(cluster: KubeCluster, access: Access) -> None:
    try:
        found = await cluster.has_definition()
    except Forbidden as error:
        raise CannotRun(
            f"a permission is missing ({error}): grant what docs/reference/operator.md lists"
        ) from None
    except ClusterError as error:
        raise CannotRun(f"{access.server} cannot be asked: {error}") from None
    if not found:
        raise CannotRun(
            "the CustomResourceDefinition databasemigrations.headway.dev is not installed: "
            "kubectl apply -f crds/databasemigrations.yaml"
        )


async def _work(controller: Controller, access: Access, settings: Settings) -> int:
    """Until a signal comes or either side ends by itself. Our tasks end before kopf does: it would cancel them."""
    ready, stop, signalled = asyncio.Event(), asyncio.Event(), asyncio.Event()
    loop_task = asyncio.create_task(controller.run())
    watch_task = asyncio.create_task(watch(controller, access, settings, ready, stop))
    signal_task = asyncio.create_task(_signal(ready, signalled))
    await asyncio.wait((loop_task, watch_task, signal_task), return_when=asyncio.FIRST_COMPLETED)
    for task in (signal_task, loop_task):
        task.cancel()
    results = list(await asyncio.gather(signal_task, loop_task, return_exceptions=True))
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


def _start_logging(level: str) -> None:
    masker = Masker()
    masker.learn_variables(os.environ)
    log_masked(level, masker.mask, "%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.excepthook = lambda kind, error, trace: log.critical("giving up", exc_info=(kind, error, trace))
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    main()
