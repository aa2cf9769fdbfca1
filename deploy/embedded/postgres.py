"""One durable PostgreSQL on 127.0.0.1 (fsync stays on); its log holds no content of a row."""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import asyncpg

from deploy.embedded.parts import Part
from deploy.embedded.ports import HOST
from deploy.embedded.postgres_home import postgres_home
from deploy.embedded.problem import CannotStart
from deploy.embedded.processes import Command, last_line, spawn
from deploy.embedded.secret import keep

OWNER = "rollcall"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "jit": "off",
    "wal_recycle": "off",  # a file of the log kept for reuse would keep what a delete has erased
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
INITDB = (
    "--username=" + OWNER,
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--auth=scram-sha-256",
    "--no-instructions",
)
STARTING = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)


class Postgres:
    """Its files under `folder`, owned by an account without rights when we are root."""

    def __init__(self, folder: Path, output: Path, port: int) -> None:
        self._folder = folder.resolve()
        self._output = output
        self._port = port
        self._user = _unprivileged()
        self._password = ""
        self._handle = -1
        self._home = Path()

    def dsn(self, database: str) -> str:
        return f"postgresql://{OWNER}:{quote(self._password)}@{HOST}:{self._port}/{database}"

    async def prepare(self) -> None:
        """Makes the cluster the first time; a second time finds it and its password."""
        self._home = await asyncio.to_thread(postgres_home)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chown(self._folder, self._user, -1)
        # The server may lack the right to walk down to its own folder (a root's home, say): it
        # inherits the folder open and reaches it by that, whatever stands above.
        self._handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        self._password = self._remembered_password()
        if not (self._folder / "data").exists():
            await self._initdb()
        _forget_dead_postmaster(self._folder / "data" / "postmaster.pid")

    def part(self) -> Part:
        settings = SETTINGS | {"port": str(self._port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Part(self._run("postgres", "-D", self._inside("data"), *options), self._is_ready)

    async def create_databases(self, names: tuple[str, ...]) -> None:
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            there = {row["datname"] for row in await connection.fetch("TABLE pg_database")}
            for name in names:
                if name not in there:
                    await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)

    def _inside(self, name: str) -> str:
        return f"/proc/self/fd/{self._handle}/{name}"

    def _run(self, program: str, *arguments: str) -> Command:
        return Command(
            name="postgres",
            argv=(str(self._home / "bin" / program), *arguments),
            log=self._output,
            env={"LC_ALL": "C"},
            user=self._user,
            open_files=(self._handle,),
            death_signal=signal.SIGQUIT,  # at once, and its own children with it
            stop_signal=signal.SIGINT,  # ends sessions, then a clean checkpoint
            stop_seconds=20,
        )

    def _remembered_password(self) -> str:
        file = self._folder / "password"
        if not file.exists() or not file.stat().st_size:
            if (self._folder / "data").exists():
                raise CannotStart(
                    f"{file}, the database's password, is lost: bring it back from a copy"
                )
            keep(file, secrets.token_urlsafe(24), self._user)
        return file.read_text()

    async def _initdb(self) -> None:
        fresh = self._folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._output.parent.mkdir(parents=True, exist_ok=True)
        arguments = (
            *INITDB,
            "--pwfile=" + self._inside("password"),
            "-D",
            self._inside(fresh.name),
        )
        process = await spawn(self._run("initdb", *arguments))
        if await process.wait() != 0:
            raise CannotStart(f"the database cannot be made: {last_line(self._output)}")
        fresh.rename(self._folder / "data")

    async def _is_ready(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn("postgres"), timeout=5)
        except STARTING:
            return False
        await connection.close()
        return True


def _unprivileged() -> int:
    """PostgreSQL refuses to run as root; `nobody` owns nothing and can read nothing of ours."""
    return os.geteuid() or pwd.getpwnam("nobody").pw_uid


def _forget_dead_postmaster(pid_file: Path) -> None:
    """After a reboot the pid in a stale file may be anyone's, and would forbid the start."""
    if not pid_file.exists():
        return
    process = Path("/proc") / pid_file.read_text().split()[0]
    try:
        alive = (process / "exe").readlink().name == "postgres"
    except OSError:  # gone, not yet reaped, or somebody else's
        alive = False
    if not alive:
        pid_file.unlink()
