"""A file is in a list whole or not at all: its blocks are staged, then attached in one go."""

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from uuid import UUID, uuid4

import structlog

from chassis.postgres import Connection, Pool
from chassis.vault import list_scope
from services.ingest.idempotency import Answer, Idempotency, Key
from services.ingest.lists import store
from services.ingest.lists.answers import Answers
from services.ingest.lists.block import Block
from services.ingest.lists.checking import ListJob, Portion
from services.ingest.lists.opening import Lists, OpenList
from services.ingest.once import Once
from services.ingest.policies import Policies
from services.ingest.reading.columns import Column
from services.ingest.uploading import staged
from services.ingest.uploading.overlap import both
from services.ingest.uploading.sources import Source
from services.ingest.uploading.uploads import RowsRefusedError
from services.ingest.uploading.workers import Workers

log = structlog.get_logger()


@dataclass(slots=True)
class NewFile:
    """What of it is staged so far."""

    upload_id: UUID
    blocks: int = 0
    rows: int = 0
    columns: tuple[Column, ...] = field(default=())


class ListIntake:
    def __init__(
        self,
        pool: Pool,
        lists: Lists,
        answers: Answers,
        policies: Policies,
        workers: Workers,
        once: Once,
        idempotency: Idempotency,
    ) -> None:
        self._pool = pool
        self._lists = lists
        self._answers = answers
        self._policies = policies
        self._workers = workers
        self._once = once
        self._idempotency = idempotency

    async def create(self, account_id: str, source: Source, *, key: Key | None) -> Answer:
        """The answer, now or earlier.  Raises FileRefusedError or BodyRefusedError."""

        async def take(upload_id: UUID) -> Answer:
            opened = await self._lists.new(account_id, uuid4())
            file = await self._stage(opened, source, upload_id)
            async with self._pool.acquire() as conn, conn.transaction():
                await store.insert(conn, opened.list_id, account_id)
                return await self._attach(conn, opened, file, HTTPStatus.CREATED, key)

        return await self._once(key, take)

    async def add(
        self, account_id: str, list_id: UUID, source: Source, *, key: Key | None
    ) -> Answer:
        """The same for more rows of a list.  Raises ListGoneError, too."""

        async def take(upload_id: UUID) -> Answer:
            opened = await self._lists.open(account_id, list_id)
            file = await self._stage(opened, source, upload_id)
            async with self._pool.acquire() as conn, conn.transaction():
                await store.lock(conn, list_id, account_id)
                return await self._attach(conn, opened, file, HTTPStatus.OK, key)

        return await self._once(key, take)

    async def _stage(self, opened: OpenList, source: Source, upload_id: UUID) -> NewFile:
        policy = await self._policies.of(opened.account_id)
        async with self._pool.acquire() as conn:
            await staged.begin_upload(conn, upload_id)
            known = {it.header: it.word for it in await self._answers.columns(conn, opened)}
        source = replace(source, known=known)
        file = NewFile(upload_id)
        async with self._workers.reading(ListJob(source, policy, opened)) as reading:
            portion = await reading.next()
            while portion:
                portion, _ = await both(reading.next(), self._store(file, portion))
        if not file.rows:
            raise RowsRefusedError("no_valid_recipients", [])
        return file

    async def _store(self, file: NewFile, portion: Portion) -> None:
        first_no = file.blocks
        file.blocks += len(portion.blocks)
        file.rows, file.columns = portion.rows, portion.columns
        async with self._pool.acquire() as conn, conn.transaction():
            await store.stage(conn, file.upload_id, first_no, portion.blocks)

    async def _attach(
        self,
        conn: Connection,
        opened: OpenList,
        file: NewFile,
        status: HTTPStatus,
        key: Key | None,
    ) -> Answer:
        columns = opened.seal.close(Block(file.columns))
        await store.attach(conn, opened.list_id, file.upload_id, rows=file.rows, columns=columns)
        headers = {"Location": f"/v1/recipient-lists/{opened.list_id}"}
        body = await self._answers.of_list(conn, opened)
        answer = Answer(status, headers, body.model_dump(mode="json"))
        if key:
            scope = list_scope(opened.list_id)
            await self._idempotency.remember(conn, file.upload_id, answer, scope)
        log.info("list_taken", list_id=str(opened.list_id), rows=file.rows)
        return answer
