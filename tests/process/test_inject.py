"""The init container's copy of the runner."""

import compileall
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

from headway_runner.inject import PACKAGES
from support.tree import ROOT


def test_what_is_copied_runs_and_is_not_compiled_again(tmp_path: Path) -> None:
    image, target = tmp_path / "image", tmp_path / "target"
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "operator" / package, image / package, ignore=ignored)
    compileall.compile_dir(image, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    inject = [sys.executable, "-m", "headway_runner.inject", str(target)]
    subprocess.run(inject, cwd=image, check=True, env={"PYTHONPATH": str(image)})
    command = [sys.executable, "-v", "-B", "-c", "import headway_runner.main"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(target)}, check=True, capture_output=True, text=True, cwd=tmp_path
    )
    loaded = [line for line in done.stderr.splitlines() if "code object from" in line and str(target) in line]
    assert len(loaded) > 10
    assert all("__pycache__" in line for line in loaded)
