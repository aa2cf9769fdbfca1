"""`rollcall dead-letters`: what services could not read or apply; shown without what is sealed."""

import re
from typing import Annotated, Literal

from cyclopts import App, Parameter

from chassis.dead_letters import Place
from cli import endpoints, letters
from cli.client import MisusedError, RefusedError
from cli.letters import Letter
from cli.parameters import AsJson, Folder
from cli.printing import facts, say, say_json, table
from cli.service_databases import grounds

app = App(name="dead-letters", help="What could not be read or applied, and replay it.")

_ID = re.compile(r"[^:]+:[0-9]{1,10}:[0-9]{1,19}")
Service = Annotated[
    Literal["ingest", "scheduler", "dialer", "projections"] | None,
    Parameter(help="All unless one is named."),
]


def _check_letter_id(_: type, given: str | tuple[str, ...]) -> None:
    for text in [given] if isinstance(given, str) else given:
        if not _ID.fullmatch(text):
            raise ValueError(f"An id is TOPIC:PARTITION:OFFSET, as listed; not {text!r}.")


LetterId = Annotated[str, Parameter(validator=_check_letter_id)]
LetterIds = Annotated[
    tuple[str, ...], Parameter(validator=_check_letter_id, negative="", show_default=False)
]


@app.command(name="list")
async def list_(
    *,
    service: Service = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """List them, service by service, the oldest first; what was replayed stays listed."""
    found = await letters.listed(grounds(data_dir, service))
    if json:
        say_json({"data": [letter.as_json() for letter in found]})
    elif found:
        _table(found)
    else:
        say("no dead letters")
    return 0


@app.command
async def show(
    letter_id: LetterId,
    *,
    content: Annotated[
        bool, Parameter(negative="", help="Its body too, but for what is sealed.")
    ] = False,
    service: Service = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Show one: its headers, its sizes, what is wrong with it in each service and what to do."""
    from cli.origin import origin  # noqa: PLC0415 - Kafka's client is heavy for a mere list

    there = grounds(data_dir, service)
    met = _chosen(await letters.listed(there), (letter_id,))
    ground = there[met[0].service]
    record = await origin(ground.kafka, ground.topic_prefix, met[0].place, content=content)
    if json:
        say_json({"id": letter_id, "record": record, "met": [each.as_json() for each in met]})
        return 0
    facts({"id": letter_id} | (record or {"record": "no longer in the log"}))
    for each in met:
        say("")
        facts({name: value for name, value in each.as_json().items() if name != "id"})
    return 0


@app.command
async def replay(
    *letter_ids: LetterId,
    every: Annotated[
        bool, Parameter(name="--all", negative="", help="All that are not replayed yet.")
    ] = False,
    service: Service = None,
    data_dir: Folder = endpoints.DEFAULT_FOLDER,
    json: AsJson = False,
) -> int:
    """Have them read again where they stand in the log, and applied; each once, at most.

    0: all are replayed. 1: some are still bad, or nobody answered yet.
    """
    if bool(letter_ids) == every:
        raise MisusedError(0, {"title": "Name the ids, or say --all."})
    there = grounds(data_dir, service)
    known = await letters.listed(there)
    wanted = [it for it in known if not it.is_replayed] if every else _chosen(known, letter_ids)
    done = await letters.replay(there, wanted) if wanted else []
    if json:
        say_json({"data": [letter.as_json() for letter in done]})
    else:
        _say_done(done)
    return 0 if all(letter.is_replayed for letter in done) else 1


def _chosen(known: list[Letter], letter_ids: tuple[str, ...]) -> list[Letter]:
    places = []
    for text in letter_ids:
        topic, partition, offset = text.split(":")
        places.append(Place(topic, int(partition), int(offset)))
    missing = set(places) - {letter.place for letter in known}
    if missing:
        title = f"No dead letter is listed as {min(missing)}."
        raise RefusedError(0, {"title": title})
    return [letter for letter in known if letter.place in places]


def _table(found: list[Letter]) -> None:
    table(
        ("service", "id", "state", "first met", "times", "held", "error"),
        [
            (it.service, it.place, it.state, it.row["at"].strftime("%Y-%m-%d %H:%M:%SZ"),
             it.row["times"], it.row["held"] or None, it.row["error"])
            for it in found
        ],
    )  # fmt: skip


def _say_done(done: list[Letter]) -> None:
    if not done:
        say("nothing waits to be replayed")
        return
    _table(done)
    owed = [it for it in done if not it.is_replayed or it.row["late"]]
    for line in dict.fromkeys(map(_owed, owed)):  # once, however many services met it
        say(line)


def _owed(letter: Letter) -> str:
    if letter.row["asked"]:
        return f"{letter.place}: {letter.service} has not answered; it does as soon as it runs."
    return f"{letter.place}: {letters.hint(letter)}"
