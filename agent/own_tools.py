"""The operator's own tools: LangChain tools out of a module that a setting names."""

import importlib
import importlib.util
import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.business import Business, load_business
from agent.prompt import CallFacts
from agent.tools import BUILT_IN
from providers.errors import ConfigurationError, Problem

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What the strictest of the vendors take for the name of a function."""


@dataclass(frozen=True, slots=True)
class OwnTools:
    """The operator's tools as they were found at the start; `names` is empty if there are none."""

    names: tuple[str, ...] = ()
    make: Callable[[Business, CallFacts], Sequence[BaseTool]] = lambda business, facts: ()

    def for_call(self, business: Business, facts: CallFacts) -> Sequence[BaseTool]:
        """The tools of one call. If the operator's code fails now, the call has to do without them."""
        try:
            return self.make(business, facts)
        except Exception as error:  # its words may hold the caller's number
            logger.error("a call has to do without the tools of TOOLS_MODULE: %s", type(error).__name__)
            return ()


def business_and_tools(business_file: str | Path | None, tools_module: str | None) -> tuple[Business, OwnTools]:
    """The business and the operator's tools, each checked against the other. Raises `ConfigurationError`."""
    business = load_business(business_file)
    own = load_own_tools(tools_module, business)
    return load_business(business_file, tools=(*BUILT_IN, *own.names)), own


def load_own_tools(module: str | None, business: Business) -> OwnTools:
    """Import the tools of `module`: an import path, a file that ends in `.py`, or None for no tools.

    They are the tools that stand in the module, or what its function `tools(business, facts)` returns, which is called
    for every call, and here once for a call without numbers. Raises `ConfigurationError` with all that is wrong.
    """
    if module is None:
        return OwnTools()
    try:
        found = _imported(module)
        make = _maker(found, module)
        tools = make(business, CallFacts(None, None, datetime.now(business.zone)))
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:  # whatever the operator's own code may raise
        raise ConfigurationError.of("TOOLS_MODULE", f"cannot use {module}: {type(error).__name__}: {error}") from error
    return OwnTools(tuple(tool.name for tool in tools), make)


def _imported(module: str) -> ModuleType:
    if not module.endswith(".py"):
        return importlib.import_module(module)
    spec = importlib.util.spec_from_file_location("offhook_own_tools", module)
    assert spec is not None  # noqa: S101 - the suffix is known to have a loader
    assert spec.loader is not None  # noqa: S101
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # where the annotations of its functions are looked up
    spec.loader.exec_module(found)
    return found


def _maker(found: ModuleType, module: str) -> Callable[[Business, CallFacts], Sequence[BaseTool]]:
    function = getattr(found, "tools", None)
    if callable(function) and not isinstance(function, BaseTool):
        return lambda business, facts: _checked(function(business, facts), module)
    things = {
        id(thing): thing for thing in vars(found).values() if isinstance(thing, BaseTool)
    }  # one may have two names
    standing = _checked(list(things.values()), module)
    return lambda business, facts: standing


def _checked(tools: object, module: str) -> Sequence[BaseTool]:
    """The tools, if a model can be offered all of them side by side with ours."""
    if not isinstance(tools, list | tuple) or not all(isinstance(tool, BaseTool) for tool in tools):
        raise ConfigurationError.of("TOOLS_MODULE", f"{module}: its function does not return a list of LangChain tools")
    if not tools:
        raise ConfigurationError.of("TOOLS_MODULE", f"{module} has no LangChain tools in it")
    problems = [*_problems(tools)]
    if problems:
        raise ConfigurationError(Problem("TOOLS_MODULE", f"{module}: {problem}") for problem in problems)
    return tools


def _problems(tools: Sequence[BaseTool]) -> Iterator[str]:
    for name, count in Counter(tool.name for tool in tools).items():
        if count > 1:
            yield f"{count} tools are called {name}"
        if name in BUILT_IN:
            yield f"the name {name} is taken by a built-in tool"
        if not _NAME.fullmatch(name):
            yield f"{name!r} is no name for a tool: letters, digits, - and _, at most 64"
    for tool in tools:
        if not tool.description.strip():
            yield f"{tool.name} has no description, from which the model learns what it is for"
        try:
            convert_to_openai_tool(tool)
        except Exception as error:
            yield f"the arguments of {tool.name} cannot be described to a model: {type(error).__name__}: {error}"
