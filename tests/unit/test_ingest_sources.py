"""What is sealed for a recipient opens as what the events say it is."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import RecipientIds, recipient_id_of
from contracts.sealed import RecipientSecrets, Rejection
from services.ingest.reading.policy import ANYONE
from services.ingest.reading.rows import Given, check_row
from services.ingest.uploading.sources import judged
from services.ingest.uploading.staging import Accepted

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")))


@given(WORDS, st.dictionaries(WORDS, WORDS), st.booleans())
def test_what_is_sealed_is_the_recipient_as_the_events_know_one(
    name: str, variables: dict[str, str], ignore: Any
) -> None:
    given = Given("+12025550123", name, ignore, variables, {"language": "pt-BR"})
    accepted = judged(check_row(7, 8, given, ANYONE), zoned=False)
    assert isinstance(accepted, Accepted)
    wanted = RecipientSecrets(
        phone_number="+12025550123",
        name=name.strip() or None,
        ignore_e164_validation=ignore,
        variables=variables,
        language="pt-BR",
    )
    assert RecipientSecrets.model_validate_json(accepted.secrets) == wanted
    assert accepted.secrets == wanted.model_dump_json()


def test_a_row_that_cannot_be_called_is_a_rejection_with_all_that_is_wrong() -> None:
    wrong = Given("12", "A\0", "perhaps")
    rejection = judged(check_row(7, 8, wrong, ANYONE), zoned=False)
    assert isinstance(rejection, Rejection)
    assert (rejection.row, rejection.line) == (7, 8)
    assert {error.field for error in rejection.errors} == {
        "phone_number",
        "name",
        "ignore_e164_validation",
    }


@pytest.mark.parametrize("row", [1, 9, 10, 123_456, 2**31 - 1])
def test_ids_of_many_rows_are_those_of_each(row: int) -> None:
    addition_id = uuid4()
    assert RecipientIds(addition_id).of(row) == recipient_id_of(addition_id, row)
