"""What a query of executions can name; Conductor's names of the same are aliases."""

from __future__ import annotations

from services.query.vocabulary import Field, Kind, Vocabulary

STATUSES = ("RUNNING", "PAUSED", "COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED")

EXECUTIONS = Vocabulary(
    fields=(
        Field("status", Kind.ENUM, hint="where it stands", values=STATUSES),
        Field("wf", Kind.TEXT, ("workflow", "workflowType", "workflowName"), "its workflow"),
        Field("v", Kind.NUMBER, ("version", "workflowVersion"), "the workflow's version"),
        Field("corr", Kind.TEXT, ("correlation", "correlationId"), "its correlation id"),
        Field("id", Kind.TEXT, ("workflowId", "executionId"), "its id"),
        Field("parent", Kind.TEXT, ("parentWorkflowId",), "the id of the one that started it"),
        Field("reason", Kind.TEXT, ("reasonForIncompletion",), "why it did not end well"),
        Field(
            "older", Kind.AGE, ("before",), "started longer ago, like 10m", of="started", older=True
        ),
        Field("newer", Kind.AGE, ("after",), "started since, like 10m", of="started"),
        Field("started", Kind.TIME, ("startTime", "createTime"), "when it was started"),
        Field("updated", Kind.TIME, ("updateTime", "modifiedTime"), "when it last changed"),
        Field("ended", Kind.TIME, ("endTime",), "when it ended"),
        Field(
            "dur",
            Kind.DURATION,
            ("duration", "executionTime"),
            "how long it took, or runs by now",
            in_milliseconds=("executiontime",),
        ),
        Field("by", Kind.TEXT, ("startedBy", "createdBy"), "who started it"),
        Field("priority", Kind.NUMBER, (), "its priority, 0 to 99"),
        Field(
            "failed",
            Kind.TEXT,
            ("failedReferenceTaskNames", "failedRef"),
            "a task that failed for good, by its reference",
            several=True,
        ),
        Field("text", Kind.WORDS, ("freeText",), "words in its input, output or reason"),
        Field("input", Kind.DOCUMENT, hint="a value of its input, like input.order.id=7"),
        Field("output", Kind.DOCUMENT, hint="a value of its output"),
    ),
    words_in=("id", "wf", "corr", "reason"),
    absent={
        "queue": "Queues cannot be asked for: an execution knows none.",
        **dict.fromkeys(
            ("task", "taskid", "tasktype", "taskdefname", "taskname", "ref", "kind"),
            "Tasks are asked for by themselves: podium tasks, SearchTasks, or "
            "/api/workflow/search-by-tasks.",
        ),
        "classifier": "Executions have no classifier: ask by wf:.",
        "tag": "Tags cannot be asked for yet; ask by wf: for the workflows that have them.",
    },
)
