"""The Job of one attempt: the user's image with Headway's runner in it.

It never restarts by itself: an attempt that failed is followed by one that the planner decides on. An eviction is no
failure; the Job then replaces its pod, once that has ended for certain, so that a Job never has two that run.
"""

import hashlib
import json
from typing import Any

from headway_contract.control import ANNOTATION, Control
from headway_contract.drift_report import DriftWish
from headway_contract.failures import FAILURES
from headway_operator.api import labels
from headway_operator.api.migration import API_VERSION, KIND, Migration, Spec
from headway_operator.manifests.injection import RESTRICTED, RUNNER_FOLDER, init_container, mounts, volumes
from headway_operator.manifests.labels import POD_ANNOTATIONS, POD_LABELS, annotations_for, labels_for
from headway_operator.manifests.request import TERMINATION_LOG, environment_for
from headway_operator.planner.actions import StartJob
from headway_operator.planner.steer import backfill_settings
from headway_operator.settings import Settings

DEFAULT_RESOURCES = {"requests": {"cpu": "100m", "memory": "128Mi"}}
"""No limits: a revision that is killed for memory in its middle helps nobody."""

PERMANENT_EXIT_CODES = sorted({int(failure.exit_code) for failure in FAILURES if not failure.retry})


def job_for(start: StartJob, migration: Migration, settings: Settings) -> dict[str, Any]:
    """The Job to create; the resource's specification must have been read."""
    assert migration.spec is not None
    template = _template(start, migration, migration.spec, settings)
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": start.name,
            "namespace": migration.namespace,
            "labels": labels_for(start, migration),
            "annotations": {**annotations_for(migration), labels.SPEC_HASH_ANNOTATION: digest[:16]},
            "ownerReferences": [owner_reference(migration)],
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": _deadline(migration.spec),
            "podFailurePolicy": {"rules": _failure_rules()},
            "podReplacementPolicy": "Failed",
            "template": template,
        },
    }


def _deadline(spec: Spec) -> int:
    """A comparison after the run takes nothing of the time that the run may have."""
    return spec.active_deadline_seconds + (DriftWish().seconds if spec.drift.is_wished else 0)


def owner_reference(migration: Migration) -> dict[str, Any]:
    """Makes the Job the resource's own: it goes when the resource goes, not before."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": migration.name,
        "uid": migration.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _failure_rules() -> list[dict[str, Any]]:
    """The first rule that fits decides: a pod taken away is replaced, whatever its exit code was."""
    codes = {"containerName": labels.MAIN_CONTAINER, "operator": "In", "values": PERMANENT_EXIT_CODES}
    return [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "FailJob", "onExitCodes": codes},
    ]


def _template(start: StartJob, migration: Migration, spec: Spec, settings: Settings) -> dict[str, Any]:
    job = spec.job
    return {
        "metadata": {
            "labels": {**(job.pod_labels or {}), **POD_LABELS, **labels_for(start, migration)},
            "annotations": {
                **POD_ANNOTATIONS,
                **(job.pod_annotations or {}),
                **annotations_for(migration),
                # As its request has it, for whoever decides later whether something else is wished.
                ANNOTATION: Control(backfill=backfill_settings(migration)).to_json(),
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": settings.grace_seconds,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": _pod_security(spec),
            "initContainers": [init_container(settings)],
            "containers": [_main_container(start, migration, spec, settings)],
            "volumes": volumes(),
            **_present(
                serviceAccountName=job.service_account_name,
                priorityClassName=job.priority_class_name,
                nodeSelector=dict(job.node_selector or {}),
                tolerations=list(job.tolerations),
                imagePullSecrets=list(job.image_pull_secrets),
            ),
        },
    }


def _pod_security(spec: Spec) -> dict[str, Any]:
    """Names no user id of its own: the image does, or the platform, as OpenShift does."""
    return {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        **(spec.job.security_context or {}),
    }


def _main_container(start: StartJob, migration: Migration, spec: Spec, settings: Settings) -> dict[str, Any]:
    return {
        "name": labels.MAIN_CONTAINER,
        "image": spec.image,
        "command": [spec.alembic.python, f"{RUNNER_FOLDER}/headway_runner"],
        "env": [*spec.job.env, *environment_for(start, migration, settings)],
        "volumeMounts": mounts(),
        "resources": dict(spec.job.resources or DEFAULT_RESOURCES),
        "securityContext": RESTRICTED,
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "File",
        **_present(workingDir=spec.alembic.working_dir, envFrom=list(spec.job.env_from)),
    }


def _present(**fields: Any) -> dict[str, Any]:
    """Those that say something; an empty list or text would show up as a difference."""
    return {name: value for name, value in fields.items() if value}
