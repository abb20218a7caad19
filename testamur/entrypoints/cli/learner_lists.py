"""Lists of learners: files with the id of one on each line."""

import sys
from pathlib import Path

from testamur.domain.errors import InvalidInput
from testamur.domain.identifiers import LearnerId, parse_learner_id


def learners_in(file: str) -> list[LearnerId]:
    """Return the learners that a file names, each once; empty lines are passed over.

    Args:
        file: Its path; ``-`` is stdin.

    Raises:
        InvalidInput: It cannot be read, a line is no learner's id, or there is none.
    """
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(
            "--learners", file, f"a readable file with one id on each line ({error.strerror})"
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput("--learners", file, "a text file in UTF-8") from None
    ids = {
        parse_learner_id(line.strip(), f"--learners, line {number}"): None
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip()
    }
    if not ids:
        raise InvalidInput("--learners", file, "a file with one id on each line; it names nobody")
    return list(ids)
