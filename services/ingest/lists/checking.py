"""A row is judged once, when it comes in, and stored as it was written with what is wrong with it.

Runs beside the loop, mostly in another process.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from services.ingest.lists.block import ListRow, Stored, stored, told
from services.ingest.lists.opening import OpenList
from services.ingest.marks import Marks
from services.ingest.reading.columns import Column
from services.ingest.reading.csv_file import Record, read_csv
from services.ingest.reading.json_file import given_in_json, recipients_in
from services.ingest.reading.plain import plain_number
from services.ingest.reading.policy import Policy
from services.ingest.reading.rows import Given, check_row
from services.ingest.sources import Source, check_cells

BLOCK_ROWS: Final = 1_000
BLOCK_CHARACTERS: Final = 512 * 1024
PORTION_BLOCKS: Final = 4

BlockRecord: TypeAlias = tuple[int, int, list[int], int, list[int], bytes]
"""First row, last row, the accepted ones, how many were rejected, marks, and all rows sealed."""
Judged: TypeAlias = tuple[Stored, str | None, int]
"""A row to be stored, its number if it was accepted, and its characters."""


@dataclass(frozen=True, slots=True)
class Portion:
    blocks: list[BlockRecord]
    rows: int
    columns: tuple[Column, ...]
    """Those of the file; typed rows have none."""


@dataclass(slots=True)
class Filling:
    """A block that is being filled."""

    rows: list[Stored] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    """Of those accepted."""
    characters: int = 0


@dataclass(frozen=True, slots=True)
class ListJob:
    """A file or a body on its way into a list; it can be handed to another process."""

    source: Source
    policy: Policy
    opened: OpenList

    @property
    def size(self) -> int:
        return self.source.content.size

    def portions(self) -> Iterator[Portion]:
        """Raises FileRefusedError or RequestValidationError on the way."""
        with self.source.content.open() as file:
            if self.source.start is not None:
                elements = recipients_in(file, self.source.start)
                yield from self._portions((), typed(elements, self.policy))
                return
            table = read_csv(file)
            columns = self.source.columns(table.header)
            yield from self._portions(columns, written(table.rows, columns, self.policy))

    def _portions(self, columns: Sequence[Column], judged: Iterable[Judged]) -> Iterator[Portion]:
        seal, marks = self.opened.seal, Marks(self.opened.key)
        blocks = list[BlockRecord]()
        for it in filled(judged):
            first, last = it.rows[0][0], it.rows[-1][0]
            rejected = len(it.rows) - len(it.accepted)
            sealed = seal.close(columns, it.rows)
            blocks.append((first, last, it.accepted, rejected, marks.of(it.numbers), sealed))
            if len(blocks) == PORTION_BLOCKS:
                yield Portion(blocks, last, tuple(columns))
                blocks = []
        if blocks:
            yield Portion(blocks, blocks[-1][1], tuple(columns))


def written(
    records: Iterable[Record], columns: Sequence[Column], policy: Policy
) -> Iterator[Judged]:
    """Most rows are sound, and pass in a few steps; `check_row` says what is wrong with others."""
    sound, width = plain_number(columns, policy), len(columns)
    for row, (line, cells) in enumerate(records, start=1):
        if len(cells) == width and (number := sound(cells)):
            yield (row, line, cells, None), number, sum(map(len, cells))
        else:
            checked = check_cells(row, line, cells, columns, policy)
            number = checked.phone_number if checked.accepted else None
            yield (row, line, cells, told(checked.errors)), number, sum(map(len, cells))


def typed(elements: Iterable[Any], policy: Policy) -> Iterator[Judged]:
    for row, element in enumerate(elements, start=1):
        given = given_in_json(element, row)
        checked = check_row(row, None, given, policy)
        number = checked.phone_number if checked.accepted else None
        yield stored(ListRow(row, None, given, checked.errors)), number, _characters(given)


def filled(judged: Iterable[Judged]) -> Iterator[Filling]:
    filling = Filling()
    for row, number, characters in judged:
        filling.rows.append(row)
        if number:
            filling.accepted.append(row[0])
            filling.numbers.append(number)
        filling.characters += characters
        if len(filling.rows) == BLOCK_ROWS or filling.characters >= BLOCK_CHARACTERS:
            yield filling
            filling = Filling()
    if filling.rows:
        yield filling


def _characters(given: Given) -> int:
    texts = (given.phone_number, given.name, *given.settings.values())
    return sum(map(len, texts)) + sum(len(k) + len(v) for k, v in given.variables.items())
