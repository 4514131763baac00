"""Runs a pod's containers as processes: image, environment, command and paths put together."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from support.apiclient import ApiClient
from support.process_kubelet.container_log import ContainerLog
from support.process_kubelet.environment import container_environment, expand
from support.process_kubelet.images import Image
from support.process_kubelet.obstacles import NeverStarts, NotYet
from support.process_kubelet.paths import PathTranslation
from support.process_kubelet.process_container import ProcessContainer, termination_message
from support.process_kubelet.volumes import Volumes

DEFAULT_MESSAGE_PATH = "/dev/termination-log"


class ProcessSandbox:
    """One pod's folder: `volumes/`, and for each container `root` (its working folder) and `message`."""

    def __init__(
        self, pod: dict[str, Any], folder: Path, images: Mapping[str, Image], client: ApiClient
    ) -> None:
        self._folder = folder
        self._images = images
        self._client = client
        self._volumes = Volumes(pod, folder / "volumes", client)
        self._refused_images: set[str] = set()

    def prepare(self, pod: dict[str, Any]) -> None:
        """Makes the volumes. Raises NotYet."""
        self._volumes.prepare(pod)

    def refresh(self, pod: dict[str, Any]) -> None:
        """Brings the downward API files up to date."""
        self._volumes.refresh(pod)

    def start(
        self, pod: dict[str, Any], container: dict[str, Any], log: ContainerLog, on_end: Callable[[], None]
    ) -> ProcessContainer:
        """Raises NotYet for a missing image, Secret or ConfigMap, NeverStarts for a missing program."""
        image = self._image(container["image"])
        root = self._folder / container["name"] / "root"
        root.mkdir(parents=True, exist_ok=True)
        message_file = root.with_name("message")
        message_path = container.get("terminationMessagePath") or DEFAULT_MESSAGE_PATH
        translate = PathTranslation(
            {**image.path_map, **self._volumes.mounts(container), message_path: message_file}
        )
        variables = container_environment(pod, container, self._client, translate)
        environment = {**image.environment, "HOSTNAME": pod["metadata"]["name"], **variables}
        command = _command(container, image, translate, variables)
        program = shutil.which(command[0], path=environment.get("PATH", ""))
        working_dir = container.get("workingDir") or image.working_dir
        local_folder = Path(translate(working_dir))
        if program is None:
            raise NeverStarts(f'exec: "{command[0]}": executable file not found in $PATH')
        policy = container.get("terminationMessagePolicy", "File")
        return ProcessContainer(
            [program, *command[1:]],
            environment,
            root if str(local_folder) == working_dir else local_folder,
            log,
            lambda code: termination_message(message_file, policy, log, code),
            on_end,
        )

    def _image(self, name: str) -> Image:
        """The registry's image. Raises NotYet: at first ErrImagePull, from then on ImagePullBackOff."""
        if image := self._images.get(name):
            return image
        refusal = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": {name}: not found'
        if name in self._refused_images:
            raise NotYet("ImagePullBackOff", f'Back-off pulling image "{name}": ErrImagePull: {refusal}')
        self._refused_images.add(name)
        raise NotYet("ErrImagePull", refusal)


def _command(
    container: dict[str, Any], image: Image, translate: Callable[[str], str], variables: Mapping[str, str]
) -> list[str]:
    program = container.get("command") or image.entrypoint
    words = [*program, *(container.get("args") or [])]
    if not words:
        raise NeverStarts("no command specified")
    return [expand(translate(word), variables) for word in words]
