"""Nobody who would be found in a block is passed over with it."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.lists.block import Block, ListSeal, fields_of
from services.ingest.lists.searching import Search
from services.ingest.reading.columns import columns_of
from services.ingest.reading.rows import Given

SEAL = ListSeal(UUID(int=1), bytes(32))
TEXTS = st.text(st.sampled_from('aÄßİ\u0301"\\\t\n\u2009 +-/().12e'), max_size=6)
COLUMNS = columns_of(("phone", "name"))


def written(block: Block) -> str:
    return SEAL.text(SEAL.close(block)).decode()


@given(
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4),
    TEXTS,
    st.sampled_from(["cells", "fields"]),
)
def test_a_block_is_read_if_anybody_in_it_is_found(
    people: list[tuple[str, str]], wanted: str, written_as: str
) -> None:
    block = Block(COLUMNS)
    for phone, name in people:
        block.lines.append(None)
        block.written.append(
            [phone, name] if written_as == "cells" else fields_of(Given(phone, name))
        )
    search = Search(wanted)
    if any(search.finds(row.given) for row in block):
        assert search.may_find(written(block))


@pytest.mark.parametrize("wanted", ["bob", "999", "2025550199"])
def test_a_block_without_anybody_wanted_is_not_taken_apart(wanted: str) -> None:
    block = Block(COLUMNS, 1, [2], [["+1 (202) 555-0123", "Ann"]])
    assert not Search(wanted).may_find(written(block))
    assert Search("202-555 01").may_find(written(block))
    assert Search("ANN").may_find(written(block))
