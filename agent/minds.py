"""The language models that the settings name, in the order they are asked, each left alone while it is failing."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, cast

from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import HumanMessage

from agent.failures import llm_error
from providers.breaker import Breaker
from providers.lineup import Choice, Lineup

type Mind = Choice[BaseLanguageModel[Any]]

_PROBE = (HumanMessage("Hello."),)


class Minds(Lineup[BaseLanguageModel[Any]]):
    """Models by name, the first choice first; one of these serves all calls of the process."""

    def __init__(self, models: Mapping[str, BaseLanguageModel[Any]]) -> None:
        super().__init__((Choice(model, name, Breaker()) for name, model in models.items()), _first_piece)


async def _first_piece(mind: Mind) -> None:
    """Ask for something small, and go away when the answer begins. Raises `LLMError`."""
    try:
        async with aclosing(cast(AsyncGenerator[object], mind.engine.astream(_PROBE))) as pieces:
            await anext(pieces, None)
    except Exception as error:
        raise llm_error(error, mind.name) from error
