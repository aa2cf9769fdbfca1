"""SQL stands in .sql files under names; a misspelt name fails at once, tests prepare every query.

A file is a sequence of `-- name: what_it_gives` headings, each followed by one statement.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from chassis.postgres import Connection

_HEADING = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


class Queries:
    """`queries.some_name` is the text of that query."""

    def __init__(self, texts: Mapping[str, str], origin: str) -> None:
        self._texts = texts
        self._origin = origin

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"no query named {name!r} in {self._origin}") from None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._texts.items())


def load_queries(beside: str | Path, file: str = "queries.sql") -> Queries:
    """The queries next to a module: `load_queries(__file__)`; or those of a .sql file itself."""
    path = Path(beside)
    path = path if path.suffix == ".sql" else path.parent / file
    texts: dict[str, str] = {}
    _, *parts = _HEADING.split(path.read_text("utf-8"))
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        if name in texts:
            raise ValueError(f"{path.name} has two queries named {name!r}")
        texts[name] = text.strip().rstrip(";")
    return Queries(texts, path.name)


async def check_queries(conn: Connection, queries: Queries) -> None:
    """Prepares each query on a migrated database: names, columns and parameters must be right."""
    for name, text in queries:
        try:
            await conn.prepare(text)
        except Exception as error:
            error.add_note(f"in the query {name!r}")
            raise
