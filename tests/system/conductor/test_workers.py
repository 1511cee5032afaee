"""Conductor's Python workers, as processes of their own; and tasks that are done by hand."""

from __future__ import annotations

from conductor.client.http.models import TaskResult

from tests.system.conductor.world import Conductor
from tests.system.running import until

# Tasks by hand


def test_a_task_is_polled_logged_and_updated(conductor: Conductor) -> None:
    tasks = conductor.tasks
    conductor.simple("py_by_hand", "py_hand")
    ids = {conductor.start("py_by_hand") for _ in range(3)}
    assert tasks.get_queue_size_for_task("py_hand") == 3
    one = tasks.poll_task("py_hand", worker_id="me")
    rest = tasks.batch_poll_tasks("py_hand", "me", count=5, timeout_in_millisecond=100)
    assert {each.workflow_instance_id for each in [one, *rest]} == ids
    assert tasks.poll_task("py_hand", worker_id="me").task_id is None

    tasks.add_task_log(one.task_id, 'says "so"')
    result = TaskResult(one.workflow_instance_id, one.task_id, status="COMPLETED")
    result.output_data = {"result": 7}
    assert tasks.update_task(result) == one.task_id
    assert tasks.get_task(one.task_id).status == "COMPLETED"
    assert [log.log for log in tasks.get_task_logs(one.task_id)] == ['says "so"']
    assert conductor.ended(one.workflow_instance_id).output == {"result": 7}
    assert [poll.worker_id for poll in tasks.get_task_poll_data("py_hand")] == ["me"]

    by_ref, synced = (each.workflow_instance_id for each in rest)
    tasks.update_task_by_ref_name(by_ref, "step", "COMPLETED", 8)
    assert conductor.ended(by_ref).output == {"result": 8}
    done = tasks.update_task_sync(synced, "step", "FAILED_WITH_TERMINAL_ERROR", {"why": "no"})
    assert (done.status, done.tasks[0].output_data) == ("FAILED", {"why": "no"})


def test_an_update_brings_the_next_task(conductor: Conductor) -> None:
    tasks, api = conductor.tasks, conductor.tasks.taskResourceApi
    conductor.simple("py_chained", "py_chain")
    first, second = (conductor.start("py_chained") for _ in range(2))
    task = tasks.poll_task("py_chain", worker_id="me")
    result = TaskResult(first, task.task_id, status="COMPLETED", worker_id="me")
    result.output_data = {"result": 1}
    following = api.update_task_v2(result)

    assert (following.workflow_instance_id, following.task_def_name) == (second, "py_chain")
    assert conductor.ended(first).output == {"result": 1}
    assert api.all()["py_chain"] == 0
    assert "py_chain" in api.all_verbose()
    assert "py_chain" in {poll.queue_name for poll in api.get_all_poll_data()}
    api.requeue_pending_task("py_chain")


# Workers in processes of their own


def test_many_are_done_at_once(conductor: Conductor) -> None:
    conductor.at_work("py_greet")
    conductor.at_work("py_fetch")
    greeted = [conductor.start("py_greets", input={"name": str(n)}) for n in range(20)]
    # One by one they would take 6 s.
    each = [{"seconds": 0.3, "name": str(n)} for n in range(20)]
    fetched = [conductor.start("py_fetches", input=one) for one in each]

    results = [conductor.ended(id).output["result"] for id in greeted]
    assert results == [f"Hello {n}" for n in range(20)]
    done = [conductor.ended(id).tasks for id in fetched]
    assert [tasks[0].output_data for tasks in done] == [{"fetched": str(n)} for n in range(20)]
    assert [len(tasks) for tasks in done] == [1] * 20


def test_tasks_go_to_the_domain_that_is_asked_for(conductor: Conductor) -> None:
    id = conductor.start("py_greets", input={"name": "Ada"}, task_to_domain={"py_greet": "here"})

    assert conductor.ended(id).output == {"result": "Here is Ada"}


def test_a_worker_registers_what_it_does(conductor: Conductor) -> None:
    until(
        lambda: "py_fetch" in [each.name for each in conductor.metadata.get_all_task_defs()],
        20, "py_fetch is registered",
    )  # fmt: skip


# What was started first, and what kills


def test_a_lease_is_extended_while_work_goes_on(conductor: Conductor) -> None:
    ended = conductor.ended(conductor.fussy["slow"])
    assert (ended.status, [task.retry_count for task in ended.tasks]) == ("COMPLETED", [0])


def test_a_task_is_given_again_when_its_worker_says_so(conductor: Conductor) -> None:
    ended = conductor.ended(conductor.fussy["later"])
    assert ended.tasks[0].output_data == {"so far": 1, "how": "later", "polls": 2}
    assert len(ended.tasks) == 1
    logs = conductor.tasks.get_task_logs(ended.tasks[0].task_id)
    assert [log.log for log in logs] == ["not yet"]


def test_a_failure_is_tried_again_unless_it_is_for_good(conductor: Conductor) -> None:
    failed, never = (
        conductor.ended(conductor.fussy["fails"]),
        conductor.ended(conductor.fussy["never"]),
    )
    assert [task.status for task in failed.tasks] == ["FAILED", "COMPLETED"]
    assert failed.tasks[0].reason_for_incompletion == "Not this time."
    assert [task.status for task in never.tasks] == ["FAILED_WITH_TERMINAL_ERROR"]
    assert (never.status, never.tasks[0].reason_for_incompletion) == ("FAILED", "Not ever.")


def test_a_worker_goes_on_when_edge_and_executor_are_killed(conductor: Conductor) -> None:
    each = [{"seconds": 2, "name": str(n)} for n in range(10)]
    ids = [conductor.start("py_fetches", input=one) for one in each]

    def at_hand() -> bool:
        found = [conductor.workflows.get_workflow(id).tasks[0].status for id in ids]
        return found == ["IN_PROGRESS"] * len(ids)

    until(at_hand, 20, "the worker has all of them")
    before = conductor.suite.pids
    for name in ("executor", "edge"):
        conductor.suite.kill(name)
    until(lambda: serves_again(conductor, before), 20, "both serve again")
    ids.append(conductor.start("py_fetches", input={"seconds": 0, "name": "after"}))

    ended = [conductor.ended(id) for id in ids]
    assert [each.status for each in ended] == ["COMPLETED"] * len(ids)
    assert [each.tasks[0].output_data["fetched"] for each in ended[:-1]] == list("0123456789")
    assert [len(each.tasks) for each in ended] == [1] * len(ids)
    assert conductor.workers is not None
    assert conductor.workers.poll() is None


def serves_again(conductor: Conductor, before: dict[str, int]) -> bool:
    """Whether both have been started again since ``before``."""
    now = conductor.suite.pids
    return all(now.get(name, before[name]) != before[name] for name in ("executor", "edge"))
