"""No cell of a CSV runs as a formula in the spreadsheet that opens it (OWASP, CSV injection).

A cell that could is given a leading apostrophe; a number with its sign, such as `+4930123456` or
`-5`, is no formula and stays as it is, since programs read these files, too.
"""

import re
from typing import Final

_UNSEEN: Final = "\\s\ufeff\u200b-\u200d\u2060\x00-\x1f"
_BEGINS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
"""As they are, in full width and small: spreadsheets take them for the same."""
_FORMULA: Final = re.compile(f"[\t\r\n]|[{_UNSEEN}]*[{_BEGINS}]")
_NUMBER: Final = re.compile(r"[+-][0-9]+([.,][0-9]+)?")


def harmless(cell: str) -> str:
    if cell[:1].isalnum() or _NUMBER.fullmatch(cell) or not _FORMULA.match(cell):
        return cell
    return f"'{cell}"
