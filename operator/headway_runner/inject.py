"""``python -m headway_runner.inject TARGET``: copies the runner and the contract into a folder, as an init container.

Needs no shell. What is copied can be started as ``python TARGET/headway_runner``.
"""

import shutil
import sys
from pathlib import Path

PACKAGES = ("headway_runner", "headway_contract")


def inject(target: Path) -> None:
    """Copy both packages below ``target``, over what is there; raises OSError.

    With what is compiled of them: the user's container cannot write there, and a Python of the same minor version
    then need not compile everything anew in each Job. Others leave it alone.
    """
    source = Path(__file__).resolve().parent.parent
    for package in PACKAGES:
        shutil.copytree(source / package, target / package, dirs_exist_ok=True)


def main(arguments: list[str]) -> int:
    """0, or 64 with a sentence on stderr."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m headway_runner.inject TARGET\n")
        return 64
    inject(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
