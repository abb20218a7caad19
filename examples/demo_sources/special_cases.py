"""The learners of the sample who are there to be difficult: unusual names, borderline results."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from examples.demo_sources.courses import (
    LESSON,
    PATHWAY,
    PYTHON,
    RESEARCH_DATA,
    STATISTICS,
    Graded,
    Work,
    graded,
)


@dataclass(frozen=True)
class SpecialCase:
    """A learner with something special.

    Args:
        what: What is special, and what is to come of it.
        full_name: The name.
        language: Language tag, or "" where it is not known.
        work: What the learner did, by context key.
        has_email: Whether there is an address.
        active: Whether the account is active.
        refused: Why no document can be made, if none can: ``no-name`` or ``missing-glyph``.
    """

    what: str
    full_name: str
    language: str
    work: Mapping[str, Work] = field(default_factory=dict)
    has_email: bool = True
    active: bool = True
    refused: str = ""


ALL_POINTS = {
    STATISTICS.key: graded(STATISTICS, Homework=("10",) * 4, Exam=("100",)),
    PYTHON.key: graded(PYTHON, Quiz=("20",) * 3, Project=("50",) * 2),
}


def completed(*keys: str) -> dict[str, Work]:
    """Return work that leaves nothing to be desired in the contexts with these keys."""
    return {key: Work(None if key == PATHWAY else "1", ALL_POINTS.get(key, ())) for key in keys}


def in_statistics(*rows: Graded) -> dict[str, Work]:
    """Return work in statistics with these points."""
    return {STATISTICS.key: Work("0.75", rows)}


def in_pathway(research_data: str, statistics: str, python: str) -> dict[str, Work]:
    """Return work in the pathway with these completions of its courses, and no points."""
    return {
        RESEARCH_DATA.key: Work(research_data),
        STATISTICS.key: Work(statistics),
        PYTHON.key: Work(python),
        PATHWAY: Work(),
    }


DATA = RESEARCH_DATA.key
HALF_OF_HOMEWORK = ("5.5", "5.5", "6", "5")

NAMES = (
    SpecialCase("no name: refused", "", "pl", completed(DATA), refused="no-name"),
    SpecialCase(
        "a character that no font has: refused",
        "Grace 🎓 Bennett",
        "en",
        completed(DATA, LESSON),
        refused="missing-glyph",
    ),
    SpecialCase(
        "very long: shrinks to fit",
        "María de los Ángeles Concepción Fernández de Córdoba y Álvarez de Villanueva",
        "es",
        completed(DATA, PATHWAY, STATISTICS.key, PYTHON.key),
    ),
    SpecialCase(
        "very long: shrinks to fit",
        "Maria Antônia da Conceição Guimarães de Magalhães Nóbrega e Assunção Galvão",
        "pt-BR",
        completed(STATISTICS.key),
    ),
    SpecialCase("one word", "Wulandari", "id", completed(PYTHON.key)),
    SpecialCase("very short", "Bo Li", "en", completed(DATA, LESSON)),
    SpecialCase("typographic apostrophe", "Siobhán O’Sullivan", "en", completed(DATA)),
    SpecialCase(
        "plain apostrophe and hyphens", "Anne-Sophie D'Arcy-Lefèvre", "fr", completed(DATA)
    ),
    SpecialCase("looks like a placeholder", "Nora {nb} Ellis", "en", completed(DATA)),
    SpecialCase("braces as in templates", "Szymon }} Żak {{", "pl", completed(STATISTICS.key)),
    SpecialCase(
        "letters and accents apart (NFD)",
        unicodedata.normalize("NFD", "Łucja Gąsior-Brzęk"),
        "pl",
        completed(DATA, PATHWAY, STATISTICS.key, PYTHON.key),
    ),
    SpecialCase(
        "letters and accents apart (NFD)",
        unicodedata.normalize("NFD", "Đặng Thị Phượng"),
        "vi",
        completed(PYTHON.key),
    ),
    SpecialCase("right to left with a Latin initial", "محمد J. الخطيب", "ar", completed(DATA)),
    SpecialCase("brackets in both directions", "Layla Haddad (ليلى حداد)", "en", completed(DATA)),
    SpecialCase("zero-width non-joiner", "نازنین\u200cزهرا کریمی", "fa", completed(DATA)),
    SpecialCase("character beyond U+FFFF", "𠮷野 遥", "ja", completed(DATA)),
    SpecialCase("language not known", "山本 Hannah", "", completed(PYTHON.key)),
    SpecialCase(
        "no e-mail address: issued, not told",
        "Rüdiger Großmann",
        "de",
        completed(DATA),
        has_email=False,
    ),
    SpecialCase(
        "inactive account: issued, not told",
        "Þórunn Árnadóttir",
        "is",
        completed(DATA, PYTHON.key),
        active=False,
    ),
)

RESULTS = (
    SpecialCase(
        "unenrolled with everything reached: not eligible",
        "Ondřej Růžička",
        "cs",
        {key: Work("1", ALL_POINTS.get(key, ()), enrolled=False) for key in (DATA, PYTHON.key)},
    ),
    SpecialCase("completion exactly 0.9: eligible", "İpek Işık", "tr", {DATA: Work("0.9")}),
    SpecialCase("completion 0.899: not eligible", "Çağrı Yıldırım", "tr", {DATA: Work("0.899")}),
    SpecialCase(
        "completion 0.8999999999: not eligible", "Ümit Güneş", "tr", {DATA: Work("0.8999999999")}
    ),
    SpecialCase("no completion recorded: not eligible", "Jörg Vogel", "de", {DATA: Work()}),
    SpecialCase(
        "total exactly 0.55: eligible",
        "Αγγελική Οικονόμου",
        "el",
        in_statistics(*graded(STATISTICS, Homework=HALF_OF_HOMEWORK, Exam=("55",))),
    ),
    SpecialCase(
        "one point below a total of 0.55: not eligible",
        "Ζωή Μακρή",
        "el",
        in_statistics(*graded(STATISTICS, Homework=HALF_OF_HOMEWORK, Exam=("54",))),
    ),
    SpecialCase(
        "half a point below in the homework: not eligible",
        "Ηλίας Μακρής",
        "el",
        in_statistics(*graded(STATISTICS, Homework=("5.5", "5.5", "6", "4.5"), Exam=("55",))),
    ),
    SpecialCase(
        "every category reached, the total not: not eligible",
        "Cécile Forêt",
        "fr",
        in_statistics(*graded(STATISTICS, Homework=("4",) * 4, Exam=("50",))),
    ),
    SpecialCase(
        "the total reached, a category not: not eligible",
        "Loïc Pélissier",
        "fr",
        in_statistics(*graded(STATISTICS, Homework=("3", "3", "3", "3"), Exam=("100",))),
    ),
    SpecialCase(
        "no exam: not eligible",
        "Markéta Šimková",
        "cs",
        in_statistics(*graded(STATISTICS, Homework=("10",) * 4)),
    ),
    SpecialCase(
        "an exam worth no points: not eligible",
        "Vojtěch Hájek",
        "cs",
        in_statistics(
            *graded(STATISTICS, Homework=("10",) * 4), Graded("Exam", "exam-1", "0", "0")
        ),
    ),
    SpecialCase(
        "categories in another case: eligible",
        "Réka Szűcs",
        "hu",
        in_statistics(*graded(STATISTICS, HOMEWORK=("8",) * 4, exam=("71",))),
    ),
    SpecialCase(
        "a category without a weight counts for nothing: eligible",
        "Győző Bíró",
        "hu",
        in_statistics(
            *graded(STATISTICS, Homework=HALF_OF_HOMEWORK, Exam=("55",)),
            Graded("Bonus", "bonus-1", "0", "10"),
        ),
    ),
    SpecialCase(
        "a category without a weight helps nobody: not eligible",
        "Csilla Kőműves",
        "hu",
        in_statistics(
            *graded(STATISTICS, Homework=HALF_OF_HOMEWORK, Exam=("54",)),
            Graded("Bonus", "bonus-1", "10", "10"),
        ),
    ),
    SpecialCase(
        "completion and total exactly as required: eligible",
        "Леся Їжакевич",
        "uk",
        {PYTHON.key: Work("0.8", graded(PYTHON, Quiz=("12",) * 3, Project=("30", "30")))},
    ),
    SpecialCase(
        "all points, completion short of it: not eligible",
        "Жељко Џамић",
        "sr",
        {PYTHON.key: Work("0.78", ALL_POINTS[PYTHON.key])},
    ),
    SpecialCase(
        "all points, no completion recorded: not eligible",
        "Његош Љубић",
        "sr",
        {PYTHON.key: Work(None, ALL_POINTS[PYTHON.key])},
    ),
    SpecialCase(
        "completed, no points recorded: not eligible", "Вяра Цанева", "bg", {PYTHON.key: Work("1")}
    ),
    SpecialCase(
        "pathway, every step exactly as required: eligible",
        "Ngô Thị Hạnh",
        "vi",
        in_pathway("0.8", "0.75", "0.8"),
    ),
    SpecialCase(
        "pathway, one step short of it: not eligible",
        "Bùi Văn Đạt",
        "vi",
        in_pathway("1", "0.749", "1"),
    ),
    SpecialCase(
        "pathway, one course not taken: not eligible",
        "Luíza Brandão Falcão",
        "pt-BR",
        completed(PATHWAY, DATA, PYTHON.key),
    ),
    SpecialCase(
        "pathway, one course left: not eligible",
        "Fábio Simões Araújo",
        "pt-BR",
        completed(PATHWAY, DATA, PYTHON.key)
        | {STATISTICS.key: Work("1", ALL_POINTS[STATISTICS.key], enrolled=False)},
    ),
    SpecialCase(
        "all courses completed, pathway left: not eligible for it",
        "Íñigo Ibáñez Peña",
        "es",
        completed(DATA, STATISTICS.key, PYTHON.key) | {PATHWAY: Work(enrolled=False)},
    ),
)

SPECIAL_CASES = NAMES + RESULTS
