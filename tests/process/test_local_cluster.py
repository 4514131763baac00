"""Jobs as processes: what a kubelet would resolve, the files that a runner is spoken with through, its end."""

import asyncio
import json
import signal
import sys
from datetime import UTC, datetime, timedelta

import pytest

from headway_contract.control import ANNOTATION, Control
from headway_operator.api.migration import parse
from headway_operator.cluster.interface import Conflict, Invalid, NotFound
from headway_operator.cluster.local import LocalCluster, Site
from headway_operator.cluster.local_process import Sources, resolved_environment
from headway_operator.cluster.views import job_views
from headway_operator.manifests.job import job_for
from headway_operator.planner.actions import StartJob
from headway_operator.planner.snapshot import JobState, Stage
from headway_operator.settings import Settings
from support.crd import minimal

NAMESPACE = "default"
SETTINGS = Settings(grace_seconds=5)

# Stands in for the runner: reads the request, does what the test wants, leaves a result.
SAYS = "print('##said', os.environ['HEADWAY_DATABASE_0_URL'], flush=True)\n"
ENDS = "open(request['terminationLog'], 'w').write(json.dumps({'outcome': 'Succeeded', 'run': 'r'}))\n"
WAITS_FOR_STOP = (
    "while not (os.path.exists(request['controlFile']) and json.load(open(request['controlFile']))['stop']):\n"
    "    time.sleep(0.01)\n"
)
WAITS_FOR_SIGTERM = "print('waits', flush=True)\ntime.sleep(60)\n"
HEAD = "import json, os, sys, time\nrequest = json.loads(os.environ['HEADWAY_REQUEST'])\n"


class Heard:
    """A watcher that remembers, and wakes who waits."""

    def __init__(self):
        self.lines = []
        self.changed = asyncio.Event()

    def migration_changed(self, body):
        self.changed.set()

    def owned_changed(self, body):
        self.changed.set()

    def line_written(self, job, line):
        self.lines.append(line)
        self.changed.set()

    async def until(self, predicate):
        async with asyncio.timeout(30):
            while not predicate():
                self.changed.clear()
                await self.changed.wait()


class Bench:
    """A cluster whose runner is a script."""

    def __init__(self, folder, script):
        source = {"urlFrom": {"secretKeyRef": {"name": "pg", "key": "uri"}}}
        alembic = {"python": sys.executable, "workingDir": str(folder)}
        body = minimal(databases=[{"name": "main", **source}], alembic=alembic)
        (folder / "runner").mkdir()
        (folder / "runner" / "headway_runner").write_text(HEAD + script)
        self.heard = Heard()
        sources = Sources({"pg": {"uri": "postgresql://h/main"}})
        start = datetime(2026, 11, 23, tzinfo=UTC)
        ticks = iter(range(1000))
        site = Site(folder / "runner", folder, sources, {}, lambda: start + timedelta(seconds=next(ticks)))
        self.cluster = LocalCluster(body, site, self.heard)

    def job(self, name="shop-main-r-1"):
        start = StartJob(name, "r", "identity", Stage.MIGRATE, "main", 1)
        return job_for(start, parse(self.cluster.migration), SETTINGS)

    async def view(self):
        key = self.cluster.key
        jobs = job_views(await self.cluster.list_jobs(key, ""), await self.cluster.list_pods(key, ""))
        return jobs[0] if jobs else None

    async def run_to_the_end(self, **more):
        job = self.job()
        job["spec"] |= more
        await self.cluster.create_job(NAMESPACE, job)
        await self.heard.until(lambda: not self.cluster.has_running_jobs)
        await self.cluster.close(5)
        return await self.view()


async def test_a_job_gets_its_secrets_and_leaves_its_result(tmp_path):
    bench = Bench(tmp_path, SAYS + ENDS)
    view = await bench.run_to_the_end()
    assert view.state is JobState.SUCCEEDED
    assert view.result.run == "r"
    assert view.pod.succeeded
    assert bench.heard.lines == ["##said postgresql://h/main"]
    assert [line async for line in bench.cluster.read_log(NAMESPACE, "shop-main-r-1")] == bench.heard.lines
    assert [
        line async for line in bench.cluster.follow_log(NAMESPACE, "shop-main-r-1", "")
    ] == bench.heard.lines


async def test_a_job_that_breaks_has_failed_with_its_exit_code(tmp_path):
    view = await Bench(tmp_path, "sys.exit(70)").run_to_the_end()
    assert view.state is JobState.FAILED
    assert view.result is None
    assert view.message == "its process ended with exit code 70"


async def test_a_wish_reaches_the_process_as_a_file(tmp_path):
    bench = Bench(tmp_path, WAITS_FOR_STOP + ENDS)
    await bench.cluster.create_job(NAMESPACE, bench.job())
    wish = Control(1, stop=True).to_json()
    await bench.cluster.annotate_pod(NAMESPACE, "shop-main-r-1", {ANNOTATION: wish})
    assert (await bench.view()).pod.control.stop
    await bench.heard.until(lambda: not bench.cluster.has_running_jobs)
    await bench.cluster.close(5)
    assert (await bench.view()).state is JobState.SUCCEEDED


async def test_a_deleted_job_is_ended_and_then_gone(tmp_path):
    bench = Bench(tmp_path, WAITS_FOR_SIGTERM)
    await bench.cluster.create_job(NAMESPACE, bench.job())
    await bench.heard.until(lambda: "waits" in bench.heard.lines)
    await bench.cluster.delete_job(NAMESPACE, "shop-main-r-1")
    assert (await bench.view()).deleting
    await bench.cluster.close(5)
    assert await bench.view() is None
    await bench.cluster.delete_job(NAMESPACE, "shop-main-r-1")
    with pytest.raises(NotFound):
        await bench.cluster.get_job(NAMESPACE, "shop-main-r-1")


async def test_closing_ends_even_a_process_that_does_not_listen(tmp_path):
    ignores = f"import signal; signal.signal({signal.SIGTERM}, signal.SIG_IGN)\n" + WAITS_FOR_SIGTERM
    bench = Bench(tmp_path, ignores)
    await bench.cluster.create_job(NAMESPACE, bench.job())
    await bench.heard.until(lambda: "waits" in bench.heard.lines)
    await bench.cluster.close(0.1)
    assert (await bench.view()).message == "its process ended with exit code 137"


async def test_a_job_over_its_deadline_has_failed_with_that_reason(tmp_path):
    view = await Bench(tmp_path, WAITS_FOR_SIGTERM).run_to_the_end(activeDeadlineSeconds=0.1)
    assert (view.state, view.reason) == (JobState.FAILED, "DeadlineExceeded")


async def test_a_name_is_used_once(tmp_path):
    bench = Bench(tmp_path, ENDS)
    await bench.run_to_the_end()
    with pytest.raises(Conflict):
        await bench.cluster.create_job(NAMESPACE, bench.job())


async def test_a_write_that_is_based_on_an_older_state_is_refused(tmp_path):
    bench = Bench(tmp_path, ENDS)
    version = bench.cluster.migration["metadata"]["resourceVersion"]
    newer = await bench.cluster.apply_status(bench.cluster.key, version, {"phase": "Planning"})
    with pytest.raises(Conflict):
        await bench.cluster.apply_status(bench.cluster.key, version, {"phase": "Migrating"})
    await bench.cluster.set_finalizers(bench.cluster.key, newer, ["a"])
    assert bench.cluster.migration["status"] == {"phase": "Planning"}
    assert bench.cluster.migration["metadata"]["finalizers"] == ["a"]


def environment_of(*variables, env_from=(), sources=None):
    container = {"env": list(variables), "envFrom": list(env_from)}
    job = {"metadata": {"name": "job"}, "spec": {"template": {"spec": {"containers": [container]}}}}
    return resolved_environment(job, sources or Sources({"s": {"k": "v"}}, {"c": {"k": "w"}}))


def test_variables_are_resolved_as_a_kubelet_does_it():
    assert environment_of(
        {"name": "A", "value": "a"},
        {"name": "B", "value": "$(A)-$$(A)-$(NONE)"},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
        {"name": "O", "valueFrom": {"secretKeyRef": {"name": "s", "key": "none", "optional": True}}},
        {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        env_from=[{"prefix": "P_", "secretRef": {"name": "s"}}],
    ) == {"P_k": "v", "A": "a", "B": "a-$(A)-$(NONE)", "S": "v", "C": "w", "N": "job"}


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ({"secretKeyRef": {"name": "none", "key": "k"}}, "there is no Secret none"),
        ({"configMapKeyRef": {"name": "c", "key": "none"}}, "the ConfigMap c has no key none"),
        ({"fieldRef": {"fieldPath": "spec.nodeName"}}, "the pod's field spec.nodeName"),
    ],
)
def test_what_is_missing_is_named(source, sentence):
    with pytest.raises(Invalid, match=sentence):
        environment_of({"name": "A", "valueFrom": source})


def test_the_request_names_files_of_this_machine(tmp_path):
    bench = Bench(tmp_path, "print(json.dumps(request), flush=True)")
    asyncio.run(bench.run_to_the_end())
    request = json.loads(bench.heard.lines[0])
    assert request["terminationLog"].startswith(str(tmp_path))
    assert request["controlFile"].startswith(str(tmp_path))
