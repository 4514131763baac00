"""Container paths → paths of this machine, in texts.

There is no mount namespace, so a path means something else inside and outside. Rule: a known prefix is replaced
wherever it stands as a whole path or the beginning of one in a text that the pod's author wrote.
"""

import re
from collections.abc import Mapping
from pathlib import Path

# A path begins where no other path goes on; `:///` is for URLs with an absolute path (sqlite:////data/x.db).
_BEGINS = r"(?:(?<![\w.\-/])|(?<=:///))"
_ENDS = r"(?![\w.\-])"


class PathTranslation:
    """Replaces every container path prefix of `mapping` by its local path; the longest prefix wins."""

    def __init__(self, mapping: Mapping[str, Path]) -> None:
        self._mapping = {prefix.rstrip("/"): str(local) for prefix, local in mapping.items()}
        longest_first = sorted(filter(None, self._mapping), key=len, reverse=True)
        self._pattern = re.compile(f"{_BEGINS}(?:{'|'.join(map(re.escape, longest_first))}){_ENDS}")

    def __call__(self, text: str) -> str:
        """The same text for a process on this machine."""
        return self._pattern.sub(lambda found: self._mapping[found[0]], text)
