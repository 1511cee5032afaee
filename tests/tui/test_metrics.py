"""The gateway's figures as an operator reads them."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from podium.edge.v1 import edge_pb2 as pb
from tui.views.metrics import document, lines

MINUTE = Timestamp(seconds=1_800_000_000)


def metrics(*answers: tuple[int, str, int], **fields: object) -> pb.GatewayMetrics:
    return pb.GatewayMetrics(
        requests=sum(count for *_, count in answers),
        errors=sum(count for status, _, count in answers if status >= 400),
        answers=[pb.AnswerCount(status=s, problem=p, count=c) for s, p, c in answers],
        **fields,  # type: ignore[arg-type]
    )


def report(total: pb.GatewayMetrics, *rows: pb.GatewayMetricsRow) -> pb.GatewayMetricsReport:
    return pb.GatewayMetricsReport(start_time=MINUTE, end_time=MINUTE, total=total, rows=rows)


def test_a_report_tells_rates_errors_latencies_and_success() -> None:
    ended = pb.ExecutionCounts(completed=9, timed_out=1, unknown=2, success_ratio=0.9)
    told = list(
        lines(
            report(
                metrics(
                    (200, "", 1_200),
                    (429, "quota-exceeded", 300),
                    requests_per_second=0.416,
                    executions=ended,
                    latency_p50_ms=0.8214,
                    latency_p95_ms=14.26,
                    latency_p99_ms=2_500.4,
                    cache={"hit": 5},
                    limited=300,
                )
            ),
            "orders",
        )
    )

    assert told[0].startswith("orders, ")
    assert told[1:] == [
        "requests    1,500 (0.42/s)",
        "executions  90.0% success: completed 9, timed out 1, unknown 2",
        "latency     p50 0.821 ms, p95 14.3 ms, p99 2.5 s, mean 0 ms",
        "errors      300 (20.0%): 429 quota-exceeded 300",
        "cache       hit 5",
        "limited     300",
    ]


def test_what_the_cache_had_is_told_in_one_order() -> None:
    # By chance one of these would be so, too.
    words = {f"state-{n:02}": n for n in range(1, 21)}
    told = report(metrics((200, "", 1), cache=words))

    assert list(document(told)["cache"]) == sorted(words)
    [line] = [line for line in lines(told, "orders") if line.startswith("cache")]
    assert line == "cache       " + ", ".join(f"{word} {count}" for word, count in words.items())


def test_of_nothing_little_is_told() -> None:
    assert list(lines(report(metrics()), "all services"))[1:] == [
        "requests    0 (0.00/s)",
        "executions  none",
        "latency     p50 -, p95 -, p99 -, mean -",
        "errors      none",
    ]
    told = document(report(metrics()))
    assert told["executions"]["successRatio"] is None
    assert told["latencyMs"] == {"p50": None, "p95": None, "p99": None, "mean": None}


def test_events_that_ended_with_a_problem_are_errors() -> None:
    total = pb.GatewayMetrics(
        requests=2,
        errors=1,
        answers=[pb.AnswerCount(status=200, problem="execution-failed", count=1)],
    )

    [errors] = [line for line in lines(report(total), "x") if line.startswith("errors")]
    assert errors == "errors      1 (50.0%): 200 execution-failed 1"


def test_many_kinds_of_errors_are_told_in_part() -> None:
    total = metrics(*((500, f"kind-{number}", 1) for number in range(20)))

    [errors] = [line for line in lines(report(total), "x") if line.startswith("errors")]
    assert errors.endswith("and 12 more kinds")


def test_a_row_is_named_by_what_it_is_of_even_where_that_has_no_name() -> None:
    counted = metrics((200, "", 1))
    rows = (
        pb.GatewayMetricsRow(service_id="orders", method="GET", path="/a", metrics=counted),
        pb.GatewayMetricsRow(service_id="", method="", path="", metrics=counted),
        pb.GatewayMetricsRow(service_id="", metrics=counted),
        pb.GatewayMetricsRow(principal="key:k/n", metrics=counted),
        pb.GatewayMetricsRow(principal="", metrics=counted),
    )

    told = list(lines(report(metrics((200, "", 5)), *rows), "x"))[-5:]
    names = ["GET /a", "(no route)", "(no route)", "key:k/n", "(no key)"]
    assert [line.split("  ")[0] for line in told] == names
    assert document(report(counted, rows[0]))["rows"][0]["path"] == "/a"
    assert "path" not in document(report(counted, rows[3]))["rows"][0]
