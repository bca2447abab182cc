"""What the front desk's tests share: its tools as anybody could write them, and a caller who talks to it."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool, tool

from agent.business import Business, load_business
from agent.frontdesk.model import FrontDeskModel

NOW = datetime(2026, 11, 25, 18, 30, tzinfo=ZoneInfo("America/New_York"))  # a Wednesday


@tool
def hang_up(reason: str) -> str:
    """End the call."""
    return reason


@tool
def transfer_call(destination: str) -> str:
    """Put the caller through."""
    return destination


@tool
def take_booking(what: str, name: str, party_size: int, date: str, time: str) -> str:
    """Write down a booking."""
    return f"{what} {name} {party_size} {date} {time}"


@tool
def take_message(name: str, message: str, callback_number: str) -> str:
    """Write down a message."""
    return f"{name} {message} {callback_number}"


TOOLS: list[BaseTool] = [hang_up, transfer_call, take_booking, take_message]


class Caller:
    """Keeps the history of one call as `agent.history` would, and talks to the model by its stream."""

    def __init__(
        self,
        business: Business | None = None,
        tools: Sequence[BaseTool] = TOOLS,
        system: str = "You answer the telephone.",
        now: datetime = NOW,
    ) -> None:
        business = business or load_business()
        model = FrontDeskModel(business=business, now=lambda: now)
        self._model = model.bind_tools(tools) if tools else model
        self.history: list[BaseMessage] = [SystemMessage(system), AIMessage(business.greeting)]
        self.calls: list[tuple[str, dict[str, object]]] = []

    async def says(self, text: str) -> str:
        """Say something and hear the whole answer; the tools it called are in `calls`."""
        self.history.append(HumanMessage(text))
        return await self.hears()

    async def cuts_off(self, text: str, after: int) -> str:
        """Say something, and hear only so many characters of the answer; a tool that it asked for is not called."""
        self.history.append(HumanMessage(text))
        whole = await self._answer()
        if whole.text[:after].strip():
            self.history.append(AIMessage(whole.text[:after].strip() + "—"))
        return whole.text

    async def hears(self) -> str:
        answer = await self._answer()
        self.calls += [(call["name"], call["args"]) for call in answer.tool_calls]
        self.history.append(AIMessage(answer.text, tool_calls=answer.tool_calls))
        return answer.text

    async def tool_answers(self, content: str = "done", failed: bool = False) -> str:
        """The last tool gives its result; returns what the model says to that."""
        last = self.history[-1]
        assert isinstance(last, AIMessage)
        status = "error" if failed else "success"
        self.history.append(ToolMessage(content, tool_call_id=last.tool_calls[-1]["id"] or "", status=status))
        return await self.hears()

    async def _answer(self) -> AIMessageChunk:
        whole: AIMessageChunk | None = None
        async for chunk in self._model.astream(self.history):
            assert isinstance(chunk, AIMessageChunk)
            whole = chunk if whole is None else whole + chunk
        assert whole is not None
        return whole
