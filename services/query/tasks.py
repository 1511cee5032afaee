"""What a query of tasks can name; Conductor's names of the same are aliases."""

from __future__ import annotations

from services.query.vocabulary import Field, Kind, Vocabulary

STATUSES = (
    "SCHEDULED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "SKIPPED", "FAILED",
    "TIMED_OUT", "FAILED_WITH_TERMINAL_ERROR", "CANCELED",
)  # fmt: skip

TASKS = Vocabulary(
    fields=(
        Field("status", Kind.ENUM, hint="where it stands", values=STATUSES),
        Field("kind", Kind.TEXT, ("type", "taskType"), "its kind, like HTTP"),
        Field("ref", Kind.TEXT, ("referenceTaskName", "taskReferenceName"), "its reference name"),
        Field("name", Kind.TEXT, ("taskDefName", "taskName"), "the name of its definition"),
        Field("wf", Kind.TEXT, ("workflow", "workflowType", "workflowName"), "its workflow"),
        Field(
            "execution", Kind.TEXT, ("workflowId", "workflowInstanceId", "executionId"),
            "the id of its execution",
        ),
        Field("corr", Kind.TEXT, ("correlation", "correlationId"), "its execution's correlation"),
        Field("id", Kind.TEXT, ("taskId",), "its id"),
        Field("reason", Kind.TEXT, ("reasonForIncompletion",), "why it did not end well"),
        Field("worker", Kind.TEXT, ("workerId",), "who did it"),
        Field("attempt", Kind.NUMBER, ("retryCount",), "how often it was tried before"),
        Field("iteration", Kind.NUMBER, (), "the round of its loop"),
        Field("polls", Kind.NUMBER, ("pollCount",), "how often it has polled"),
        Field(
            "older", Kind.AGE, ("before",), "reached longer ago, like 10m", of="scheduled",
            older=True,
        ),
        Field("newer", Kind.AGE, ("after",), "reached since, like 10m", of="scheduled"),
        Field("scheduled", Kind.TIME, ("scheduledTime", "scheduleTime"), "when it was reached"),
        Field("started", Kind.TIME, ("startTime",), "when it was first acted on"),
        Field("updated", Kind.TIME, ("updateTime", "modifiedTime"), "when it last changed"),
        Field("ended", Kind.TIME, ("endTime",), "when it ended"),
        Field(
            "dur",
            Kind.DURATION,
            ("duration", "executionTime"),
            "how long it took, or goes on by now",
            in_milliseconds=("executiontime",),
        ),
        Field("text", Kind.WORDS, ("freeText",), "words in its input, output or reason"),
        Field("input", Kind.DOCUMENT, hint="a value of its input, like input.order.id=7"),
        Field("output", Kind.DOCUMENT, hint="a value of its output"),
    ),
    words_in=("id", "execution", "ref", "name", "wf", "corr", "reason"),
    absent={
        "queue": "Tasks are asked for by kind:, name: and status:; queues are told by themselves.",
        "classifier": "Tasks have no classifier: ask by kind:, name: or wf:.",
        "v": "The version of a workflow is its execution's: ask for executions.",
        "version": "The version of a workflow is its execution's: ask for executions.",
    },
)  # fmt: skip
