"""The account, its agents and its numbers: each write answers with the entry as it now stands."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from chassis.problems import Problem
from chassis.vault import account_scope
from contracts.directory import (
    AccountConfigured,
    AgentEvent,
    AgentRegistered,
    DirectoryEvent,
    PhoneNumberEvent,
    PhoneNumberRegistered,
)
from contracts.sealed import Seal
from services.ingest import position
from services.ingest.api.account import ACTOR, Account
from services.ingest.api.entries import AccountAnswer, AgentAnswer, PhoneNumberAnswer
from services.ingest.api.parts import Ready
from services.ingest.domain.directory import (
    account_key,
    agent_disabled,
    agent_key,
    number_disabled,
    number_key,
)
from services.ingest.domain.fields import AgentId, PhoneNumber
from services.ingest.domain.requests import AccountRequest, AgentRequest, PhoneNumberRequest

router = APIRouter(prefix="/v1", tags=["directory"])

Agent = Annotated[AgentId, Path()]
Number = Annotated[PhoneNumber, Path()]


@router.put("/account")
async def configure_account(
    request: AccountRequest, account_id: Account, parts: Ready, response: Response
) -> AccountAnswer:
    def decide(_: DirectoryEvent | None, at: datetime) -> AccountConfigured:
        return AccountConfigured(
            account_id=account_id, at=at, version=1, actor=ACTOR, **dict(request)
        )

    event = await parts.directory.write(account_key(account_id), decide)
    _place(response, event)
    return AccountAnswer(account_id=account_id, **dict(request))


@router.put("/agents/{agent_id}")
async def register_agent(
    agent_id: Agent, request: AgentRequest, account_id: Account, parts: Ready, response: Response
) -> AgentAnswer:
    seal = await parts.seals.create(account_scope(account_id))

    def decide(known: DirectoryEvent | None, at: datetime) -> AgentRegistered:
        return AgentRegistered(
            account_id=account_id,
            at=at,
            version=1,
            actor=ACTOR,
            agent_id=agent_id,
            name=request.name,
            phone_number=request.phone_number,
            active=request.active,
            webhook=_sealed(request.webhook_url, known, seal),
        )

    event = await parts.directory.write(agent_key(account_id, agent_id), decide)
    _place(response, event)
    return AgentAnswer(agent_id=agent_id, **dict(request))


@router.delete("/agents/{agent_id}", status_code=204)
async def disable_agent(
    agent_id: Agent, account_id: Account, parts: Ready, response: Response
) -> None:
    def decide(known: DirectoryEvent | None, at: datetime) -> DirectoryEvent:
        if not isinstance(known, AgentEvent):
            raise _not_found("agent_not_found", "There is no such agent.")
        return agent_disabled(known, actor=ACTOR, at=at)

    _place(response, await parts.directory.write(agent_key(account_id, agent_id), decide))


@router.put("/phone-numbers/{e164}")
async def register_number(
    e164: Number,
    request: PhoneNumberRequest,
    account_id: Account,
    parts: Ready,
    response: Response,
) -> PhoneNumberAnswer:
    def decide(_: DirectoryEvent | None, at: datetime) -> PhoneNumberRegistered:
        return PhoneNumberRegistered(
            account_id=account_id,
            at=at,
            version=1,
            actor=ACTOR,
            phone_number=e164,
            outbound=request.outbound,
        )

    event = await parts.directory.write(number_key(account_id, e164), decide)
    _place(response, event)
    return PhoneNumberAnswer(phone_number=e164, outbound=request.outbound, active=True)


@router.delete("/phone-numbers/{e164}", status_code=204)
async def disable_number(
    e164: Number, account_id: Account, parts: Ready, response: Response
) -> None:
    def decide(known: DirectoryEvent | None, at: datetime) -> DirectoryEvent:
        if not isinstance(known, PhoneNumberEvent):
            raise _not_found("phone_number_not_found", "There is no such number.")
        return number_disabled(known, actor=ACTOR, at=at)

    _place(response, await parts.directory.write(number_key(account_id, e164), decide))


def _place(response: Response, event: DirectoryEvent) -> None:
    response.headers[position.HEADER] = position.of_entry(event)


def _sealed(address: str | None, known: DirectoryEvent | None, seal: Seal) -> str | None:
    """The seal the entry has, if it holds this address: another would look like a change."""
    if address is None:
        return None
    before = known.webhook if isinstance(known, AgentEvent) else None
    return before if before and seal.text(before) == address else seal.close(address)


def _not_found(code: str, title: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, code, title, "Register it first.")
