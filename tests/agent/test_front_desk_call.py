"""A whole call of the embedded model: prompt, history, replies and tools together."""

import json
from datetime import UTC, datetime
from pathlib import Path

from agent.business import load_business
from agent.frontdesk.model import FrontDeskModel
from agent.history import History
from agent.minds import Minds
from agent.prompt import CallFacts, system_prompt
from agent.reply import Sentence, ToolRound, reply
from agent.tools import Book, ControlRequested, front_desk_tools


async def test_a_table_is_booked_and_the_manager_asked_for(tmp_path: Path) -> None:
    business, path = load_business(), tmp_path / "book.jsonl"
    facts = CallFacts(caller="+15550100", called=None, now=datetime(2026, 11, 22, 17, 5, tzinfo=UTC))
    model = FrontDeskModel(business=business, now=lambda: facts.now)
    tools = front_desk_tools(business, facts, Book(path))
    history = History(system_prompt(business, facts))
    history.bot_said(business.greeting)

    async def answer(said: str) -> list[object]:
        history.caller_said(said)
        events: list[object] = []
        async for event in reply(Minds({"local": model}), history.messages(), tools):
            events.append(event)
            match event:
                case Sentence(text):
                    history.bot_said(text)
                case ToolRound(asked, answers):
                    history.tool_round(asked, answers)
        return events

    await answer("I'd like to book a table for four on Friday at half past seven")
    await answer("Ruiz")
    await answer("yes")
    (line,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert (line["name"], line["party_size"], line["date"], line["time"]) == ("Ruiz", 4, "2026-11-27", "19:30")
    assert ControlRequested("transfer_call", {"destination": "manager"}) in await answer("can I talk to the manager")
