"""Every reason that the operator itself gives, with its meaning and the next step for a person.

The runner's failure classes (``headway_contract.failures``) are reasons too; they keep their own table.
"""

from dataclasses import dataclass

from headway_contract.failures import FAILURES, failure_class


@dataclass(frozen=True)
class Reason:
    """A condition's reason. ``retry``: whether another attempt is worth it."""

    name: str
    meaning: str
    next_step: str = ""
    retry: bool = False
    is_outside: bool = False
    """What mends it may lie outside of the resource and its image: then only a retry starts the next run."""


REASONS: tuple[Reason, ...] = (
    Reason("Planning", "The databases are being looked at; nothing is changed."),
    Reason("Planned", "What is to be applied is known."),
    Reason("NotPlanned", "There is no plan of all databases: each Job plans for its own one."),
    Reason(
        "WaitingForApproval",
        "The plan needs an approval, and nothing is changed before it.",
        "headway plan NAME shows it; then approve it: headway approve NAME",
    ),
    Reason("Approved", "The plan was approved."),
    Reason("NotRequired", "spec.plan.approval is Automatic: the plan needs no approval."),
    Reason("Migrating", "Revisions are being applied."),
    Reason("Backfilling", "A backfill goes on, in batches, while the application runs."),
    Reason("BackfillsDone", "Every backfill of the run is complete."),
    Reason("NoBackfill", "None of the revisions that were applied had a backfill that was told of."),
    Reason("NotDone", "Revisions are still to be applied: whether they have backfills shows when they run."),
    Reason(
        "WaitingForHook",
        "A hook is asked whether what comes next may begin; nothing begins before it agrees.",
    ),
    Reason(
        "HookRefused",
        "A hook that is asked first does not agree.",
        "Find out why from whoever runs it, then retry: "
        "kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite",
        is_outside=True,
    ),
    Reason(
        "HookUnavailable",
        "A hook that is asked first cannot be asked.",
        "Look at the receiver and at its address in spec.hooks, then retry: "
        "kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite",
        is_outside=True,
    ),
    Reason("Retrying", "An attempt failed in a way that another one may get over."),
    Reason(
        "Stopping", "A Job of an earlier specification ends at its next safe point; then the new one starts."
    ),
    Reason(
        "Aborting", "The run was aborted: what runs ends at its next safe point, nothing more is started."
    ),
    Reason(
        "Aborted",
        "A person ended the run; what was applied stays.",
        "A new run goes on from there: change the specification, or "
        "kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite",
        is_outside=True,
    ),
    Reason("Suspended", "spec.suspend is set: nothing is started.", "Set spec.suspend to false."),
    Reason(
        "Paused",
        "The resource is paused: nothing is started, and what runs holds between batches and between revisions.",
        "kubectl annotate dbmig NAME headway.dev/paused-",
    ),
    Reason(
        "GateOpen",
        "The application may roll out: every revision that must precede it is applied. Others wait until it is.",
    ),
    Reason(
        "WaitingForRollout",
        "The rest of the revisions waits until what spec.postDeploy.waitFor names is rolled out with this image.",
    ),
    Reason("PostDeploy", "The gate is open, and the revisions that were to wait for it are about to run."),
    Reason("Succeeded", "Every database is where the specification wants it."),
    Reason("NothingToDo", "Every database was there already."),
    Reason(
        "InvalidSpec",
        "The specification cannot be read.",
        "Correct the field that the message names; is the CustomResourceDefinition of this release installed?",
    ),
    Reason(
        "LintFailed",
        "spec.lint.mode is Enforce, and a pending revision has a finding of severity Error or does what no rule "
        "could judge; nothing was changed.",
        "Change the revision as the finding says, or say in it why it is safe: # headway: ignore RULE because …. "
        "spec.lint.ignore turns a rule off, spec.lint.mode: Warn all of them.",
    ),
    Reason(
        "UnsupportedAnnotation",
        "An annotation asks for something that this release cannot do.",
        "Remove the annotation, or use a release that obeys it.",
    ),
    Reason(
        "ImageNotPulled",
        "The image cannot be pulled.",
        "Check spec.image and spec.job.imagePullSecrets.",
        is_outside=True,
    ),
    Reason(
        "PodNotCreated",
        "The Job's pod could not be created.",
        "Check spec.job (serviceAccountName, priorityClassName, securityContext), and the namespace's quota and Pod "
        "Security level: a Job that still waits then starts by itself.",
        is_outside=True,
    ),
    Reason(
        "PodNotScheduled",
        "No node takes the Job's pod; it is waited for.",
        "Compare spec.job (resources, nodeSelector, tolerations) with what the nodes offer.",
        is_outside=True,
    ),
    Reason(
        "PodNotStarted",
        "The Job's pod does not start; it is waited for.",
        "Look at its events for what keeps it: a large image, a volume that is not mounted, no address left in the "
        "network, a container put before it, a scheduling gate, a node that does not answer.",
        is_outside=True,
    ),
    Reason(
        "ContainerNotCreated",
        "The container runtime of the node cannot create or start a container of the Job's pod; it tries again.",
        "Look at what it says, at spec.job and at the node: kubectl describe pod of the Job.",
        retry=True,
        is_outside=True,
    ),
    Reason(
        "ImageRunsAsRoot",
        "The image would run as root, or does not say by number as whom, and the pod may not run as root.",
        "Set a numeric USER in the image, or spec.job.securityContext.runAsUser.",
    ),
    Reason(
        "SecretNotFound",
        "A Secret or ConfigMap that the Job needs is not there, or lacks a key.",
        "Create it in the resource's namespace: a Job that still waits then starts by itself; "
        "after a failure: kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite",
        is_outside=True,
    ),
    Reason(
        "PlanLost",
        "What was planned for a relative target or a way back is not known any more, and part of it may be done.",
        "Name the revision, or plan anew from where the database is: "
        "kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite",
        is_outside=True,
    ),
    Reason(
        "PodLeftBehind",
        "A pod that was to end may still run, so no other one is started for its database.",
        "It goes on by itself once the pod's node answers. If that node is off for certain, say so: "
        "kubectl delete pod POD --force --grace-period=0",
    ),
    Reason(
        "JobDisappeared",
        "The Job was deleted before its result was seen; the database is looked at again.",
        retry=True,
        is_outside=True,
    ),
    Reason(
        "PodFailed",
        "The Job's pod ended without a result.",
        "Look at the pod's log and last state (killed? its node gone?).",
        retry=True,
        is_outside=True,
    ),
    Reason(
        "PodEvicted",
        "The node ran short of something, and its kubelet took the Job's pod away.",
        "Look at the node's conditions, and let spec.job.resources.requests (memory, ephemeral-storage) say what "
        "the run needs; it goes on from the last committed revision.",
        retry=True,
        is_outside=True,
    ),
    Reason(
        "InterpreterNotFound",
        "The interpreter that spec.alembic.python names is not in the image, or cannot be executed.",
        "Correct spec.alembic.python (a path in the image, such as /app/.venv/bin/python, or a name on its PATH), "
        "or build the image with it.",
    ),
    Reason(
        "OutOfMemory",
        "The Job's pod needed more memory than it may have, and was killed.",
        "Raise limits.memory in spec.job.resources, or let the revision hold fewer rows at once; "
        "the run goes on from the last committed revision.",
        retry=True,
    ),
    Reason(
        "DeadlineExceeded",
        "The Job ran longer than spec.activeDeadlineSeconds.",
        "Raise it, then retry: kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite; "
        "the run goes on from the last committed revision.",
        is_outside=True,
    ),
    Reason(
        "PlanUnreadable",
        "The plan Job ended well, but its plan could not be read from its log.",
        "Look at the Job's log.",
        retry=True,
        is_outside=True,
    ),
    Reason(
        "JobNameConflict",
        "A Job of this name exists that does not belong to this resource.",
        "Rename or delete that Job.",
        is_outside=True,
    ),
    Reason(
        "JobRefused",
        "The API server refuses the Job that the specification describes.",
        "Correct the field of spec.job, the quota or the policy that the message names.",
        is_outside=True,
    ),
    Reason(
        "HookFailed",
        "Event: a hook could not be told of something, or one that may be ignored did not agree.",
    ),
    Reason(
        "HookMessagesLost",
        "Event: a new run began while a hook could not be reached; some messages are not sent.",
    ),
    Reason("DatabaseFailed", "At least one database could not be brought to its target."),
    Reason(
        "RunFailed",
        "Event: the run is over and has failed; the message says at which databases, and what became of the others.",
        "What happened, and how to mend it, is in the event of the database and in the conditions.",
    ),
    Reason("BackfillStarted", "Event: a backfill has begun, or goes on where it stopped."),
    Reason("BackfillProgressed", "Event: a quarter, a half or three quarters of a backfill are done."),
    Reason(
        "BackfillHeld", "Event: a backfill has been held for more than a minute; the message says by what."
    ),
    Reason("BackfillFinished", "Event: a backfill is complete; the message has its record."),
    Reason("LintFindings", "Event: the plan has findings of the lint; the message names the rules."),
    Reason(
        "DriftChanged",
        "Event: something else differs between this database and the models than when a run last compared them.",
    ),
    Reason(
        "Notice",
        "Event: something that a person should know and that is no failure; a Warning is to be looked into.",
        "The log has all notices: headway logs NAME",
    ),
    Reason("JobStarted", "Event: a Job for this database was created."),
    Reason("DatabaseSucceeded", "Event: this database is where the specification wants it."),
    Reason(
        "DatabaseReady",
        "Event: what must precede the application is applied to this database, and the rest waits for the rollout.",
    ),
    Reason(
        "DatabaseSkipped",
        "Event: this database was not started or not gone on with: one before it failed, or the run was aborted.",
    ),
)

_BY_NAME = {reason.name: reason for reason in REASONS} | {
    failure.name: Reason(failure.name, failure.meaning, failure.next_step, failure.retry, failure.is_outside)
    for failure in FAILURES
}


def reason_of(name: str) -> Reason:
    """The reason of this name, the operator's or the runner's; an unknown one reads as ``Unexpected``."""
    return _BY_NAME.get(name) or _BY_NAME[failure_class(name).name]
