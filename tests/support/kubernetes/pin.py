"""Writes go.mod and go.sum for one Kubernetes version into a folder beside it: `python pin.py v1.34.2`.

`k8s.io/kubernetes` requires its staging modules at v0.0.0 and replaces them by folders of its own repository; here
they are replaced by the modules published as v0.<minor>.<patch>. Run once per version, then commit the folder and
add its row to the table in versions.py.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TOOLS = (
    "go.etcd.io/etcd/server/v3",
    "k8s.io/kubernetes/cmd/kube-apiserver",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
    "k8s.io/kubernetes/cmd/kube-scheduler",
    "k8s.io/kubernetes/cmd/kubectl",
    "k8s.io/kubernetes/cmd/kubelet",
)


def main(version: str) -> None:
    """Asks Go for the version's own go.mod, writes ours from it and lets Go complete it."""
    folder = HERE / version
    folder.mkdir(exist_ok=True)
    (folder / "go.mod").write_text("module headway.dev/testbench\n\ngo 1.24.0\n")
    answer = _go(folder, "mod", "download", "-json", f"k8s.io/kubernetes@{version}")
    staging = re.findall(
        r"^\t(k8s\.io/[\w-]+) => \./staging", Path(json.loads(answer)["GoMod"]).read_text(), re.M
    )
    minor, patch = version.split(".")[1:3]
    replaced = "".join(f"\t{module} => {module} v0.{minor}.{patch}\n" for module in staging)
    tools = "".join(f"\t{tool}\n" for tool in TOOLS)
    with (folder / "go.mod").open("a") as file:
        file.write(f"\ntool (\n{tools})\n\nrequire k8s.io/kubernetes {version}\n\nreplace (\n{replaced})\n")
    _go(folder, "mod", "tidy")


def _go(folder: Path, *arguments: str) -> str:
    command = ["go", *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(sys.argv[1])
