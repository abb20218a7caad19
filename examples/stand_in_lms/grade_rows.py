"""Rows of the gradebook as JSON, put together from parts that are written once."""

from decimal import Decimal
from json.encoder import encode_basestring

from examples.stand_in_lms.catalogue import Course
from examples.stand_in_lms.work import Points, Work

Part = tuple[float, str]
"""A subsection of one learner: its fraction, and its JSON."""


class GradeRows:
    """Writes the gradebook rows of one course.

    Args:
        course: The course.
    """

    def __init__(self, course: Course) -> None:
        self.course = course
        self._parts: tuple[dict[tuple[Points, Decimal], Part], ...] = tuple(
            {} for _ in course.graded
        )
        # Most learners have the usual points, and looking a pair up takes twice as long.
        self._usual: tuple[dict[Points, Part], ...] = tuple({} for _ in course.graded)
        self._rules = [
            (
                float(each.weight or 0),
                each.dropped or 0,
                max(each.count or 0, 1),
                [
                    place
                    for place, subsection in enumerate(course.graded)
                    if subsection.category == each.type and subsection.possible
                ],
            )
            for each in course.policy
        ]

    def row(self, start: str, name_fields: str, work: Work) -> str:
        """Return a row.

        Args:
            start: Its first fields as JSON, with the brace that opens it.
            name_fields: Fields after the grade, each with a comma before it.
            work: What the learner did.
        """
        parts = self.parts(work)
        percent = self.percent(parts)
        breakdown = ",".join([json for _, json in parts])
        return f'{start},"percent":{percent}{name_fields},"section_breakdown":[{breakdown}]}}'

    def parts(self, work: Work) -> list[Part]:
        """Return what the row says of each graded subsection."""
        if work.possible is self.course.possible:
            return [
                cache.get(earned) or self._usual_part(place, earned)
                for place, (cache, earned) in enumerate(zip(self._usual, work.earned, strict=True))
            ]
        found = []
        for place, key in enumerate(zip(work.earned, work.possible, strict=True)):
            part = self._parts[place].get(key)
            if part is None:
                part = self._parts[place][key] = self._written(place, *key)
            found.append(part)
        return found

    def percent(self, parts: list[Part]) -> float:
        """Return the grade that the platform itself computes: stored, and rounded."""
        total = 0.0
        for weight, dropped, count, places in self._rules:
            shares = sorted([parts[place][0] for place in places], reverse=True)
            kept = max(len(shares), count) - dropped
            if kept > 0:
                total += weight * sum(shares[:kept]) / kept
        return round(total + 1e-10, 2)

    def averages(self, parts: list[Part]) -> list[tuple[str, float]]:
        """Return the average of each assignment type of the policy, as the platform has it."""
        averages = []
        for each, (_, dropped, count, places) in zip(self.course.policy, self._rules, strict=True):
            shares = sorted([parts[place][0] for place in places], reverse=True)
            kept = max(max(len(shares), count) - dropped, 1)
            averages.append((each.type, sum(shares[:kept]) / kept))
        return averages

    def _usual_part(self, place: int, earned: Points) -> Part:
        part = self._usual[place][earned] = self._written(
            place, earned, self.course.possible[place]
        )
        return part

    def _written(self, place: int, earned: Points, possible: Decimal) -> Part:
        subsection = self.course.graded[place]
        attempted = earned is not None
        # What was not attempted is served as 0 of 0, whatever it is worth.
        shown_earned, shown_possible = (float(earned or 0), float(possible if attempted else 0))
        share = shown_earned / shown_possible if shown_possible else 0.0
        json = (
            f'{{"attempted":{"true" if attempted else "false"},'
            f'"category":{encode_basestring(str(subsection.category))},'
            f'"label":{encode_basestring(self.course.labels[place])},'
            f'"percent":{round(share, 4)},'
            f'"module_id":{encode_basestring(subsection.block_key)},'
            f'"score_earned":{shown_earned},'
            f'"score_possible":{shown_possible},'
            f'"subsection_name":{encode_basestring(subsection.name)}}}'
        )
        return share, json
