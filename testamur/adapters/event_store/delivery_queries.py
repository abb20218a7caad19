"""Queries about messages to learners, for every database that speaks SQL."""

from typing import Final

#: What is told of a message, in the order of `DeliveryRow`.
COLUMNS: Final = (
    "credential_id, notice, sequence, request, configuration_id, learner_id, "
    "status, failures, reason, requested_at, retry_at, sent_at"
)

#: The message that tells of the issue stands in the credential's own row. Where the credential
#: ended before it was sent, nobody sends it any more.
FIRST_MESSAGES: Final = """
    SELECT position, credential_id, 'issued' AS notice, 0 AS sequence, 1 AS request,
        configuration_id, learner_id,
        CASE WHEN status <> 'issued' AND notification = 'pending' THEN 'skipped'
            ELSE notification END AS status,
        notification_failures AS failures,
        CASE WHEN status <> 'issued' AND notification = 'pending' THEN 'ended'
            ELSE notification_reason END AS reason,
        issued_at AS requested_at, notification_retry_at AS retry_at, notified_at AS sent_at
    FROM credentials
    WHERE issued_at IS NOT NULL
"""
OTHER_MESSAGES: Final = """
    SELECT messages.position, messages.credential_id, notice, sequence, request,
        configuration_id, learner_id, messages.status, failures, reason, requested_at, retry_at,
        sent_at
    FROM messages
    JOIN credentials ON credentials.position = messages.position
"""

#: Both are asked for the beginning of a page only, and then put into one order.
PAGE: Final = """
    SELECT {columns}
    FROM (
        SELECT * FROM (
            SELECT * FROM ({first}) AS told_of_issue
            WHERE {which} ORDER BY position LIMIT {limit}
        ) AS first_messages
        UNION ALL
        SELECT * FROM (
            SELECT * FROM ({others}) AS told_of_more
            WHERE {which} ORDER BY position, notice, sequence, request LIMIT {limit}
        ) AS other_messages
    ) AS page
    ORDER BY position, notice, sequence, request
    LIMIT {limit}
"""

#: The first condition is what an index can answer.
AFTER: Final = (
    "position >= {position} AND (position, notice, sequence, request) > "
    "({position}, {notice}, {sequence}, {request})"
)

SENT_SINCE: Final = """
    SELECT (SELECT count(*) FROM credentials WHERE notified_at > {moment})
        + (SELECT count(*) FROM messages WHERE sent_at > {moment})
"""
