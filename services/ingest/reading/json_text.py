"""One JSON value after the other out of a text of any size: only what is being read is in memory.

As strict as the standard says: no NaN, no half of a surrogate pair, nothing but UTF-8.
"""

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

READ_BYTES: Final = 64 * 1024
VALUE_CHARACTERS: Final = 8 * 1024 * 1024
MOST_DEPTH: Final = 100
UNCERTAIN: Final = 16
"""So close to the end of what is there, an error may only be that the rest is missing."""
LOOK_AHEAD: Final = len("e+6")
NOT_SPACE: Final = re.compile(r"[^ \t\n\r]")
SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def _refuse_constant(_: str) -> None:
    raise ValueError


DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


class BodyRefusedError(Exception):
    """The body is no JSON, at a line and a column, or something in it has another form."""

    def __init__(
        self,
        faults: Sequence[Mapping[str, Any]],
        *,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(faults)
        self.faults = faults
        """Each with `loc`, `type` and `msg`, as pydantic has them."""
        self.line = line
        self.column = column


class JsonText:
    def __init__(self, file: BinaryIO, read_bytes: int = READ_BYTES) -> None:
        self._file = file
        self._read_bytes = read_bytes
        self._decoder = getincrementaldecoder("utf-8")()
        self._text = ""
        self._place = 0
        # of what the text begins with
        self._offset, self._line, self._column = file.tell(), 1, 1
        self._ended = self._bad = self._surrogates = False

    @property
    def offset(self) -> int:
        """The byte of the file at which it stands."""
        return self._offset + len(self._text[: self._place].encode())

    def pass_mark(self) -> None:
        """Editors on Windows write a byte order mark, which RFC 8259 lets a reader pass over."""
        while not self._text and self._more():
            pass
        if self._text.startswith("\ufeff"):
            self._place, self._column = 1, 0

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            found = NOT_SPACE.search(self._text, self._place)
            if found:
                self._place = found.start()
                return found[0]
            self._place = len(self._text)
            if not self._more():
                return ""

    def take(self, *wanted: str) -> str:
        """The next character, which is to be one of these."""
        found = self.peek()
        if found not in wanted:
            signs = " or ".join(f"“{sign}”" for sign in wanted if sign)
            raise self._refusal(f"{signs} is expected" if signs else "nothing more is expected")
        self._place += len(found)
        return found

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if self._may_go_on(error) and self._more():
                    continue
                raise self._refusal(error.msg.strip(": "), error.pos) from None
            except (ValueError, RecursionError):
                message = "there is a number too long or not finite, or too deep a nesting"
                raise self._refusal(message) from None
            # what looks like a number's end may be followed by the rest of `1e+6`
            if end + LOOK_AHEAD <= len(self._text) or not self._more():
                self._check(value, end)
                self._place = end
                return value

    def elements(self) -> Iterator[Any]:
        """Those of the array whose bracket has been taken, and its end."""
        if self.peek() == "]":
            self._place += 1
            return
        while True:
            yield self.value()
            if self.take(",", "]") == "]":
                return

    def _more(self) -> bool:
        """Let go of what has been read, and read on; False at the end, where all stays."""
        if self._bad:
            raise self._refusal("it is not UTF-8", len(self._text))
        if self._ended:
            return False
        rest = len(self._text) - self._place
        if rest > VALUE_CHARACTERS:
            message = "Keep each value to 8 MB."
            raise BodyRefusedError([{"loc": ("body",), "type": "field_invalid", "msg": message}])
        block = self._file.read(max(self._read_bytes, rest))
        self._ended = not block
        try:
            text = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            text = error.object[: error.start].decode()
            self._bad = True
        if self._ended and not self._bad:
            return False
        self._let_go()
        self._text += text
        self._surrogates = SURROGATE.search(self._text) is not None
        return True

    def _let_go(self) -> None:
        self._offset = self.offset
        self._line, self._column = self._where(self._place)
        self._text, self._place = self._text[self._place :], 0

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        near = error.pos > len(self._text) - UNCERTAIN
        return near or error.msg.startswith("Unterminated string")

    def _check(self, value: Any, end: int) -> None:
        # no nesting is deeper than half of its length
        if end - self._place > 2 * MOST_DEPTH and _is_deep(value):
            raise self._refusal(f"it is nested deeper than {MOST_DEPTH} levels")
        if self._surrogates:
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                raise self._refusal("it holds half of a surrogate pair") from None

    def _refusal(self, reason: str, place: int | None = None) -> BodyRefusedError:
        line, column = self._where(self._place if place is None else place)
        message = f"Send well-formed JSON: on line {line} at column {column}, {reason}."
        fault = {"loc": ("body",), "type": "json_invalid", "msg": message}
        return BodyRefusedError([fault], line=line, column=column)

    def _where(self, place: int) -> tuple[int, int]:
        ends = self._text.count("\n", 0, place)
        if not ends:
            return self._line, self._column + place
        return self._line + ends, place - self._text.rfind("\n", 0, place)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH):
        nested = [it for it in level if isinstance(it, dict | list)]
        if not nested:
            return False
        level = [each for it in nested for each in (it.values() if isinstance(it, dict) else it)]
    return True
