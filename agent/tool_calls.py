"""Tool calls as models stream them: joined from fragments, run, and written back into the conversation."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
from langchain_core.messages import AIMessage, AIMessageChunk, ToolCallChunk, ToolMessage
from langchain_core.messages.tool import tool_call, tool_call_chunk
from langchain_core.tools import BaseTool, ToolException
from pydantic import ValidationError

from agent.tools import CallControl, ControlRequested, is_safe

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Call:
    """One call of a tool. `json` is what the model wrote for arguments, so far."""

    index: int | None
    id: str = ""
    name: str = ""
    json: str = ""

    def arguments(self) -> dict[str, Any] | None:
        """The arguments, or None if they are no JSON object."""
        try:
            found = orjson.loads(self.json.strip() or "{}")
        except orjson.JSONDecodeError:
            return None
        return found if isinstance(found, dict) else None


class Calls:
    """The tool calls of one answer, while their fragments come in."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def feed(self, message: AIMessage) -> int:
        """Take a chunk, or the whole message of a model that does not stream; returns how much was in it."""
        pieces = message.tool_call_chunks if isinstance(message, AIMessageChunk) else _pieces(message)
        for piece in pieces:
            call = self._call(piece["index"], piece["id"] or "", piece["name"] or "")
            call.json += piece["args"] or ""
        return sum(1 + len(piece["args"] or "") for piece in pieces)

    def finish(self) -> list[Call]:
        """All calls, each with an id: some servers send none."""
        for call in self._calls:
            call.id = call.id or f"call_{uuid4().hex}"
        return self._calls

    def _call(self, index: int | None, id: str, name: str) -> Call:
        """The call that a fragment belongs to.

        The index says which; but NIM sends whole calls without one, and there are servers that number every call 0, so
        another id, or a name where there is no index, begins another call.
        """
        call = next((call for call in reversed(self._calls) if call.index == index), None)
        if call is None or (id and call.id and id != call.id) or (index is None and name):
            call = Call(index)
            self._calls.append(call)
        call.id, call.name = call.id or id, call.name or name
        return call


def _pieces(message: AIMessage) -> list[ToolCallChunk]:
    whole = [
        tool_call_chunk(name=call["name"], args=orjson.dumps(call["args"]).decode(), id=call["id"])
        for call in message.tool_calls
    ]
    return whole + [
        tool_call_chunk(name=call["name"], args=call["args"], id=call["id"]) for call in message.invalid_tool_calls
    ]


def asking_message(text: str, calls: Sequence[Call]) -> AIMessage:
    """The model's answer as the conversation has it from now on, arguments that were no JSON left empty.

    ChatNVIDIA sends back only what stands in `additional_kwargs`, ChatOpenAI prefers `tool_calls`, and servers refuse
    a history with broken JSON in it.
    """
    arguments = [(call, call.arguments() or {}) for call in calls]
    return AIMessage(
        text,
        tool_calls=[tool_call(name=call.name, args=args, id=call.id) for call, args in arguments],
        additional_kwargs={
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": orjson.dumps(args).decode()},
                }
                for call, args in arguments
            ]
        },
    )


def have_effects(calls: Iterable[Call], tools: Mapping[str, BaseTool]) -> bool:
    """Whether carrying the calls out would do anything that could not be forgotten again."""
    return any(call.name in tools and not is_safe(tools[call.name]) for call in calls)


def to_run(calls: Iterable[Call], tools: Mapping[str, BaseTool]) -> tuple[str, ...]:
    """The names of the tools that take time of their own, controls being none."""
    return tuple(call.name for call in calls if call.name in tools and not isinstance(tools[call.name], CallControl))


async def run_calls(
    calls: Sequence[Call], tools: Mapping[str, BaseTool], limit_s: float, limit_characters: int
) -> ControlRequested | list[ToolMessage]:
    """Run all calls side by side, each within `limit_s`; or, if nothing but call controls was asked for, the first.

    Never raises for what a tool or a model does wrong: the model is told instead. A control asked for together with
    other tools is put off until the model has seen how those went. Cancelling cancels the tools.
    """
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(_outcome(call, tools, limit_s)) for call in calls]
    outcomes = [task.result() for task in running]
    controls = [outcome for outcome in outcomes if isinstance(outcome, ControlRequested)]
    if controls and len(controls) == len(outcomes):
        return controls[0]
    return [
        _told(call, "Not done yet. Tell the caller how the rest went, then ask for this again.", failed=True)
        if isinstance(outcome, ControlRequested)
        else outcome.model_copy(update={"content": str(outcome.content)[:limit_characters]})
        for call, outcome in zip(calls, outcomes, strict=True)
    ]


async def _outcome(call: Call, tools: Mapping[str, BaseTool], limit_s: float) -> ControlRequested | ToolMessage:
    tool, arguments = tools.get(call.name), call.arguments()
    if tool is None:
        return _told(call, f"There is no tool of that name, only: {', '.join(tools)}.", failed=True)
    if arguments is None:
        return _told(call, "Nothing was done: the arguments were not a JSON object.", failed=True)
    try:
        if isinstance(tool, CallControl):
            return tool.requested(arguments)
        if unknown := _unknown(arguments, tool):
            return _told(call, f"Nothing was done: there is no argument {', '.join(unknown)}.", failed=True)
        async with asyncio.timeout(limit_s):
            return _result(call, await tool.ainvoke(tool_call(name=call.name, args=arguments, id=call.id)))
    except ToolException as error:
        return _told(call, str(error), failed=True)
    except TimeoutError:
        logger.error("the tool %s took longer than %g s", call.name, limit_s)
        return _told(call, "No answer came in time: it may or may not be done. Tell the caller so.", failed=True)
    except asyncio.CancelledError as error:
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        return _broken(call, error)  # the tool cancelled itself, not we the tool
    except (Exception, SystemExit) as error:
        if isinstance(error, ValidationError) and error.title == getattr(tool.args_schema, "__name__", None):
            return _told(call, f"Nothing was done: {_problems(error)}", failed=True)
        return _broken(call, error)


def _unknown(arguments: Mapping[str, Any], tool: BaseTool) -> list[str]:
    """Arguments that an operator's tool does not take: LangChain would drop them in silence."""
    open_ended = getattr(tool.args_schema, "model_config", {}).get("extra") == "allow"
    return [] if open_ended else [name for name in arguments if name not in tool.args]


def _problems(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())


def _result(call: Call, answered: object) -> ToolMessage:
    """What a tool gave, as text: LangChain has made a message of it, and JSON of what was no text."""
    if isinstance(answered, ToolMessage):
        return _told(call, str(answered.text), failed=answered.status == "error")
    return _told(call, str(answered))


def _broken(call: Call, error: BaseException) -> ToolMessage:
    """An operator's own tool may raise anything; of its words nothing is logged or told, for they may be a caller's."""
    logger.error("the tool %s failed: %s", call.name, type(error).__name__)
    return _told(call, "It failed: do not count on any of it. Tell the caller so.", failed=True)


def _told(call: Call, content: str, failed: bool = False) -> ToolMessage:
    return ToolMessage(content, tool_call_id=call.id, name=call.name, status="error" if failed else "success")
