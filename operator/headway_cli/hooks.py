"""``headway hooks``: a receiver for trying hooks out, the operator's key, and a test message."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headway_cli.problems import BadInput, Problem

if TYPE_CHECKING:
    from headway_operator.planner.deliveries import Delivery
    from headway_operator.settings import Settings


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's own verbs."""
    parser = verbs.add_parser(
        "hooks",
        help="try hooks out: a receiver, the operator's key, a test message",
        description="Tools for hooks; docs/hooks.md says what goes over the wire.",
    )
    inner = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_listen(inner)
    _add_key(inner)
    _add_send(inner)


def _add_listen(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "listen",
        help="print the hooks that arrive, and answer them",
        description="Prints each message: whether its signature holds, whether it came before, and its data.",
    )
    parser.add_argument(
        "--address", default="127.0.0.1", help="to listen on (default: 127.0.0.1, this machine only)"
    )
    parser.add_argument("--port", type=int, default=8080, help="default: 8080; 0: any that is free")
    parser.add_argument(
        "--answer",
        type=_statuses,
        default=(200,),
        metavar="STATUS[,…]",
        help="one status for each message, the last for all that follow: 403,403,200 is a gate that opens",
    )
    parser.add_argument(
        "--secret", action="append", default=[], metavar="whsec_…", help="shared with the sender"
    )
    parser.add_argument(
        "--key", action="append", default=[], metavar="whpk_…", help="what headway hooks key prints"
    )
    parser.set_defaults(start=_listen)


def _add_key(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "key",
        help="print the public half of the operator's key, or make a key",
        description="Prints whpk_…, which receivers verify with; the file itself is the operator's alone.",
    )
    parser.add_argument("file", metavar="FILE", help="as HEADWAY_HOOKS_KEY_FILE names it")
    parser.add_argument(
        "--new", action="store_true", help="make a key and write it to FILE, which must not exist"
    )
    parser.set_defaults(start=_key)


def _add_send(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "send",
        help="send a test message as the operator would",
        description="Sends one message with the settings HEADWAY_HOOKS_… of the environment, as in the operator's "
        "pod: exits with 0 if it is accepted, with 1 otherwise. An address of this machine, such as "
        "http://127.0.0.1:8080/, may be named here without any settings.",
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", default="", help="the address of a receiver")
    where.add_argument("--endpoint", default="", metavar="NAME", help="of HEADWAY_HOOKS_ENDPOINTS_FILE")
    parser.add_argument("--namespace", default="default", help="as if a resource of this one sent it")
    parser.set_defaults(start=_send)


def _statuses(text: str) -> tuple[int, ...]:
    words = text.split(",")
    if not all(word.isdecimal() and 200 <= int(word) <= 599 for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of HTTP statuses from 200 to 599")
    return tuple(map(int, words))


def _listen(options: argparse.Namespace, command: Sequence[str]) -> int:
    from headway_cli.listener import Listener, listen
    from headway_operator.hooks.own_key import PublicKey
    from headway_operator.hooks.signing import BadKey, SharedSecret

    try:
        secrets = tuple(map(SharedSecret.parse, options.secret))
        keys = tuple(map(PublicKey.parse, options.key))
    except BadKey as problem:
        raise BadInput(
            Problem("--secret" if "shared" in str(problem) else "--key", "", str(problem))
        ) from None
    try:
        listen(options.address, options.port, Listener(options.answer, secrets, keys))
    except (OSError, OverflowError) as error:
        where = f"{options.address}:{options.port}"
        raise BadInput(
            Problem("headway hooks listen", "", f"{where} cannot be listened on: {error}")
        ) from None
    return 0


def _key(options: argparse.Namespace, command: Sequence[str]) -> int:
    from headway_operator.hooks.own_key import SigningKey, signing_keys

    try:
        if options.new:
            _write_secret(Path(options.file), f"{SigningKey.generate().secret_text}\n")
        for key in signing_keys(Path(options.file).read_text(encoding="utf-8")):
            print(key.public)
    except FileExistsError:
        raise BadInput(
            Problem(
                options.file,
                "",
                "it exists already",
                "Name another file: a key in use is not lost by a slip.",
            )
        ) from None
    except (OSError, ValueError) as error:
        raise BadInput(Problem(options.file, "", str(error))) from None
    return 0


def _write_secret(path: Path, text: str) -> None:
    """Readable for its owner only, from the first moment on; raises :class:`OSError`."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _send(options: argparse.Namespace, command: Sequence[str]) -> int:
    import asyncio

    from headway_operator.controller.clock import utc_now
    from headway_operator.hooks.setup import make_sender
    from headway_operator.planner.deliveries import Answer, Answered

    async def send() -> Answered:
        server = os.environ.get("KUBERNETES_SERVICE_HOST", "")
        host = f"[{server}]" if ":" in server else server
        sender = make_sender(_settings(options.url), f"https://{host}" if host else "", utc_now)
        try:
            return await sender.send(_test_message(options, utc_now().isoformat(timespec="seconds")))
        finally:
            await sender.close()

    try:
        answered = asyncio.run(send())
    except ValueError as problem:
        raise BadInput(Problem("headway hooks send", "", str(problem))) from None
    print(answered.sentence)
    return 0 if answered.answer is Answer.ACCEPTED else 1


def _settings(url: str) -> Settings:
    """The operator's; an address of this machine is let through besides, because a person names it here."""
    from headway_operator.hooks.policy import address_of
    from headway_operator.settings import Settings

    settings = Settings.from_environment(os.environ)
    host = _host(url)
    address = address_of(host)
    if address is None or not address.is_loopback:
        return settings
    print(
        f"note: {host} is this machine, and you name it here. An operator calls it only if HEADWAY_HOOKS_ALLOW and "
        "HEADWAY_HOOKS_PLAIN_HTTP say so.",
        file=sys.stderr,
    )
    return replace(
        settings,
        hooks_allow=(*settings.hooks_allow, host),
        hooks_plain_http=(*settings.hooks_plain_http, host),
    )


def _host(url: str) -> str:
    """Empty where there is none: what is wrong with the URL is for the sender to say."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _test_message(options: argparse.Namespace, time: str) -> Delivery:
    from uuid import uuid4

    from headway_operator.api.hooks import HookType, Point
    from headway_operator.api.migration import GROUP, PLURAL, VERSION
    from headway_operator.planner.deliveries import Delivery

    return Delivery(
        id=f"msg_{uuid4().hex}",
        hook="test",
        type=HookType.NOTIFY,
        point=Point.AFTER_MIGRATION,
        event="dev.headway.test",
        source=f"/apis/{GROUP}/{VERSION}/namespaces/{options.namespace}/{PLURAL}/test",
        subject="test",
        data={"message": "a test message: nothing was migrated"},
        occurred=time,
        url=options.url,
        endpoint=options.endpoint,
    )
