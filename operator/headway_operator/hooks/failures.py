"""What an attempt without an answer means, for a person. Pure; shows nothing of headers, path or body."""

import os
import socket
import ssl
from collections.abc import Iterator

import aiohttp

from headway_operator.hooks.guard import DeniedAddress, denied_sentence
from headway_operator.planner.deliveries import Answer, Answered


def failed(receiver: str, error: BaseException, seconds: int) -> Answered:
    """The outcome of an attempt that ended in this error; ``seconds``: how long it had."""
    for cause in _causes(error):
        if isinstance(cause, DeniedAddress):
            return Answered(Answer.FORBIDDEN, sentence=f"{receiver}: {denied_sentence(str(cause))}")
    what = next(text for kind, text in _WORDS if isinstance(error, kind))
    return Answered(Answer.ERROR, sentence=f"{receiver}{what.format(seconds=seconds, why=_why(error))}")


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, " gave no whole answer within {seconds} s"),
    (aiohttp.ClientConnectorDNSError, ": its name cannot be resolved ({why})"),
    (aiohttp.ClientConnectorCertificateError, ": its certificate is not accepted ({why})"),
    (aiohttp.ClientSSLError, ": no TLS connection came about ({why})"),
    (aiohttp.ClientProxyConnectionError, ": the proxy that hooks go through cannot be reached ({why})"),
    (aiohttp.ClientHttpProxyError, ": the proxy that hooks go through refused it"),
    (aiohttp.ClientConnectorError, ": no connection came about ({why})"),
    (aiohttp.ServerDisconnectedError, " closed the connection without an answer"),
    (aiohttp.ClientOSError, " broke the connection off ({why})"),
    (OSError, ": no connection came about ({why})"),
    (BaseException, " gave an answer that is not HTTP"),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = getattr(seen, "os_error", None) or seen.__cause__


def _why(error: BaseException) -> str:
    """In the words of the innermost error: those of aiohttp are of the same kinds, but without their attributes."""
    cause = tuple(_causes(error))[-1]
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or "the handshake failed").replace("_", " ").lower()
    if isinstance(cause, socket.gaierror):
        return cause.strerror or "the look-up failed"
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return type(cause).__name__
