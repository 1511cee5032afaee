"""A worker of Conductor's own Python SDK, unmodified, and a workflow that it works for.

Beside a suite that runs (`podium up`), with `pip install conductor-python`:

    export CONDUCTOR_SERVER_URL=http://127.0.0.1:8081/api
    export CONDUCTOR_AUTH_KEY=… CONDUCTOR_AUTH_SECRET=…    # podium access-keys create admin
    python examples/conductor_worker.py Ada
"""

import sys

from conductor.client.automator.task_handler import TaskHandler
from conductor.client.configuration.configuration import Configuration
from conductor.client.orkes_clients import OrkesClients
from conductor.client.worker.worker_task import worker_task
from conductor.client.workflow.conductor_workflow import ConductorWorkflow


@worker_task(task_definition_name="greet_py", register_task_def=True)
def greet(name: str) -> str:
    """What a task ``greet_py`` does."""
    return f"Hello {name}"


def main() -> None:
    """Register the workflow, start the worker, run one."""
    configuration = Configuration()
    executor = OrkesClients(configuration).get_workflow_executor()
    workflow = ConductorWorkflow(executor, "greetings_py", version=1)
    workflow >> greet(task_ref_name="greet", name=workflow.input("name"))
    workflow.output_parameters({"greeting": "${greet.output.result}"})
    workflow.register(overwrite=True)
    with TaskHandler(configuration=configuration) as handler:
        handler.start_processes()
        run = workflow.execute({"name": sys.argv[1] if len(sys.argv) > 1 else "you"})
        print(run.output["greeting"])  # noqa: T201


if __name__ == "__main__":
    main()
