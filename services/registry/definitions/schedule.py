"""Schedules: a workflow started over and over, at times that cron expressions give."""

from __future__ import annotations

from services import cron
from services.registry.definitions.model import Document, Json, Kind
from services.registry.definitions.reading import Place, shown
from services.registry.definitions.records import Field, Record, kept
from services.registry.definitions.starts import REQUEST
from services.registry.definitions.values import Boolean, Choice, ListOf, Name, Number, Text, whole
from services.zones import zone

OVERLAP = ("ALLOW", "SKIP", "TERMINATE_OTHER")
MOST_CRONS = 16
LONGEST_CATCH_UP_SECONDS = 366 * 86_400
# Milliseconds of the year 9999.
_LAST_MOMENT = 253_402_300_799_999


class CronExpression:
    """Six fields, seconds first, or five."""

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, str):
            at.fault(f"must be a cron expression, not {shown(value)}")
            return value
        try:
            cron.parse(value)
        except ValueError as fault:
            at.fault(str(fault))
        return value

    def says(self) -> str:
        return "cron expression"

    def schema(self) -> Document:
        return {"type": "string", "minLength": 1, "maxLength": cron.LONGEST}


class ZoneId:
    """A name of the tz database, or an offset."""

    def check(self, value: Json, at: Place) -> Json:
        if not isinstance(value, str):
            at.fault(f"must be a time zone, not {shown(value)}")
            return value
        try:
            zone(value)
        except ValueError as fault:
            at.fault(str(fault))
        return value

    def says(self) -> str:
        return "time zone like Europe/Berlin"

    def schema(self) -> Document:
        return {"type": "string", "minLength": 1}


_CRON = Record(
    "a cron schedule",
    (
        Field("cronExpression", CronExpression(), "When.", required=True),
        Field("zoneId", ZoneId(), "In which time zone.", default="UTC"),
    ),
)


def _check(schedule: Document, at: Place) -> None:
    one, several = schedule.get("cronExpression"), schedule.get("cronSchedules")
    if not one and not several:
        (at / "cronExpression").fault("is required, unless there are cronSchedules")
    elif one and several:
        (at / "cronSchedules").fault("stands beside cronExpression; give one of them")
    if isinstance(several, list) and len(several) > MOST_CRONS:
        (at / "cronSchedules").fault(f"has more than {MOST_CRONS}")
    begins, ends = schedule.get("scheduleStartTime"), schedule.get("scheduleEndTime")
    if isinstance(begins, int) and isinstance(ends, int) and 0 < ends <= begins:
        (at / "scheduleEndTime").fault("must be later than scheduleStartTime")


KIND = Kind(
    name="schedule",
    doc=(
        "Starts a workflow over and over. The input gets `_startedByScheduler`, `_scheduledTime`, "
        "`_executedTime`, `_executionId` and `_schedulerCron` besides."
    ),
    record=Record(
        "a schedule",
        (
            Field("name", Name(), "Its name.", required=True),
            Field(
                "cronExpression",
                CronExpression(),
                "When: six fields, the second first (`0 30 9 ? * MON-FRI`), or five as Unix cron "
                "has them; `@hourly`, `@daily` … too.",
            ),
            Field("zoneId", ZoneId(), "In which time zone.", default="UTC"),
            Field("cronSchedules", ListOf(_CRON), "Several, instead of one cronExpression."),
            Field("startWorkflowRequest", REQUEST, "What is started.", required=True),
            Field(
                "runCatchupScheduleInstances",
                Boolean(),
                "Runs that were missed while nothing ran are made up for; else those that are "
                "more than a minute late are left out, and listed as missed.",
                default=False,
            ),
            Field(
                "catchupWindowSeconds",
                whole(60, LONGEST_CATCH_UP_SECONDS),
                "How late a missed run may be to be made up for.",
                default=86_400,
            ),
            Field(
                "overlapPolicy",
                Choice(OVERLAP),
                "When an earlier run of it still goes on: start beside it, leave this one out, or "
                "terminate the earlier ones.",
                default="ALLOW",
            ),
            Field("paused", Boolean(), "Starts nothing; what falls in between is not made up for.",
                  default=False),
            kept("pausedReason", Text(longest=1024), "Why it is paused, for people."),
            Field("scheduleStartTime", Number(0, _LAST_MOMENT, whole=True),
                  "Not before: milliseconds since 1970; 0: no limit."),
            Field("scheduleEndTime", Number(0, _LAST_MOMENT, whole=True),
                  "Not after: milliseconds since 1970; 0: no limit."),
            kept("description", Text(), "For people."),
        ),
    ),
    check=_check,
)  # fmt: skip
