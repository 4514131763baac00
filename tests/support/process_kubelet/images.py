"""What the process kubelet knows of an image: where its paths are on this machine, and its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Image:
    """An image made of folders of this machine.

    `path_map` maps container path prefixes (`/app`) to local folders; `environment` is taken as it is (local paths,
    at least PATH). `entrypoint` and `working_dir` are container paths, used when the pod names none.
    """

    path_map: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    working_dir: str = "/"
