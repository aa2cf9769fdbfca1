"""What was found on a list, as a person reads it: how its columns are taken, and what to mend."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from cli.groups import Groups
from cli.printing import say, table

Json = dict[str, Any]


def say_columns(columns: Sequence[Mapping[str, str]], suggested: Mapping[str, str]) -> None:
    """`suggested`: a whole mapping; it is said where it differs."""
    if columns:
        table(("column", "is taken as"), [(it["name"], it["role"]) for it in columns])
    taken = {it["name"]: it["role"] for it in columns}
    better = {name: role for name, role in suggested.items() if taken.get(name) != role}
    if better:
        say(f"If that is meant, add {in_words(better)}")


def in_words(mapping: Mapping[str, str]) -> str:
    """As it is typed."""
    return " ".join(f"--mapping {shlex.quote(f'{name}={it}')}" for name, it in mapping.items())


def say_groups(groups: Groups) -> None:
    for it in groups:
        such = f', such as "{it.example}"' if it.example else ""
        say(f"{it.rows:>9,}  {it.name}: {it.message}")
        say(f"{'':>9}  {it.where}{such} ({it.code})")


def say_list(answer: Json) -> None:
    """A list as the server answers it."""
    say(answer["list_id"])
    say(counts_in_words(answer))
    say_columns(answer["columns"], answer["suggestion"]["columns"])
    sample = answer["rejected_sample"]
    groups = Groups()
    for row in sample:
        for it in row["errors"]:
            value = row.get(it["field"])
            example = value if isinstance(value, str) else None
            groups.add(it["field"], it["code"], it["message"], ("row", row["row"]), example)
    if answer["rejected"] > len(sample):
        say(f"The first {len(sample)} of the rows that are wrong:")
    say_groups(groups)


def counts_in_words(found: Json) -> str:
    counts = f"{found['accepted']:,} accepted, {found['rejected']:,} rejected"
    return f"{counts}, {found['duplicates']:,} with the number of an earlier row"
