"""A row is judged once, when it comes in, and stored as it was written with what is wrong with it.

Runs beside the loop, mostly in another process; the common row passes in a few steps.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from services.ingest.lists.block import Block, BlockRecord, fields_of, told
from services.ingest.lists.opening import OpenList
from services.ingest.reading.columns import Column
from services.ingest.reading.csv_file import Record, read_csv
from services.ingest.reading.json_file import given_in_json, recipients_in
from services.ingest.reading.plain import plain_fields, plain_number
from services.ingest.reading.policy import Policy
from services.ingest.reading.rows import SURELY_FITS, CheckedRow, check_row
from services.ingest.uploading.marks import Marks, written
from services.ingest.uploading.sources import Source, check_cells

BLOCK_ROWS: Final = 1_000
BLOCK_CHARACTERS: Final = 512 * 1024
PORTION_BLOCKS: Final = 8


@dataclass(frozen=True, slots=True)
class Portion:
    blocks: list[BlockRecord]
    columns: tuple[Column, ...]
    """Those of the file; typed rows have none."""

    @property
    def rows(self) -> int:
        """Of the file so far."""
        return self.blocks[-1].last_row


@dataclass(slots=True)
class Filling:
    """A block that is being filled, and the number each of its rows is called on, if it is."""

    block: Block
    numbers: list[str] = field(default_factory=list)


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
        """Raises FileRefusedError or BodyRefusedError on the way."""
        with self.source.content.open() as file:
            if self.source.start is not None:
                elements = recipients_in(file, self.source.start)
                yield from self._portions((), filled_with_fields(elements, self.policy))
            else:
                table = read_csv(file)
                columns = self.source.columns(table.header)
                fillings = filled_with_cells(table.rows, columns, self.policy)
                yield from self._portions(columns, fillings)

    def _portions(
        self, columns: tuple[Column, ...], fillings: Iterable[Filling]
    ) -> Iterator[Portion]:
        seal, marks = self.opened.seal, Marks(self.opened.key)
        blocks = list[BlockRecord]()
        for filling in fillings:
            block = filling.block
            accepted, rows = block.accepted, len(block.written)
            of = marks.of if accepted == rows else marks.at_places
            blocks.append(
                BlockRecord(
                    first_row=block.first_row,
                    last_row=block.first_row + rows - 1,
                    accepted=accepted,
                    rejected=len(block.errors),
                    marks=written(of(filling.numbers)),
                    sealed=seal.close(block),
                )
            )
            if len(blocks) == PORTION_BLOCKS:
                yield Portion(blocks, columns)
                blocks = []
        if blocks:
            yield Portion(blocks, columns)


def filled_with_cells(
    records: Iterable[Record], columns: tuple[Column, ...], policy: Policy
) -> Iterator[Filling]:
    """Most rows are sound; `check_row` says what is wrong with the others."""
    sound, width = plain_number(columns, policy), len(columns)
    filling, characters = Filling(Block(columns)), 0
    block, numbers = filling.block, filling.numbers
    lines, cells_of = block.lines, block.written
    for line, cells in records:
        length = sum(map(len, cells))
        number = sound(cells) if len(cells) == width and length <= SURELY_FITS else None
        if number is None:
            row = block.first_row + len(lines)
            number = _judged(filling, check_cells(row, line, cells, columns, policy))
        lines.append(line)
        cells_of.append(cells)
        numbers.append(number)
        characters += length
        if len(lines) == BLOCK_ROWS or characters >= BLOCK_CHARACTERS:
            yield filling
            filling, characters = Filling(Block(columns, block.first_row + len(lines))), 0
            block, numbers = filling.block, filling.numbers
            lines, cells_of = block.lines, block.written
    if lines:
        yield filling


def filled_with_fields(elements: Iterable[Any], policy: Policy) -> Iterator[Filling]:
    """The same for recipients of a JSON body."""
    sound = plain_fields(policy)
    filling, characters = Filling(Block(())), 0
    for row, element in enumerate(elements, start=1):
        block = filling.block
        number, fields = sound(element), element
        length = 0 if number is None else _characters(fields)
        if number is None or length > SURELY_FITS:
            given = given_in_json(element, row)
            number, fields = _judged(filling, check_row(row, None, given, policy)), fields_of(given)
            length = _characters(fields)
        block.lines.append(None)
        block.written.append(fields)
        filling.numbers.append(number)
        characters += length
        if len(block.lines) == BLOCK_ROWS or characters >= BLOCK_CHARACTERS:
            yield filling
            filling, characters = Filling(Block((), row + 1)), 0
    if filling.block.lines:
        yield filling


def _judged(filling: Filling, checked: CheckedRow) -> str:
    """The number it is called on; empty, and what is wrong is told, where it is not."""
    if checked.accepted:
        return checked.phone_number
    filling.block.errors[len(filling.block.lines)] = told(checked.errors)
    return ""


def _characters(fields: dict[str, Any]) -> int:
    """Of what may be long: keys and values of variables and settings."""
    said = len(fields["phone_number"]) + len(fields.get("name") or "")
    for group in (fields.get("variables"), fields.get("settings")):
        if group:
            said += sum(map(len, group)) + sum(map(len, group.values()))
    return said
