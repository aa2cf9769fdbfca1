"""Recipients in a JSON body are read one by one, twice: first the form of all, then each of them.

Of a body of any size no more is in memory than a block and the recipient in hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from pydantic import ValidationError

from services.ingest.domain.requests import RecipientRequest
from services.ingest.reading.columns import MAX_COLUMNS
from services.ingest.reading.json_text import READ_BYTES, BodyRefusedError, JsonText
from services.ingest.reading.rows import Given

FIELD_BYTES: Final = 1024 * 1024
MOST_FIELDS: Final = 100
PLAIN: Final = frozenset({"phone_number", "name", "ignore_e164_validation", "variables"})
TEXT: Final = frozenset({str})


@dataclass(frozen=True, slots=True)
class Body:
    fields: dict[str, Any]
    """Without the recipients."""
    start: int | None
    """The byte at which the recipients begin; None where there are none."""
    count: int


def read_body(file: BinaryIO, read_bytes: int = READ_BYTES) -> Body:
    """The body from where the file stands, to its end.  Raises BodyRefusedError."""
    text = JsonText(file, read_bytes)
    text.pass_mark()
    if text.peek() != "{":
        text.value()
        text.take("")
        raise _fault(("body",), "Send a JSON object.")
    body, fit = _read_object(text)
    text.take("")
    if not fit:
        raise _fault(("body", "recipients"), "Send the recipients as a list.")
    return body


def recipients_in(file: BinaryIO, start: int, read_bytes: int = READ_BYTES) -> Iterator[Any]:
    """Each as it is written.  Raises BodyRefusedError."""
    file.seek(start)
    return JsonText(file, read_bytes).elements()


def given_in_json(written: Any, row: int) -> Given:
    """Its form is judged here, what it says where a row of a file is.  Raises BodyRefusedError."""
    if type(written) is dict and written.keys() <= PLAIN:
        number, name = written.get("phone_number", ""), written.get("name", "")
        ignore, variables = written.get("ignore_e164_validation", ""), written.get("variables", {})
        if (
            type(number) is str
            and type(name) is str
            and (type(ignore) is str or type(ignore) is bool)
            and type(variables) is dict
            and len(variables) <= MAX_COLUMNS
            and TEXT.issuperset(map(type, variables.values()))
        ):
            return Given(number, name, ignore, variables)
    return _validated(written, row)


def _validated(written: Any, row: int) -> Given:
    """The same, whatever is in it."""
    try:
        recipient = RecipientRequest.model_validate(written)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        place = ("body", "recipients", row - 1)
        raise BodyRefusedError(
            [{"loc": (*place, *it["loc"]), "type": it["type"], "msg": it["msg"]} for it in faults]
        ) from None
    return Given(
        phone_number=recipient.phone_number or "",
        name=recipient.name or "",
        ignore_e164_validation=recipient.ignore_e164_validation,
        variables=recipient.variables,
        settings={name: text for name, text in recipient.settings() if text is not None},
    )


def _read_object(text: JsonText) -> tuple[Body, bool]:
    """And whether its recipients are a list; of two fields of one name the last is meant."""
    fields, start, count, fit, size = dict[str, Any](), None, 0, True, 0
    text.take("{")
    after = text.take("}") if text.peek() == "}" else ","
    while after == ",":
        if text.peek() != '"':
            text.take('"')
        name = text.value()
        text.take(":")
        if name != "recipients":
            before = text.offset
            fields[name] = text.value()
            size += text.offset - before + len(name)
            if size > FIELD_BYTES or len(fields) > MOST_FIELDS:
                raise _fault((), "Keep all but the recipients to 1 MB and to what is known here.")
        elif text.peek() == "[":
            text.take("[")
            start, fit = text.offset, True
            count = sum(1 for _ in text.elements())
        else:
            start, count, fit = None, 0, text.value() is None
        after = text.take(",", "}")
    return Body(fields, start, count), fit


def _fault(place: tuple[str, ...], message: str) -> BodyRefusedError:
    return BodyRefusedError([{"loc": place, "type": "field_invalid", "msg": message}])
