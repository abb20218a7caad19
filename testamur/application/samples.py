"""Samples: invented learners whose certificates show how a design copes with the world's names."""

from dataclasses import dataclass
from typing import Final

#: Bounds of the pixels to the inch of pictures: fewer show nothing, and printers show no more.
LEAST_DPI: Final = 36
MOST_DPI: Final = 600


@dataclass(frozen=True, slots=True)
class Sample:
    """An invented learner.

    The names are put together from common ones; none was taken from a person.

    Args:
        slug: What tells it from the others, for file names: its language, and what is special.
        name: The full name.
        language: Language tag (BCP 47); dates are written in it.
        shows: What it is there for, for people to read.
        two_lines: Whether the name of the course has a line break.
    """

    slug: str
    name: str
    language: str
    shows: str
    two_lines: bool = False


SAMPLES: Final = (
    Sample("en", "Grace Whitfield", "en", "Latin"),
    Sample("pl", "Jędrzej Dąbrowski", "pl", "Latin, Polish"),
    Sample("vi", "Nguyễn Thị Phượng", "vi", "Latin, Vietnamese"),
    Sample("is", "Ragnheiður Þórðardóttir", "is", "Latin, Icelandic"),
    Sample("tr", "Işıl Yiğit Öztürk", "tr", "Latin, Turkish"),
    Sample("el", "Αικατερίνη Νικολαΐδου", "el", "Greek"),
    Sample("uk", "Євгенія Ґудзь", "uk", "Cyrillic"),
    Sample("ar", "فاطمة الزهراني", "ar", "Arabic"),
    Sample("he", "אביגיל בן־דוד", "he", "Hebrew"),
    Sample("hi", "श्रुति द्विवेदी", "hi", "Devanagari"),
    Sample("th", "น้ำฝน ทรัพย์เจริญ", "th", "Thai"),
    Sample("zh", "欧阳思远", "zh", "Chinese"),
    Sample("ja", "長谷川 ひなた", "ja", "Japanese"),
    Sample("ko", "남궁서연", "ko", "Korean"),
    Sample("en-short", "Bo", "en", "very short"),
    Sample(
        "pt-BR-long",
        "Maria Antônia Conceição Magalhães Guimarães Assunção Brandão de Nóbrega",
        "pt-BR",
        "very long",
    ),
    Sample("en-mixed", "Naomi Carter (نعومي الخطيب)", "en", "both directions"),
)

#: Added where what it is for is not known yet: its name might have two lines.
TWO_LINES: Final = Sample("en-lines", "Grace Whitfield", "en", "two lines", two_lines=True)


def samples_for(
    name: str | None, language: str | None, default_language: str
) -> tuple[Sample, ...]:
    """Return the samples that were asked for.

    Args:
        name: Only this learner; None: the invented ones.
        language: Of the learner; without a name, only the samples of this language, or where there
            is none, the first one in it.
        default_language: The installation's, for a name that comes without one.
    """
    if name is not None:
        chosen = language or default_language
        return (Sample(chosen, name, chosen, "as given"),)
    if language is None:
        return SAMPLES
    first, *_ = SAMPLES
    return tuple(each for each in SAMPLES if _speaks(each.language, language)) or (
        Sample(language, first.name, language, first.shows),
    )


def _speaks(tag: str, language: str) -> bool:
    wanted = language.lower().replace("_", "-")
    return tag.lower() == wanted or tag.lower().startswith(f"{wanted}-")
