"""Completion webhooks as rows, and rows as completion webhooks."""

from __future__ import annotations

from services.executor.core.webhooks import Delivery, DeliveryStatus, Webhook
from services.executor.documents import plain
from services.executor.rows import Row, micros, moment

ORDER_COLUMNS = (
    "execution_id", "url", "secret_name", "location", "with_output", "exposed", "receiver",
)  # fmt: skip

# What another end, or an attempt, changes.
DELIVERY_COLUMNS = (
    "delivery_id", "body", "status", "attempts", "last_status_code", "last_error", "next_at",
    "delivered_at",
)  # fmt: skip

NEXT_AT = len(ORDER_COLUMNS) + DELIVERY_COLUMNS.index("next_at")
RECEIVER = ORDER_COLUMNS.index("receiver")


def webhook_row(execution_id: str, webhook: Webhook, delivery: Delivery) -> Row:
    """All columns."""
    return (
        execution_id,
        webhook.url,
        webhook.secret_name,
        webhook.location,
        int(webhook.with_output),
        int(webhook.exposed),
        webhook.receiver,
        *_delivery_row(delivery),
    )


def attempted_row(execution_id: str, delivery: Delivery) -> Row:
    """The execution's id and :data:`DELIVERY_COLUMNS`."""
    return (execution_id, *_delivery_row(delivery))


def _delivery_row(delivery: Delivery) -> Row:
    return (
        delivery.id,
        delivery.body,
        delivery.status.value,
        delivery.attempts,
        delivery.last_status_code,
        plain(delivery.last_error),
        None if delivery.next_at is None else micros(delivery.next_at),
        None if delivery.delivered_at is None else micros(delivery.delivered_at),
    )


def webhook_of(row: Row) -> Webhook:
    """Whom to tell, of a row of all columns."""
    return Webhook(row[1], row[2], row[3], bool(row[4]), bool(row[5]))


def delivery_of(row: Row) -> Delivery:
    """How the telling stands, of the same."""
    identity, body, status, attempts, code, error, following, delivered = row[len(ORDER_COLUMNS) :]
    return Delivery(
        identity,
        body,
        DeliveryStatus(status),
        attempts,
        code,
        error,
        None if following is None else moment(following),
        None if delivered is None else moment(delivered),
    )
