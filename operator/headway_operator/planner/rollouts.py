"""Is the application of this generation rolled out? As ``kubectl rollout status`` decides, and for the run's image.

Rule: what waits for a rollout may break the version before, so no pod of that may be left. Where nothing can be seen,
it waits, and says for what.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from headway_operator.api.migration import Spec
from headway_operator.planner.snapshot import Rollout, Snapshot

SHORTEST, LONGEST = timedelta(seconds=5), timedelta(seconds=60)
"""Between two looks at what is waited for."""
PART_OF_THE_WAIT = 10
AT_ONCE = timedelta(milliseconds=1)
NOT_LOOKED_AT = "it has not been looked at yet"

Question = Callable[[Rollout, str], str]
"""What is still missing, as words; '' when nothing is. The second argument is the image of the run."""


def it_cannot_be_seen(rollout: Rollout, image: str) -> str:
    """It does not exist, or may not be read."""
    return rollout.problem


def its_image_is_another(rollout: Rollout, image: str) -> str:
    """The application of this generation has not been applied yet."""
    if image in rollout.images:
        return ""
    return f"none of its containers has the image {image} (they have {', '.join(rollout.images) or 'none'})"


def it_is_paused(rollout: Rollout, image: str) -> str:
    """spec.paused: its pods stay as they are."""
    return "its rollout is paused (spec.paused)" if rollout.is_paused and _is_unfinished(rollout) else ""


def its_controller_has_not_seen_it(rollout: Rollout, image: str) -> str:
    """The status is about an older specification."""
    behind = rollout.observed_generation < rollout.generation
    return "its controller has not seen its newest specification yet" if behind else ""


def it_is_late(rollout: Rollout, image: str) -> str:
    """It has exceeded its progress deadline: somebody must see to that, and then it goes on."""
    if not rollout.is_late:
        return ""
    return f"its rollout has exceeded its progress deadline, {_updated(rollout)}"


def its_pods_are_not_updated(rollout: Rollout, image: str) -> str:
    """Fewer pods than wished have the newest template."""
    return _updated(rollout) if rollout.updated < rollout.wished else ""


def older_pods_are_left(rollout: Rollout, image: str) -> str:
    """Pods of the version before still run; of a StatefulSet, also because of its partition."""
    older = max(rollout.pods - rollout.updated, 0)
    if older:
        return f"{older} of its pods {'is' if older == 1 else 'are'} of an older version"
    return "" if rollout.is_one_revision else "some of its pods are of an older version"


def its_pods_are_not_available(rollout: Rollout, image: str) -> str:
    """The new pods run, and are not ready for long enough."""
    needed = max(rollout.updated, rollout.wished)
    return f"{rollout.available} of {needed} pods are available" if rollout.available < needed else ""


QUESTIONS: tuple[Question, ...] = (
    it_cannot_be_seen,
    its_image_is_another,
    it_is_paused,
    its_controller_has_not_seen_it,
    it_is_late,
    its_pods_are_not_updated,
    older_pods_are_left,
    its_pods_are_not_available,
)


def missing(rollout: Rollout, image: str) -> str:
    """What is still missing of this rollout; '' when it is complete for this image."""
    return next((told for question in QUESTIONS if (told := question(rollout, image))), "")


def waited_for(snapshot: Snapshot, spec: Spec) -> str:
    """What the post-deploy work waits for, for people; '' when it may begin."""
    found = []
    for workload in spec.post_deploy.wait_for:
        rollout = snapshot.rollout_of(workload)
        lacks = NOT_LOOKED_AT if rollout is None else missing(rollout, spec.image)
        if lacks:
            found.append(f"{workload.shown}: {lacks}")
    return "; ".join(found)


def next_look(snapshot: Snapshot, spec: Spec, since: datetime | None) -> timedelta:
    """When to look again: at once at what nobody has looked at, else the later the longer it has taken already."""
    if any(snapshot.rollout_of(workload) is None for workload in spec.post_deploy.wait_for):
        return AT_ONCE
    waited = snapshot.now - since if since is not None else timedelta(0)
    return min(max(waited / PART_OF_THE_WAIT, SHORTEST), LONGEST)


def _updated(rollout: Rollout) -> str:
    return f"{rollout.updated} of {rollout.wished} pods are updated"


def _is_unfinished(rollout: Rollout) -> bool:
    return rollout.updated < rollout.wished or rollout.pods > rollout.updated
