"""What an account has, version by version, as ingest tells it."""

from datetime import timedelta
from random import Random

from contracts import directory
from tests.log_of_calls import ACCOUNT, START, Stream


def directory_streams(random: Random) -> list[Stream]:
    def versions() -> range:
        return range(1, random.randint(1, 3) + 1)

    def common(version: int) -> dict[str, object]:
        return {"account_id": ACCOUNT, "at": START, "actor": "api", "version": version}

    return [
        [directory.AccountConfigured(**common(v), concurrency=v) for v in versions()],
        [
            random.choice([directory.AgentRegistered, directory.AgentDisabled])(
                **common(v), agent_id="anna", name=f"Anna {v}", active=random.random() < 0.5
            )
            for v in versions()
        ],
        [
            directory.PhoneNumberRegistered(
                **common(v), phone_number="+33123456789", outbound=random.random() < 0.5
            )
            for v in versions()
        ],
        [
            random.choice([directory.SuppressionAdded, directory.SuppressionRemoved])(
                **common(v),
                digest="ab" * 32,
                source="api",
                expires_at=random.choice([None, START + timedelta(days=v)]),
            )
            for v in versions()
        ],
    ]
