"""The tools of invented time: the front desk's own and the scenario's, each noted when it is called."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, ConfigDict, create_model

from agent.tools import Book, CallControl, ControlRequested, Entry
from telephony.scenarios.bot import ScriptedTool

type Note = Callable[[str, Mapping[str, object]], None]
"""Told the name of a tool and its arguments."""


class MemoryBook(Book):
    """A book that no file is written for: writing one takes a thread, which invented time has not."""

    def __init__(self) -> None:
        super().__init__("")
        self.entries: list[Entry] = []

    async def add(self, entry: Entry) -> None:
        self.entries.append(entry)


def noted(tool: BaseTool, note: Note) -> BaseTool:
    """The same tool, telling `note` when the model's call of it is carried out."""
    if isinstance(tool, CallControl):
        return _NotedControl(
            name=tool.name,
            description=tool.description,
            args_schema=tool.args_schema,
            result=tool.result,
            metadata=tool.metadata,
            note=note,
        )
    if not isinstance(tool, StructuredTool) or tool.coroutine is None:
        return tool
    run: Callable[..., Awaitable[Any]] = tool.coroutine

    async def call(**arguments: Any) -> Any:
        note(tool.name, arguments)
        return await run(**arguments)

    return tool.model_copy(update={"coroutine": call})


class _NotedControl(CallControl):
    note: Note

    def requested(self, arguments: Mapping[str, Any]) -> ControlRequested:
        found = super().requested(arguments)
        self.note(found.name, found.args)
        return found


def scripted_tool(wanted: ScriptedTool) -> BaseTool:
    """A tool as the scenario describes it."""

    async def run(**arguments: Any) -> str:
        await asyncio.sleep(wanted.takes)
        if wanted.fail:
            raise ToolException("It failed.")
        return wanted.gives

    fields: dict[str, Any] = dict.fromkeys(wanted.args, (Any, ...))
    schema: type[BaseModel] = create_model(wanted.name, __config__=ConfigDict(extra="forbid"), **fields)
    return StructuredTool(
        name=wanted.name,
        description=wanted.description,
        args_schema=schema,
        coroutine=run,
        metadata={"safe": wanted.safe},
    )
