"""What a service declares in its OpenAPI document, held against what it answers to anything."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

Json = dict[str, Any]

AS_DECLARED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LIVE = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Surface:
    url: str
    document: Json
    known: Mapping[str, str]
    """Path parameters that lead to something that is there."""

    async def disagreements(self, examples: int, *, of_nothing: bool = False) -> list[str]:
        """Each a request, and in what its answer is not as declared.

        So many of each operation, asked as it should be and as it should not; `of_nothing`: of what
        is not there, too.
        """
        return await asyncio.to_thread(
            lambda: list(self._disagreements(examples, of_nothing=of_nothing))
        )

    def _disagreements(self, examples: int, *, of_nothing: bool) -> Iterator[str]:
        schema = schemathesis.openapi.from_dict(self.document)
        with requests.Session() as session:
            for found in schema.get_all_operations():
                assert isinstance(found, Ok), found
                operation = found.ok()
                if _is_live(operation):
                    continue  # it never ends
                names = {each.name for each in operation.path_parameters}
                there = {name: value for name, value in self.known.items() if name in names}
                for place in [there, {}] if there and of_nothing else [there]:
                    for mode in GenerationMode:
                        cases = operation.as_strategy(mode, path_parameters=place or None)
                        yield from _asked(cases, self.url, session, examples)


def _asked(cases: Any, url: str, session: requests.Session, examples: int) -> list[str]:
    found: dict[str, str] = {}

    @settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: Case[Any]) -> None:
        answer = case.call(base_url=url, session=session, timeout=60)
        try:
            case.validate_response(answer, checks=AS_DECLARED)
        except FailureGroup as group:
            for failure in group.exceptions:
                title = f"{case.operation.label}: {failure}"
                found.setdefault(title, f"{answer.request.url} {answer.request.body!r}")

    with suppress(Unsatisfiable):  # nothing of it can be asked wrongly
        ask()
    return [f"{title}\n{asked}" for title, asked in found.items()]


def _is_live(operation: APIOperation[Any, Any, Any, Any]) -> bool:
    return LIVE in str(operation.definition.raw["responses"].get("200", ""))
