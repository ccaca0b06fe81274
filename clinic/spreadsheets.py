"""How a table leaves the clinic as a file: as text that no spreadsheet takes for a formula."""

import csv
from collections.abc import Iterable, Sequence
from typing import Final

from django.http import HttpResponse

# OWASP, CSV injection: what a cell may not begin with; the wide forms are typed on East Asian keyboards.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_file(name: str, rows: Iterable[Sequence[str | float | None]]) -> HttpResponse:
    """A download; numbers stay numbers, None is an empty cell. The mark before it all tells Excel that it is UTF-8."""
    response = HttpResponse(
        "\ufeff",
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )
    csv.writer(response).writerows([_cell(value) for value in row] for row in rows)
    return response


def _cell(value: str | float | None) -> str | float | None:
    """Text that would begin a formula gets an apostrophe before it."""
    is_formula = isinstance(value, str) and value.lstrip(" ").startswith(_FORMULAS)
    return f"'{value}" if is_formula else value
