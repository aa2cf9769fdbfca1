"""A folder that lost a part says so; one that never was up, or is whole, has lost nothing."""

import shutil
from pathlib import Path

import pytest

from deploy.embedded.infrastructure import infrastructure
from deploy.embedded.losses import losses
from deploy.embedded.problem import CannotStart


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As `rollcall up` leaves it, in outline."""
    topics = ("kafka/log/rollcall.calls.v1-0", "kafka/log/__cluster_metadata-0")
    for part in (*topics, "postgres/data"):
        (tmp_path / part).mkdir(parents=True)
    for file in ("kafka/formatted", "kafka/log/meta.properties", "postgres/data/PG_VERSION", "key"):
        (tmp_path / file).touch()
    return tmp_path


def test_a_whole_folder_has_lost_nothing_nor_has_one_that_never_was_up(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert losses(folder) == []
    assert losses(tmp_path_factory.mktemp("new")) == []
    assert losses(folder / "missing") == []


def test_a_first_start_that_was_cut_short_has_lost_nothing(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "kafka" / "log").mkdir(parents=True)
    assert losses(tmp_path) == []


@pytest.mark.parametrize(
    ("lost", "what"),
    [("kafka", "log"), ("kafka/log", "log"), ("postgres", "databases"), ("key", "key")],
)
async def test_what_is_lost_is_said_and_nothing_is_made_in_its_place(
    folder: Path, lost: str, what: str
) -> None:
    gone = folder / lost
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    (loss,) = losses(folder)
    assert loss.what == what
    with pytest.raises(CannotStart, match="is lost"):
        async with infrastructure(folder):
            pass
    assert not gone.exists()


def test_a_log_whose_list_of_topics_is_lost_is_not_started_for_kafka_would_delete_them(
    folder: Path,
) -> None:
    (folder / "kafka/log/__cluster_metadata-0").rmdir()
    assert [it.what for it in losses(folder)] == ["log"]
