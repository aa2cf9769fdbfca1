"""No cell runs as a formula, and no number or text is spoilt for it."""

import pytest

from services.projections.domain.formulas import harmless
from services.projections.domain.result import OURS, columns_of

FORMULAS = (
    "=1+1", '=HYPERLINK("http://evil.test","x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "=",
    "+", "-", "@", "\t=1", "\tcell", "\r=1", "\ncell", " =1", "\u00a0=1", "\u200b=1", "\ufeff=1",
    "\uff1d1+1", "\uff0b1+1", "\uff0d1+1", "\uff20A1", "\ufe661", "-5abc", "+49 30 1234",
    "+4930-1", "- 5", "--5", "-.5", "+\u0664\u0669",
)  # fmt: skip
AS_THEY_ARE = (
    "", "Anna", "a=b", "+4930123456", "-5", "+5", "-5.25", "-5,25", "5-3", "12:30", "'quoted'",
    "#1", "(1)", '"=1"', "a\n=1", "\u0663", "École", "x@example.test", " x",
)  # fmt: skip


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_a_spreadsheet_would_run_is_made_a_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", AS_THEY_ARE)
def test_what_it_would_not_run_stays_as_it_is(cell: str) -> None:
    assert harmless(cell) == cell


def test_a_variable_called_like_a_column_of_ours_is_told_apart() -> None:
    own = columns_of(["plan", "status", "variable_status", "row", "=x", "'=x"])[len(OURS) :]
    assert own == [
        "plan", "variable_variable_status", "variable_status", "variable_row", "'=x",
        "variable_'=x",
    ]  # fmt: skip
