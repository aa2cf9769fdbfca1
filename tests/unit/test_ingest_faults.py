"""What cannot be read is answered with what to do and where, under a code that is stable."""

import io
from typing import Any

import pytest

from services.ingest.api.faults import problem_of
from services.ingest.reading.columns import FileRefusedError, columns_of
from services.ingest.reading.csv_file import read_csv
from services.ingest.reading.json_file import given_in_json, read_body
from services.ingest.reading.json_text import BodyRefusedError


def answer(error: Exception) -> tuple[int, dict[str, Any]]:
    problem = problem_of(error)
    return problem.status, problem.body


def test_a_file_that_cannot_be_parsed_is_answered_with_its_place() -> None:
    with pytest.raises(FileRefusedError) as refused:
        list(read_csv(io.BytesIO(b'phone,a\n+1,"b"c\n')).rows)
    status, body = answer(refused.value)
    assert (status, body["code"], body["line"], body["column"]) == (422, "csv_parse_error", 2, 7)
    assert [error["field"] for error in body["errors"]] == ["file"]


def test_a_file_without_a_place_to_name_has_none() -> None:
    with pytest.raises(FileRefusedError) as refused:
        read_csv(io.BytesIO(b""))
    _, body = answer(refused.value)
    assert body["code"] == "csv_empty"
    assert not {"line", "column"} & {*body}


def test_a_mapping_that_cannot_be_followed_is_a_fault_of_the_mapping() -> None:
    with pytest.raises(FileRefusedError) as refused:
        columns_of(["phone"], {"phone": "telephone"})
    status, body = answer(refused.value)
    assert (status, body["code"]) == (422, "mapping_invalid")
    assert [(error["field"], error["code"]) for error in body["errors"]] == [
        ("mapping", "mapping_invalid")
    ]


def test_a_body_that_is_no_json_is_answered_with_its_place() -> None:
    with pytest.raises(BodyRefusedError) as refused:
        read_body(io.BytesIO(b'{"recipients": [\n{},]}'))
    status, body = answer(refused.value)
    assert (status, body["code"], body["line"], body["column"]) == (400, "body_invalid", 2, 4)
    assert "line 2" in body["detail"]


def test_a_recipient_of_another_form_is_answered_by_its_field() -> None:
    with pytest.raises(BodyRefusedError) as refused:
        given_in_json({"phone": "+12025551234", "phon": "x", "+12025551235": "y"}, 2)
    status, body = answer(refused.value)
    assert (status, body["code"]) == (422, "unknown_field")
    assert [error["field"] for error in body["errors"]] == ["recipients.1.phon", "recipients.1"]
    assert "12025551235" not in str(body)
