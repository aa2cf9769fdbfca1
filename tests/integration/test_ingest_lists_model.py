"""Whatever is done to a list, in whatever order, it holds what a plain Python list would hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.lists import answers, checking
from tests.desk import Json
from tests.examples import examples
from tests.list_desk import ListDesk, counts, file, number

GOOD = {number(n)[plus:]: number(n) for n in range(3) for plus in (0, 1)}
"""As written, and as called; with and without its plus it is the same number."""
WRITTEN = [*GOOD, "12-34", "x", ""]


@dataclass
class Model:
    rows: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Number and name, as written, by the number of the row."""
    last: int = 0

    def add(self, people: Sequence[tuple[str, str]]) -> None:
        for one in people:
            self.last += 1
            self.rows[self.last] = one

    @property
    def accepted(self) -> dict[int, str]:
        return {row: GOOD[phone] for row, (phone, _) in self.rows.items() if phone in GOOD}

    @property
    def twins(self) -> dict[int, int]:
        """The first row of the same number, of all that have an earlier one."""
        first: dict[str, int] = {}
        found = {row: first.setdefault(phone, row) for row, phone in sorted(self.accepted.items())}
        return {row: earlier for row, earlier in found.items() if earlier != row}

    @property
    def counts(self) -> tuple[int, int, int]:
        accepted = len(self.accepted)
        return accepted, len(self.rows) - accepted, len(self.twins)

    def shown(self) -> list[tuple[Any, ...]]:
        accepted, twins = self.accepted, self.twins
        return [
            (row, accepted.get(row, phone), name, row in accepted, twins.get(row))
            for row, (phone, name) in sorted(self.rows.items())
        ]


def seen(rows: Sequence[Json]) -> list[tuple[Any, ...]]:
    twins = {
        row["row"]: int(warning["message"].split()[1])
        for row in rows
        for warning in row["warnings"]
        if warning["code"] == "duplicate_number"
    }
    return [
        (it["row"], it["phone_number"], it["name"], it["state"] == "accepted", twins.get(it["row"]))
        for it in rows
    ]


PEOPLE = st.lists(st.tuples(st.sampled_from(WRITTEN), st.sampled_from(["Ann", "Bob"])), min_size=1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["file", "typed"]), PEOPLE),
        st.tuples(st.just("mend"), st.tuples(st.integers(1, 30), st.sampled_from(WRITTEN))),
        st.tuples(st.just("dry run"), st.tuples(st.integers(1, 30), st.sampled_from(WRITTEN))),
        st.tuples(st.just("remove"), st.integers(1, 30)),
    ),
    max_size=12,
)


async def step(lists: ListDesk, list_id: str, model: Model, what: str, how: Any) -> None:
    match what, how:
        case (("file" | "typed"), people):
            model.add(people)
            assert counts(await lists.take(request(what, people), list_id)) == model.counts
        case "remove", row:
            answer = await lists.remove(list_id, row)
            assert answer.status_code == (204 if row in model.rows else 404)
            model.rows.pop(row, None)
        case _, (row, phone):
            answer = await lists.mend(list_id, row, dry_run=what == "dry run", phone_number=phone)
            right = 200 if phone in GOOD else 422
            assert answer.status_code == (right if row in model.rows else 404)
            if answer.status_code == 200 and what == "mend":
                model.rows[row] = phone, model.rows[row][1]
            if answer.status_code == 200:
                assert counts(answer.json()["list"]) == model.counts


def request(what: str, people: Sequence[tuple[str, str]]) -> Json:
    if what == "typed":
        return {"json": {"recipients": [{"phone": phone, "name": name} for phone, name in people]}}
    return file("phone,name", *(f"{phone},{name}" for phone, name in people))


@pytest.fixture(scope="module")
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "BLOCK_ROWS", 3)
        patch.setattr(checking, "PORTION_BLOCKS", 2)
        patch.setattr(answers, "AT_ONCE", 2)
        yield


@examples(few=25, many=400)
@given(first=PEOPLE, steps=STEPS, limit=st.integers(1, 9))
async def test_a_list_is_what_was_done_to_it(
    lists: ListDesk, small_blocks: None, first: Any, steps: Any, limit: int
) -> None:
    model = Model()
    model.add(first)
    list_id = (await lists.take(request("file", first)))["list_id"]
    for what, how in steps:
        await step(lists, list_id, model, what, how)
        assert counts(await lists.read(list_id)) == model.counts
        assert seen(await lists.rows(list_id, limit=limit)) == model.shown()
    wrong = [row for row, (phone, _) in sorted(model.rows.items()) if phone not in GOOD]
    rejected = await lists.rows(list_id, state="rejected", limit=limit)
    assert [it["row"] for it in rejected] == wrong
