"""Everything a batch's creation looks at is looked at here, but for what it would store."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import uuid4

from chassis.postgres import Pool
from contracts.calendar import RECIPIENT
from services.ingest import store
from services.ingest.domain.preview import Count, Preview, foreseen
from services.ingest.policies import Policies
from services.ingest.reading.policy import Policy
from services.ingest.reading.rows import CheckedRow
from services.ingest.uploading.recipients import Recipients
from services.ingest.uploading.submission import Submission


@dataclass(frozen=True, slots=True)
class Counting:
    """Rows are counted, and forgotten."""

    policy: Policy
    zoned: bool

    def portions(self, rows: Iterable[CheckedRow]) -> Iterator[Count]:
        count = Count()
        for row in rows:
            count.add(row, zoned=self.zoned)
        yield count


class Previews:
    def __init__(self, pool: Pool, policies: Policies, recipients: Recipients) -> None:
        self._pool = pool
        self._policies = policies
        self._recipients = recipients

    async def preview(self, account_id: str, submission: Submission) -> Preview:
        """Raises RefusedError, FileRefusedError or BodyRefusedError."""
        request = submission.request
        terms = await self._policies.agree(account_id, request, uuid4())
        making = Counting(terms.policy, zoned=terms.window.timezone == RECIPIENT)
        count = Count()
        list_id = request.recipient_list_id
        async with self._recipients.made(account_id, submission.source, list_id, making) as counts:
            while some := await counts.next():
                count.merge(some)
        async with self._pool.acquire() as conn:
            at = await store.now(conn)
        return foreseen(terms, count, at=at)
