"""The labels and annotations by which Headway finds its Jobs and pods and knows what each is for."""

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "headway"
UID = "headway.dev/uid"
"""The uid of the resource that a Job belongs to."""
RUN = "headway.dev/run"
IDENTITY = "headway.dev/identity"
STAGE = "headway.dev/stage"
DATABASE = "headway.dev/database"
"""Absent on a plan's Job."""
ATTEMPT = "headway.dev/attempt"
MIGRATION_ANNOTATION = "headway.dev/migration"
"""The resource's name: an annotation, because a name may be longer than a label's value."""
SPEC_HASH_ANNOTATION = "headway.dev/spec-hash"
MAIN_CONTAINER = "migrate"
"""The runner's, in the user's image; an admission webhook may have put others beside it."""

SELECTOR = f"{MANAGED_BY}={MANAGER}"
"""Every Job and pod of Headway."""


def selector_of(uid: str) -> str:
    """The Jobs and pods of the resource of this uid."""
    return f"{SELECTOR},{UID}={uid}"
