"""What runs as Kafka is what jars.lock names, byte for byte."""

from pathlib import Path

import pytest

from deploy.embedded.jars import Jar, cache_folder, class_path, fetch, locked
from deploy.embedded.problem import CannotStart

SMALL = next(jar for jar in locked() if jar.artifact == "jspecify")


def test_every_jar_of_the_lock_is_pinned_by_coordinates_and_hash() -> None:
    jars = locked()
    assert len(jars) > 40
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {"4.3.1"}


def test_only_the_pinned_jars_are_on_the_class_path(tmp_path: Path) -> None:
    cache = _cache_with(tmp_path, SMALL)
    (SMALL.path_in(cache).parent / "stowaway.jar").touch()
    assert class_path(cache, [SMALL]) == str(SMALL.path_in(cache))


def test_a_jar_that_was_altered_stops_the_start(tmp_path: Path) -> None:
    cache = _cache_with(tmp_path, SMALL)
    with SMALL.path_in(cache).open("ab") as file:
        file.write(b"!")
    with pytest.raises(CannotStart, match=r"jspecify.*has sha256 .* its lock says"):
        class_path(cache, [SMALL])
    with pytest.raises(CannotStart, match="remove it and run `make setup`"):
        fetch(cache, [SMALL])


def test_offline_a_missing_jar_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_listens = "http://127.0.0.1:9"
    monkeypatch.setenv("HTTPS_PROXY", nobody_listens)
    monkeypatch.setenv("HTTP_PROXY", nobody_listens)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(CannotStart, match=r"jspecify-1.0.0.jar cannot be fetched; connect once"):
        fetch(tmp_path, [SMALL])
    assert not SMALL.path_in(tmp_path).exists()


def test_nothing_is_fetched_twice(tmp_path: Path) -> None:
    assert fetch(_cache_with(tmp_path, SMALL), [SMALL]) == 0


def _cache_with(folder: Path, jar: Jar) -> Path:
    target = jar.path_in(folder)
    target.parent.mkdir(parents=True)
    target.write_bytes(jar.path_in(cache_folder()).read_bytes())
    return folder
