"""A call made from many is found under the id that everybody else derives for it."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import CallIds, call_id_of


@given(batch_id=st.uuids(), recipient_id=st.uuids(), grant_no=st.integers(0, 2**31 - 1))
def test_ids_of_many_calls_are_those_of_each(
    batch_id: UUID, recipient_id: UUID, grant_no: int
) -> None:
    call_id = call_id_of(batch_id, recipient_id, grant_no)
    assert CallIds(batch_id).of(recipient_id, grant_no) == call_id.hex
    assert CallIds(batch_id).of(str(recipient_id), grant_no) == call_id.hex
