"""Whatever is asked, whatever becomes of the calls: in the end every batch has ended."""

from datetime import timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.batches import (
    Addition,
    BatchCancelRequested,
    BatchCommand,
    BatchImportFailed,
    BatchPauseRequested,
    BatchResumeRequested,
    BatchRetryRequested,
    BatchStartRequested,
    RecipientRemovalRequested,
    RecipientsAddRequested,
    RetryPolicy,
)
from contracts.calls import ReturnReason
from contracts.dispatch import RecipientQueued
from contracts.ids import addition_id_of, recipient_id_of
from contracts.lifecycle import TERMINAL
from contracts.outcomes import Outcome, RecipientStatus
from contracts.progress import ATTEMPT_CAP, recipient_status
from contracts.status import BatchActionRejected, BatchCompleted
from contracts.statuses import Action, BatchStatus
from services.scheduler.domain.batch import Batch
from tests.examples import SEARCHES
from tests.scheduler_life import Life
from tests.scheduler_story import Story, ended, returned

ACTIONS: dict[Action, type[BatchCommand]] = {
    Action.START: BatchStartRequested,
    Action.PAUSE: BatchPauseRequested,
    Action.RESUME: BatchResumeRequested,
    Action.CANCEL: BatchCancelRequested,
    Action.RETRY: BatchRetryRequested,
}
POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 3),
    delay_seconds=st.sampled_from([(), (0,), (3600, 86400)]),
    on=st.sampled_from([(Outcome.BUSY,), (Outcome.NO_ANSWER, Outcome.FAILED, Outcome.UNKNOWN)]),
)
INDEX = st.integers(0, 99)
LONG = timedelta(days=31)


class Account(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.stories: list[Story] = []
        self.on_their_way: list[tuple[UUID, UUID, list[UUID]]] = []

    def story(self, index: int) -> Story:
        return self.stories[index % len(self.stories)]

    @precondition(lambda self: len(self.stories) < 4)
    @rule(
        people=st.integers(1, 3),
        start=st.booleans(),
        policy=POLICIES,
        reserved=st.integers(0, 1),
        in_hours=st.none() | st.integers(0, 60),
        ends_in_days=st.none() | st.integers(3, 40),
    )
    def create(
        self,
        people: int,
        start: bool,  # noqa: FBT001
        policy: RetryPolicy,
        reserved: int,
        in_hours: int | None,
        ends_in_days: int | None,
    ) -> None:
        story = Story(f"b{len(self.stories)}", recipients=people)
        at = self.life.at
        self.life.create(
            story.created(
                start=start,
                retry_policy=policy,
                reserved_concurrency=reserved,
                scheduled_at=None if in_hours is None else at + timedelta(hours=in_hours),
                expires_at=None if ends_in_days is None else at + timedelta(days=ends_in_days),
            )
        )
        self.stories.append(story)
        rows = [story.recipient(row) for row in range(1, people + 1)]
        self.on_their_way.append((story.batch_id, story.addition_id, rows))

    @precondition(lambda self: self.on_their_way)
    @rule(index=INDEX)
    def land(self, index: int) -> None:
        self.life.land(*self.on_their_way.pop(index % len(self.on_their_way)))

    @precondition(lambda self: self.stories)
    @rule(index=INDEX, action=st.sampled_from(list(ACTIONS)), include_unknown=st.booleans())
    def act(self, index: int, action: Action, include_unknown: bool) -> None:  # noqa: FBT001
        story = self.story(index)
        before = self.life.batches[story.batch_id].status
        retry = {"include_unknown": include_unknown} if action is Action.RETRY else {}
        said = self.life.ask(story.ask(ACTIONS[action], **retry))
        assert before is not None
        assert self.life.is_lawful(before, action, said)

    @precondition(lambda self: self.stories)
    @rule(index=INDEX)
    def add(self, index: int) -> None:
        story = self.story(index)
        addition_id = addition_id_of(story.batch_id, story.commands + 1)
        addition = Addition(addition_id=addition_id, chunks=1, recipients=1)
        said = self.life.ask(story.ask(RecipientsAddRequested, addition=addition))
        if not isinstance(said, BatchActionRejected):
            one = recipient_id_of(addition_id, 1)
            self.on_their_way.append((story.batch_id, addition_id, [one]))

    @precondition(lambda self: self.life.people)
    @rule(index=INDEX, who=INDEX)
    def remove(self, index: int, who: int) -> None:
        recipient_id = list(self.life.people)[who % len(self.life.people)]
        story = self.story(index)
        self.life.ask(story.ask(RecipientRemovalRequested, recipient_id=recipient_id))

    @precondition(lambda self: self.on_their_way)
    @rule(index=INDEX)
    def lose_rows(self, index: int) -> None:
        batch_id, addition_id, _ = self.on_their_way.pop(index % len(self.on_their_way))
        story = next(story for story in self.stories if story.batch_id == batch_id)
        lost = {"addition_id": addition_id, "reason": "rows_lost"}
        self.life.ask(story.ask(BatchImportFailed, **lost))

    @precondition(lambda self: self.stories)
    @rule(index=INDEX)
    def delete(self, index: int) -> None:
        if index % 10 == 0:
            self.life.delete(self.story(index).batch_id)

    @precondition(lambda self: self.life.calls)
    @rule(index=INDEX, outcome=st.sampled_from(Outcome), twice=st.booleans())
    def end(self, index: int, outcome: Outcome, twice: bool) -> None:  # noqa: FBT001
        self._over(index % len(self.life.calls), outcome, times=1 + twice)

    def _over(self, index: int, outcome: Outcome, times: int = 1) -> None:
        grant = self.life.calls.pop(index)
        end = ended(grant, outcome).model_copy(update={"ended_at": self.life.at})
        for _ in range(times):
            self.life.end(end)
        if outcome is Outcome.UNKNOWN:
            self.life.lost.append(grant)

    @precondition(lambda self: self.life.calls)
    @rule(index=INDEX, reason=st.sampled_from(ReturnReason), later=st.booleans())
    def give_back(self, index: int, reason: ReturnReason, later: bool) -> None:  # noqa: FBT001
        grant = self.life.calls.pop(index % len(self.life.calls))
        not_before = self.life.at + timedelta(minutes=5) if later else None
        self.life.end(returned(grant, reason, not_before=not_before))

    @precondition(lambda self: self.life.lost)
    @rule(index=INDEX, outcome=st.sampled_from(Outcome))
    def learn_the_truth(self, index: int, outcome: Outcome) -> None:
        self._truth(self.life.lost.pop(index % len(self.life.lost)), outcome)

    def _truth(self, grant: RecipientQueued, outcome: Outcome) -> None:
        end = ended(grant, outcome, late=True)
        self.life.end(end.model_copy(update={"ended_at": self.life.at}))

    @rule(hours=st.sampled_from([1, 30, 200]))
    def wait(self, hours: int) -> None:
        self.life.wait(timedelta(hours=hours))

    @rule(limit=st.integers(1, 4))
    def change_the_limit(self, limit: int) -> None:
        self.life.limit = limit
        self.life.decide()

    @rule(usable=st.booleans())
    def disable_or_mend_the_agent(self, usable: bool) -> None:  # noqa: FBT001
        self.life.agent_usable = usable
        self.life.decide()

    @rule()
    def restart(self) -> None:
        again = self.life.refolded()
        assert again.batches == self.life.batches
        assert again.people == self.life.people
        self.life = again
        assert self.life.decide() == []  # what was to be decided had been

    @invariant()
    def nobody_is_called_who_must_not_be(self) -> None:
        for person in self.life.people.values():
            assert person.progress.attempt <= ATTEMPT_CAP
        for grant in self.life.calls:
            assert not self.life.people[grant.recipient_id].removed

    @invariant()
    def each_status_follows_its_last(self) -> None:
        for batch_id in self.life.batches:
            said = [event.sequence for event in self.life.said if event.batch_id == batch_id]
            assert said == list(range(1, len(said) + 1))

    def teardown(self) -> None:
        while self.on_their_way:
            self.life.land(*self.on_their_way.pop())
        for _ in range(len(self.stories) + 2):
            while self.life.calls:
                index = len(self.life.calls) - 1
                self._over(index, Outcome.UNKNOWN if index % 2 else Outcome.COMPLETED)
            self.life.wait(LONG)
        for grant in self.life.lost:  # as late as can be
            self._truth(grant, Outcome.BUSY)
        assert self.life.taken == 0
        for batch in self.life.batches.values():
            assert batch.status in TERMINAL or batch.deleted
            if batch.status is BatchStatus.COMPLETED and not batch.deleted:
                self._all_are_final(batch)

    def _all_are_final(self, batch: Batch) -> None:
        batch_id = batch.batch_id
        completed = [
            event
            for event in self.life.said
            if event.batch_id == batch_id and isinstance(event, BatchCompleted)
        ]
        for person in self.life.of(batch_id):
            assert not person.progress.in_flight
            status = recipient_status(person.progress, batch.rules)
            assert completed[-1].expired or status is not RecipientStatus.PENDING


Account.TestCase.settings = settings(
    max_examples=500 if SEARCHES else 60, stateful_step_count=40, deadline=None
)
TestEveryBatchComesToAnEnd = Account.TestCase
