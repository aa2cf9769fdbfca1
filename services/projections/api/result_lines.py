"""Results as bytes: RFC 4180 with a header that never changes, or an object of JSON a line."""

import csv
import io
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Protocol

from pydantic_core import from_json, to_json

from services.projections.domain.result import OURS, Result, cells_of, columns_of

BOM = "\ufeff"


class Lines(Protocol):
    media_type: str

    def head(self) -> bytes: ...

    def lines(self, results: Iterable[Result]) -> bytes: ...


class CsvLines:
    media_type = "text/csv; charset=utf-8"

    def __init__(self, variables: Sequence[str], *, bom: bool = False) -> None:
        self._variables = variables
        self._header = _lines([columns_of(variables)])
        self._mark = BOM if bom else ""

    @property
    def columns(self) -> str:
        """What two parts of one file have in common."""
        return sha256(self._header).hexdigest()

    def head(self) -> bytes:
        return self._mark.encode() + self._header

    def lines(self, results: Iterable[Result]) -> bytes:
        return _lines(cells_of(result, self._values(result)) for result in results)

    def _values(self, result: Result) -> list[str | None]:
        given = from_json(result.variables) if result.variables else {}
        return [given.get(name) for name in self._variables]


class JsonLines:
    media_type = "application/jsonl; charset=utf-8"

    def head(self) -> bytes:
        return b""

    def lines(self, results: Iterable[Result]) -> bytes:
        return b"".join(to_json(_as_object(result)) + b"\n" for result in results)


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _as_object(result: Result) -> dict[str, Any]:
    said: dict[str, Any] = dict(zip(OURS, result, strict=False))
    amount, currency = said["cost"], said.pop("currency")
    said["cost"] = None if amount is None else {"amount": amount, "currency": currency}
    said["collected"] = result.collected and from_json(result.collected)
    said["variables"] = from_json(result.variables) if result.variables else {}
    return said
