"""What a log that cannot be amended forbids: a changed or removed field without a new version."""

from typing import Any

Json = dict[str, Any]

_SHAPE = ("type", "format", "const", "minimum", "maximum", "minLength", "maxLength", "pattern")


def incompatibilities(before: Json, after: Json) -> list[str]:
    """What in `after` would make a record written under `before` unreadable, or read otherwise.

    Both are JSON Schemas of one event version.  A field may be added if it has a default.
    """
    return _compare(before, after, (before, after), "")


def _compare(old: Json, new: Json, roots: tuple[Json, Json], path: str) -> list[str]:
    old, new = _resolved(old, roots[0]), _resolved(new, roots[1])
    found = [f"{path or '.'}: {key} changed" for key in _SHAPE if old.get(key) != new.get(key)]
    if gone := set(old.get("enum", ())) - set(new.get("enum", ())):
        found.append(f"{path}: {', '.join(sorted(gone))} gone")
    return found + _fields(old, new, roots, path) + _parts(old, new, roots, path)


def _fields(old: Json, new: Json, roots: tuple[Json, Json], path: str) -> list[str]:
    was, now = old.get("properties", {}), new.get("properties", {})
    required = set(new.get("required", ())) - set(old.get("required", ()))
    found = [f"{path}.{name}: gone" for name in sorted(was.keys() - now.keys())]
    found += [f"{path}.{name}: has no default any more" for name in sorted(required)]
    for name in sorted(was.keys() & now.keys()):
        found += _compare(was[name], now[name], roots, f"{path}.{name}")
    return found


def _parts(old: Json, new: Json, roots: tuple[Json, Json], path: str) -> list[str]:
    found = []
    for key in ("items", "additionalProperties"):
        if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
            found += _compare(old[key], new[key], roots, f"{path}[]")
    was, now = old.get("anyOf", ()), new.get("anyOf", ())
    if len(was) > len(now):
        found.append(f"{path}: a kind of it is gone")
    for one, other in zip(was, now, strict=False):
        found += _compare(one, other, roots, path)
    return found


def _resolved(schema: Json, root: Json) -> Json:
    reference = schema.get("$ref")
    return dict(root["$defs"][reference.rpartition("/")[2]]) if reference else schema
