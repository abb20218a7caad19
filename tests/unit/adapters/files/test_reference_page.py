"""The reference page says what the schema says."""

from pathlib import Path

import pytest

from testamur.adapters.files.batches import LONGEST_ROW_BYTES
from testamur.adapters.files.folder import SUFFIXES
from testamur.adapters.files.tables import TABLES, Table
from testamur.adapters.files.values import MOST_DECIMALS, MOST_WHOLE_DIGITS

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "data-files.md"


def section(table: Table) -> str:
    """Return how the page must begin a table's section."""
    rows = [
        f"| `{column.name}` | {'optional' if column.optional else 'needed'} "
        f"| {column.kind.allowed} |"
        for column in table.columns
    ]
    once = ", and for each ".join(key.of for key in table.keys)
    return "\n".join(
        [
            f"### {table.name}",
            "",
            f"{'Required' if table.required else 'Optional'}. One row for each {once}.",
            "",
            "| Column | | Allowed |",
            "| --- | --- | --- |",
            *rows,
        ]
    )


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_page_has_the_columns_of_each_table(table: Table) -> None:
    assert section(table) + "\n" in PAGE.read_text(encoding="utf-8")


def test_the_page_has_no_other_tables() -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = page.partition("## Tables")[2].partition("\n## ")[0]
    sections = [line.removeprefix("### ") for line in tables.splitlines() if line[:4] == "### "]

    assert sections == list(TABLES)


def test_the_page_says_how_large_things_may_be() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert f"{LONGEST_ROW_BYTES // 1024} KiB" in page
    assert f"{MOST_WHOLE_DIGITS} digits before the point and {MOST_DECIMALS} after it" in page
    assert all(f"`NAME{suffix}`" in page for suffix in SUFFIXES)
