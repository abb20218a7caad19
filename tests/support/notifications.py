"""Notifications for tests, with whatever a test does not state filled in."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from testamur.application.ports.notification import Notification
from testamur.domain.identifiers import CredentialId


def notification(email: str = "ada@learners.example", **stated: Any) -> Notification:
    """Return a notification to an address."""
    credential_id = CredentialId(uuid5(NAMESPACE_URL, email))
    return replace(
        Notification(
            credential_id=credential_id,
            message_id=f"<issued.{credential_id}@uni.example>",
            created_at=datetime(2026, 5, 31, 22, 30, tzinfo=UTC),
            email=email,
            full_name="Ada Lovelace",
            locale="en",
            type_name="Certificate of completion",
            context_name="Introduction to Physics",
            issuer_name="University of Łódź",
            award_date=date(2026, 6, 1),
            download_url="https://uni.example/documents/0123",
            verify_url="https://uni.example/verify/0123",
        ),
        **stated,
    )
