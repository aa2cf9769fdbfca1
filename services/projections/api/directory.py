"""What an account has: its settings, agents and caller ids."""

from fastapi import APIRouter

from chassis.postgres import Pool
from chassis.problems import Problem
from services.projections.api.account import Account
from services.projections.api.pages import BY_NAME, Page, after, page_of
from services.projections.api.parameters import NoParameters, PageParameters
from services.projections.api.shapes import AccountShape, AgentShape, PhoneNumberShape
from services.projections.domain.account import Configuration
from services.projections.store import reading


def directory(pool: Pool) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["directory"])

    @router.get("/account")
    async def read_account(account: Account, _: NoParameters) -> AccountShape:
        """Its settings, once somebody has set them or used it."""
        async with reading(pool) as reads:
            row = await reads.account(account)
        if row is None:
            raise Problem(
                404, "account_not_found", "The account is not configured.", "PUT /v1/account."
            )
        configuration = Configuration.model_validate(row["configuration"])
        return AccountShape(account_id=account, **dict(configuration))

    @router.get("/agents")
    async def list_agents(account: Account, asked: PageParameters) -> Page[AgentShape]:
        """By id; disabled ones, too."""
        (last,) = after(asked.cursor, BY_NAME) or ("",)
        async with reading(pool) as reads:
            rows = await reads.agents_page(account, after=last, limit=asked.limit + 1)
        return page_of(
            rows, asked.limit, lambda row: AgentShape(**row), lambda row: (row["agent_id"],)
        )

    @router.get("/phone-numbers")
    async def list_phone_numbers(account: Account, asked: PageParameters) -> Page[PhoneNumberShape]:
        """Caller ids; disabled ones, too."""
        (last,) = after(asked.cursor, BY_NAME) or ("",)
        async with reading(pool) as reads:
            rows = await reads.phone_numbers_page(account, after=last, limit=asked.limit + 1)
        return page_of(
            rows,
            asked.limit,
            lambda row: PhoneNumberShape(**row),
            lambda row: (row["phone_number"],),
        )

    return router
