"""Whoever asks for dead letters is answered in a line, whatever is asked or gone."""

import pytest
from pydantic import SecretStr

from cli.__main__ import main
from cli.client import RefusedError
from cli.letters import session
from cli.parameters import MISUSE
from cli.service_databases import Ground
from tests.conftest import DatabaseFactory


@pytest.mark.parametrize("place", ["9" * 5000 + ":1", "0:" + "9" * 5000, "\u0663:1", "-1:1", "1"])
def test_an_id_that_no_record_could_have_is_a_misuse(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dead-letters", "show", f"rollcall.calls.v1:{place}", "--json"])
    assert ended.value.code == MISUSE
    assert "TOPIC:PARTITION:OFFSET" in "".join(capsys.readouterr())


async def test_a_database_that_goes_while_it_is_asked_is_said(database: DatabaseFactory) -> None:
    ground = Ground(postgres_dsn=SecretStr(await database()))
    with pytest.raises(RefusedError, match="The database of dialer does not answer"):
        async with session("dialer", ground) as conn:
            await conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
