"""What reconciliations found and what became of it, as people and programs read it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from testamur.entrypoints.cli.criteria_text import unmet
from testamur.entrypoints.cli.output import (
    ERASED,
    Column,
    many,
    screen,
    warn,
    write_json_line,
)

if TYPE_CHECKING:
    from testamur.application.comparing import Compared
    from testamur.application.correcting import Corrected
    from testamur.domain.corrections import Correction, CorrectionProposed
    from testamur.domain.evidence import CriterionResult
    from testamur.domain.identifiers import CorrectionId

_COLUMNS = (
    Column("correction", rigid=True),
    Column("kind", rigid=True),
    Column("learner"),
    Column("what", below=True),
)
_FOUND_COLUMNS = (Column("learner"), Column("found", rigid=True), Column("what", below=True))


def list_corrections(found: "Iterable[tuple[CorrectionId, Correction]]") -> int:
    """Write corrections as a table, and return how many there are."""
    return screen().table(
        _COLUMNS,
        (
            [str(id_), each.proposed.kind, each.proposed.learner_id, what(each.proposed)]
            for id_, each in found
        ),
    )


def what(proposed: "CorrectionProposed") -> str:
    """Return in a few words what is not as it was."""
    if proposed.kind == "no-longer-eligible":
        return unmet(proposed.results_now)
    if proposed.kind == "now-eligible":
        return "reinstate it" if proposed.credential_id else "award it"
    said = {
        "full_name": f"name now {proposed.full_name or ERASED}",
        "context_name": f"context now {proposed.context_name}",
        "type_name": f"type now {proposed.type_name}",
        "issuer_name": f"issuer now {proposed.issuer_name}",
    }
    return "; ".join(said[each] for each in proposed.differs)


def correction_fields(correction: "Correction", name_then: str | None) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a correction.

    Args:
        correction: The correction.
        name_then: The name on the certificate; None where there is none, or it was erased.
    """
    proposed = correction.proposed
    yield "kind", proposed.kind
    yield "status", correction.status
    yield "learner", proposed.learner_id
    yield "credential", str(proposed.credential_id or "none yet")
    if "full_name" in proposed.differs:
        yield "name then", name_then or ERASED
        yield "name now", proposed.full_name or ERASED
    if proposed.context_name:
        yield "context now", proposed.context_name
    if proposed.type_name:
        yield "type now", proposed.type_name
    if proposed.issuer_name:
        yield "issuer now", proposed.issuer_name
    yield from (("then", _in_words(each)) for each in proposed.results_then)
    yield from (("now", _in_words(each)) for each in proposed.results_now)
    yield "found by", str(proposed.reconciliation_id)
    if correction.reason:
        yield "reason", correction.reason
    if correction.error:
        yield "failed", f"{many(correction.failures, 'time')}: {correction.error}"
    if correction.result:
        yield "result", f"credential {correction.result}"


def correction_document(id_: "CorrectionId", correction: "Correction") -> dict[str, Any]:
    """Return a correction for programs."""
    return {
        "correction_id": id_,
        "status": correction.status,
        **correction.proposed.model_dump(mode="json"),
        "reason": correction.reason,
        "failures": correction.failures,
        "error": correction.error,
        "result": correction.result,
    }


def show_found(found: "Iterable[Compared]", *, as_json: bool) -> None:
    """Write what a dry run finds, as it comes."""
    if as_json:
        for each in found:
            write_json_line(
                {
                    "learner_id": each.learner_id,
                    "apart": each.apart,
                    "detail": each.detail,
                    "findings": [
                        finding.model_dump(mode="json", exclude={"reconciliation_id"})
                        for finding in each.findings
                    ],
                }
            )
        return
    totals: Counter[str] = Counter()
    screen().table(_FOUND_COLUMNS, _found_rows(found, totals))
    told = ", ".join(f"{count:,} {kind}" for kind, count in totals.items())
    screen().say(f"{told or 'Everything is as it was'}. Nothing was written.")


def _found_rows(found: "Iterable[Compared]", totals: Counter[str]) -> Iterator[list[str]]:
    for each in found:
        for finding in each.findings:
            totals[finding.kind] += 1
            yield [each.learner_id, finding.kind, what(finding)]
        if each.apart:
            totals[each.apart] += 1
            yield [each.learner_id, each.apart, each.detail or ""]


def corrected_document(done: "Corrected") -> dict[str, Any]:
    """Return what became of accepted corrections, for programs."""
    return {
        "done": done.done,
        "dropped": done.dropped,
        "waiting": done.waiting,
        "not_done": done.not_done,
        "result": done.result,
    }


def say_corrected(done: "Corrected", *, quiet: bool = False) -> None:
    """Say what became of accepted corrections; what went wrong goes to stderr."""
    if not quiet:
        credential = f": credential {done.result}" if done.done == 1 and done.result else ""
        screen().say(f"Carried out {many(done.done, 'correction')}{credential}.")
    for each in done.not_done:
        warn(f"correction {each.correction_id}: learner {each.learner_id}: {each.why}")
    if done.waiting:
        warn(f"{many(done.waiting, 'correction')} could not be carried out yet; ticks try again")
    if done.dropped:
        warn(f"{many(done.dropped, 'correction')} cannot be carried out any more")


def _in_words(result: "CriterionResult") -> str:
    name = " ".join(filter(None, (result.step, result.criterion, result.category)))
    if result.required is None:
        return f"{name}: {'met' if result.met else 'not met'}"
    return f"{name}: {result.achieved} of {result.required}, {'met' if result.met else 'not met'}"
