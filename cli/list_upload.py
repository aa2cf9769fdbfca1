"""`rollcall list upload`: a list as the server took it; what is wrong with it comes back whole."""

import shlex
from pathlib import Path

from cli.client import Client, Json, path_of_list
from cli.fixing_rows import fix_rows
from cli.list_words import in_words, say_list
from cli.new_file import whole_file
from cli.printing import say, say_json

PAGE = 500


async def upload(client: Client, answer: Json, fix: Path | None, *, as_json: bool) -> int:
    if not as_json:
        say_list(answer)
    written = fix if answer["rejected"] else None
    mapping = await _write(client, answer, written) if written is not None else {}
    if as_json:
        file = None if written is None else str(written)
        say_json({**answer, "fix": {"file": file, "mapping": {"columns": mapping}}})
    elif written is not None:
        into = f"{shlex.quote(str(written))} --into {answer['list_id']}"
        say(f"{written} has the rejected rows; mended, they take the place of those with")
        say(f"  rollcall list remove {answer['list_id']} --rejected")
        say(f"  rollcall list upload {' '.join(filter(None, (into, in_words(mapping))))}")
    return 0


async def _write(client: Client, answer: Json, fix: Path) -> dict[str, str]:
    """All the rows that are wrong, and what is to be sent with them."""
    path = f"{path_of_list(answer['list_id'])}/rows"
    cursor: str | None = ""
    with fix_rows() as fixing:
        while cursor is not None:
            page = await client.look(path, state="rejected", limit=PAGE, cursor=cursor or None)
            for row in page["data"]:
                fixing.add(row)
            cursor = page["next_cursor"]
        with whole_file(fix) as out:
            fixing.write(out)
        return fixing.mapping({it["name"]: it["role"] for it in answer["columns"]})
