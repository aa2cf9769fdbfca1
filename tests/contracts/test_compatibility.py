"""A changed or removed field is caught before it is written; an added one with a default is not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.compatibility import incompatibilities
from contracts.published import schemas
from deploy import export

Json = dict[str, Any]


def of_completed() -> Json:
    return copy.deepcopy(schemas()["CallCompleted.v2.json"])


def remove(schema: Json) -> None:
    del schema["properties"]["cause"]


def retype(schema: Json) -> None:
    schema["properties"]["cause"]["type"] = "integer"


def demand(schema: Json) -> None:
    schema["properties"]["weight"] = {"type": "number"}
    schema["required"].append("weight")


def drop_a_word(schema: Json) -> None:
    schema["$defs"]["Outcome"]["enum"].remove("declined")


def change_a_part(schema: Json) -> None:
    schema["$defs"]["Cost"]["properties"]["amount"]["type"] = "string"


def forbid_null(schema: Json) -> None:
    schema["properties"]["cost"]["anyOf"].pop()


@pytest.mark.parametrize(
    "change", [remove, retype, demand, drop_a_word, change_a_part, forbid_null]
)
def test_a_change_that_breaks_readers_is_named(change: Callable[[Json], None]) -> None:
    after = of_completed()
    change(after)
    assert incompatibilities(of_completed(), after)


def test_a_new_field_with_a_default_and_a_new_word_break_nobody() -> None:
    after = of_completed()
    after["properties"]["weight"] = {"type": "number", "default": 0}
    after["$defs"]["Outcome"]["enum"].append("forwarded")
    assert incompatibilities(of_completed(), after) == []


def test_the_exporter_refuses_to_write_over_a_version_that_would_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export.write(tmp_path)
    assert export.breaches(tmp_path) == export.outdated(tmp_path) == []
    changed = schemas()
    remove(changed["CallCompleted.v2.json"])
    monkeypatch.setattr(export, "schemas", lambda: changed)
    assert "CallCompleted.v2.json .cause: gone" in export.breaches(tmp_path)[0]
    assert "CallCompleted.v2.json" in export.outdated(tmp_path)


def test_the_published_contract_is_that_of_the_code() -> None:
    assert export.breaches() == []
    assert export.outdated() == []


def test_asyncapi_names_every_topic_with_its_one_writer() -> None:
    document = json.loads((export.FOLDER / "asyncapi.json").read_text())
    operations = document["operations"]
    assert len(operations) == len(document["channels"]) == 8
    assert operations["dialer.sends.rollcall.calls.v1"]["action"] == "send"
