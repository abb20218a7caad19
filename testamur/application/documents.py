"""From an award to the document that shows it."""

from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import format_percent

from testamur.application.installation import Installation
from testamur.application.ports.rendering import Document
from testamur.domain.credentials import CredentialAwarded
from testamur.domain.evidence import Evidence
from testamur.domain.identifiers import CredentialId
from testamur.domain.personal_data import Person

_SHOWN_PERCENT: Final = Decimal("0.001")


def document_of(
    credential_id: CredentialId,
    awarded: CredentialAwarded,
    person: Person,
    installation: Installation,
) -> Document:
    """Return everything that the document of a credential shows."""
    locale = person.locale or installation.default_language
    expires = awarded.expires_at
    return Document(
        credential_id=credential_id,
        verification_id=awarded.verification_id,
        full_name=person.full_name,
        context_name=awarded.context_name,
        type_name=awarded.type_name,
        issuer_name=awarded.issuer_name,
        award_date=awarded.award_date,
        locale=locale,
        verify_url=installation.verify_url(awarded.verification_id),
        values=_values(awarded.evidence, locale),
        serial=awarded.serial,
        expiry_date=None if expires is None else installation.date_of(expires),
    )


def _values(evidence: Evidence, locale: str) -> dict[str, str]:
    """Return ``grade`` (the total, or the one category required) and ``completion``, as percent.

    Rounded down to a tenth of a percent, so that 54.99 never shows as the 55 that was required.
    A pathway has no grade or completion of its own.
    """
    of_context = [result for result in evidence.results if result.step is None]
    totals = [result for result in of_context if result.criterion == "total"]
    categories = [result for result in of_context if result.criterion == "grade"]
    grades = totals or (categories if len(categories) == 1 else [])
    completions = [result for result in of_context if result.criterion == "completion"]
    found = {"grade": grades, "completion": completions}
    return {
        name: _percent(results[0].achieved, locale)
        for name, results in found.items()
        if results and results[0].achieved is not None
    }


@lru_cache(maxsize=4096)  # learners share their results, and Babel takes a millisecond for each
def _percent(fraction: Decimal, locale: str) -> str:
    shown = fraction.quantize(_SHOWN_PERCENT, rounding=ROUND_DOWN)
    return format_percent(shown, format="#,##0.#%", locale=_locale(locale))


def _locale(tag: str) -> Locale:
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
