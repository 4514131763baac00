"""Finds credentials in texts and hides them. Pure.

Known values are hidden however they are written: percent-encoded, quoted, escaped, doubled, in base64. What only
has the shape of a credential (``://user:…@``, ``password=…``, ``PASSWORD '…'`` in SQL, a bearer token) is hidden
whatever it is. A value that could be a word (under 8 characters, or under 12 letters) is hidden only where it stands
as a word; one that equals a name which is shown anyway is hidden only by its shape: a mark in its place would tell
what it is.
"""

import base64
import itertools
import re
from collections.abc import Iterator, Mapping

MASK = "***"
SHORTEST_CHARACTERS = 4
"""Hiding texts that are shorter would leave no sentence readable."""
_WORD_CHARACTERS, _WORD_LETTERS = 8, 12
_PASSES = 10
_DOUBLED = "'\"%\\"
_LONGEST_RUN = 3
"""Of marks that may be doubled: in longer runs there would be too many ways to read them."""

_PREFIX = r"[\w.-]{0,40}"
_PASSWORD_KEY = rf"{_PREFIX}(?:password|passwd|passphrase|pwd)\d?"
_SHORT_KEY = r"(?=p)(?:(?<![^\W_])|(?<=db)|(?<=pg)|(?<=sql))(?:pass|pw)"
"""``DB_PASS``, ``dbpass``, no bypass; with a colon it may be a sentence about a pass."""
_GIVEN = r"""(?:\s*=\s*(?=["'])|=(?!(?:true|false|null|\d{1,4})\b|\())"""
"""How its value is given: ``SET pass = true`` and ``CHECK (pass = score)`` are SQL, which people and the lint read.
"""
_SECRET_KEY = (
    rf"(?:{_PASSWORD_KEY}|{_PREFIX}(?:secret|token|signature|(?:api|access|private|client|server)[_-]?key))"
)
_NOTHING = r"(?!(?:yes|no|none|\*\*\*)(?:[\s,;&)}\]'\"]|$))"
"""Nor is a mark a value: what follows it is not part of it."""
_VALUE = r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|\S+"""
_NAMED = re.compile(
    rf"""(?is)(\b{_SECRET_KEY}["']?\s*=\s*|{_SHORT_KEY}\d?["']?{_GIVEN}|\b{_SECRET_KEY}["']\s*:\s*|\b{_PASSWORD_KEY}\s*:\s*)"""
    rf"""{_NOTHING}({_VALUE})"""
)
_BEARER = re.compile(r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?(?:\w+\s+)?|bearer\s+(?=\S{16}))[^\s\"']+")
_IN_SQL = re.compile(
    r"(?is)(\b(?:password|(?<!revision )identified\s+by)\s+)"
    r"(?:E?'(?:[^'\\]|\\.|'')*'|'[^']*'|E?\\+'(?:[^'\\]|\\[^'])*\\+'|\$(\w*)\$.*?\$\2\$)"
)
"""Of roles, foreign servers and MySQL's users; the quotes may be escaped, as within a text of Python. Alembic cannot
locate a "revision identified by '…'"."""
_USER_INFO = re.compile(r"://(?!user:password@)(?:[^\s/@:]{0,200}:\S{0,1000}@|[^\s/@]{1,1000}@)")
"""The exception is the example that our own next steps give."""
_MAY_HAVE_A_SHAPE = re.compile(r"(?i)[:=]|bearer\s|password\s|identified\s")
"""One of these is in all that the four patterns above find."""
_REMEMBERED, _REMEMBERED_CHARACTERS = 2000, 100
"""Texts, and how long each may be: hundreds of revisions have a title each."""

SECRET_VARIABLE = re.compile(
    rf"(?i)(password|passwd|passphrase|{_SHORT_KEY}|(?:_|db|pg|sql)pwd|secret|token|credentials?"
    r"|(?:secret|api|access|private|encryption)_?key)$"
)
"""Names of environment variables whose values are secrets; the shell's own PWD and OLDPWD are folders."""


_SHORT = {" ": (r"\+",), **{mark: (rf"\\+{letter}",) for mark, letter in zip("\b\f\n\r\t", "bfnrt")}}


class Masker:
    """Learns secrets and hides them."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._names: set[str] = set()
        self._version = 0
        """Grows with what is to be hidden: another thread may learn while this one masks."""
        self._made: tuple[int, re.Pattern[str] | None, dict[str, str]] = (0, None, {})
        """The pattern of a version, and what became of texts: names and titles come again with each event."""

    def learn(self, *secrets: object) -> None:
        """Never show these from now on, nor the passwords within them when they are URLs or DSNs."""
        for secret in secrets:
            text = secret.decode(errors="ignore") if isinstance(secret, bytes) else secret
            if isinstance(text, str) and text.strip():
                self._add(text.strip(), *secrets_in(text))
                self.show(*names_in(text))

    def learn_within(self, text: str) -> None:
        """Never show the passwords within this URL or DSN; the rest of it may be shown."""
        self._add(*secrets_in(text))

    def learn_variables(self, variables: Mapping[str, str]) -> None:
        """Environment variables whose name says that they are secret; of all others what is within URLs and DSNs."""
        for name, value in variables.items():
            if SECRET_VARIABLE.search(name):
                self.learn(value)
            else:
                self.learn_within(value)

    def show(self, *names: object) -> None:
        """These are names of users, hosts and databases, which are shown even where a password is the same."""
        fresh = {str(name) for name in names if name} - self._names
        self._names |= fresh
        if fresh & self._secrets:
            self._version += 1

    def known(self) -> tuple[frozenset[str], frozenset[str]]:
        """Secrets and names, for a masker in a process that was not forked from this one."""
        return frozenset(self._secrets), frozenset(self._names)

    def know(self, secrets: frozenset[str], names: frozenset[str]) -> None:
        """What another masker knew."""
        self.show(*names)
        self._add(*secrets)

    def mask(self, text: str) -> str:
        """The text without what is secret; masking it again changes nothing."""
        if self._made[0] != self._version:
            self._made = self._version, _pattern_of(self._secrets - self._names), {}
        _, pattern, remembered = self._made
        known = remembered.get(text)
        if known is not None:
            return known
        masked = _masked(text, pattern)
        if len(text) <= _REMEMBERED_CHARACTERS and len(remembered) < _REMEMBERED:
            remembered[text] = masked
        return masked

    def _add(self, *secrets: str) -> None:
        fresh = {one for one in secrets if len(one) >= SHORTEST_CHARACTERS and one.strip("*")} - self._secrets
        if fresh:
            self._secrets |= fresh
            self._version += 1


def _masked(text: str, pattern: re.Pattern[str] | None) -> str:
    """A mark may make a word of what stood beside it: until nothing changes any more."""
    for _ in range(_PASSES):
        before, text = text, _masked_once(text, pattern)
        if text == before:
            break
    return text


def _masked_once(text: str, pattern: re.Pattern[str] | None) -> str:
    if pattern is not None:
        text = pattern.sub(MASK, text)
    if not _MAY_HAVE_A_SHAPE.search(text):
        return text
    text = _BEARER.sub(rf"\1{MASK}", _USER_INFO.sub(f"://{MASK}@", text))
    return _NAMED.sub(_marked, _IN_SQL.sub(rf"\1'{MASK}'", text))


def _marked(match: re.Match[str]) -> str:
    """Quotes stay: in SQL it is still a literal."""
    quote = match[2][0] if match[2][0] in "'\"" and len(match[2]) > 1 and match[2][-1] == match[2][0] else ""
    return f"{match[1]}{quote}{MASK}{quote}"


def secrets_in(value: str) -> Iterator[str]:
    """The passwords within a URL or a DSN, as they stand there and decoded; nothing for other texts."""
    value = value.strip()
    url = re.match(r"[\w+.-]+://(.*)", value, re.S)
    if url:
        # A character that should have been encoded may stand in the password: try the first end and the last.
        for end in {_end_of_authority(url[1]), url[1].rfind("@")}:
            _, colon, password = url[1][: max(end, 0)].partition(":")
            if colon:
                yield from (password, unquoted(password))
    for match in _NAMED.finditer(value):
        found = match[2] if match[2][0] in "'\"" else match[2].split("&")[0]
        inner = found[1:-1] if found[0] in "'\"" and found[-1] == found[0] else found
        yield from (inner, re.sub(r"\\(.)", r"\1", inner), unquoted(inner), unquoted(inner.replace("+", " ")))


def names_in(value: str) -> Iterator[str]:
    """User, host and database of a URL, nothing for other texts."""
    url = re.match(r"\s*[\w+.-]+://(?:([^:/?#]*)(?::[^/?#]*)?@)?([^:/?#]*)(?::\d+)?(?:/([^?#]*))?", value)
    yield from (unquoted(name) for name in (url.groups() if url else ()) if name)


def unquoted(text: str) -> str:
    """Percent-encoding undone."""

    def decoded(match: re.Match[str]) -> str:
        return bytes.fromhex(match[0].replace("%", "")).decode(errors="replace")

    return re.sub(r"(?:%[0-9a-fA-F]{2})+", decoded, text)


def _end_of_authority(rest: str) -> int:
    """Where the user information ends in a URL that is well-formed; -1: it has none."""
    return re.split(r"[/?#]", rest, maxsplit=1)[0].rfind("@")


def _pattern_of(secrets: set[str]) -> re.Pattern[str] | None:
    """The longest first: one may be a part of another."""
    spelled = [_spelled(secret) for secret in sorted(secrets, key=lambda one: (-len(one), one))]
    return re.compile("|".join(spelled)) if spelled else None


def _spelled(secret: str) -> str:
    """A regular expression for all the ways in which it may be written."""
    text = "".join(_run(character, len(list(same))) for character, same in itertools.groupby(secret))
    if len(secret) < _WORD_CHARACTERS or (secret.isalpha() and len(secret) < _WORD_LETTERS):
        return rf"(?<![^\W_]){text}(?![^\W_])"
    raw = secret.encode(errors="surrogatepass")
    encoded = {encode(raw).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode)}
    return "|".join((text, *sorted(map(re.escape, encoded))))


def _run(character: str, count: int) -> str:
    """``count`` of one character; letters and digits are written in one way only."""
    if character.isascii() and character.isalnum():
        return character * count
    plain = re.escape(character)
    if character not in _DOUBLED:
        plain = rf"(?:\\*{plain}){{{count}}}"
    elif count > _LONGEST_RUN:
        plain *= count
    else:
        plain = (r"\\{1,4}" if character == "\\" else rf"\\*{plain}{{1,2}}") * count
    return rf"(?:{plain}|(?:{_encoded(character)}){{{count}}})"


def _encoded(character: str) -> str:
    """Percent-encoded once or more, with ``%`` doubled for a ConfigParser; and as Python and JSON escape it."""
    code, raw = ord(character), character.encode(errors="surrogatepass")
    forms = ["".join(rf"%{{1,2}}(?:25)*(?i:{byte:02x})" for byte in raw)]
    forms.append("".join(rf"\\+x(?i:{byte:02x})" for byte in raw))
    forms.append(rf"\\+[xuU]0*(?i:{code:x})")
    if code > 0xFFFF:
        pair = character.encode("utf-16-be").hex()
        forms.append(rf"\\+u(?i:{pair[:4]})\\+u(?i:{pair[4:]})")
    return "|".join((*forms, *_SHORT.get(character, ())))
