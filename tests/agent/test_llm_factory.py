"""Models from settings: the shipped providers, import paths, the cache, and the owner's recipe for a new one."""

import inspect
import sys
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
from langchain_core.callbacks import CallbackManager
from langchain_core.language_models import BaseLanguageModel, FakeListChatModel

import agent
from agent import llm_factory
from agent.frontdesk.model import FrontDeskModel
from agent.llm_factory import LLMFactory
from providers.errors import ConfigurationError
from tests.agent.conftest import Configure

MODEL = FakeListChatModel(responses=["Hi."])
NOT_A_MODEL = "a string"


def make_model() -> FakeListChatModel:
    return FakeListChatModel(responses=["Made."])


class OwnModel(FakeListChatModel):
    responses: list[str] = ["Own."]  # noqa: RUF012 - pydantic copies it


def problem(error: ConfigurationError) -> tuple[str, str]:
    (found,) = error.problems
    return found.variable, found.message


def test_the_embedded_model_is_the_default(configure: Configure) -> None:
    model = LLMFactory.create_llm()
    assert isinstance(model, FrontDeskModel)
    assert model.business.name == "Bella Roma"


def test_nvidia_gets_its_settings_and_sends_no_telemetry(configure: Configure) -> None:
    configure(LLM_PROVIDER="NVIDIA", NVIDIA_API_KEY="nv-key", LLM_TEMPERATURE="0.2", LLM_MAX_TOKENS="99")
    model: Any = LLMFactory.create_llm()
    assert (model.model, model.temperature, model.max_tokens) == ("meta/llama-3.1-8b-instruct", 0.2, 99)
    assert model._async_client.api_key.get_secret_value() == "nv-key"
    assert model._async_client.usage_telemetry_enabled is False
    assert "nv-key" not in repr(model)


@pytest.mark.parametrize(
    ("variables", "base_url", "key", "limit"),
    [
        (
            {"LLM_PROVIDER": "openai", "OPENAI_API_KEY": "k", "OPENAI_MODEL": "m"},
            "https://api.openai.com/v1",
            "k",
            {"max_completion_tokens": 1024},
        ),
        (
            {"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_MODEL": "m"},
            "http://127.0.0.1:9/v1",
            "unused",
            {"max_tokens": 1024},
        ),
        (
            {"LLM_PROVIDER": "huggingface", "HF_TOKEN": "k", "HF_MODEL": "m"},
            "https://router.huggingface.co/v1",
            "k",
            {"max_tokens": 1024},
        ),
    ],
)
def test_openai_and_its_likes_get_their_settings(
    configure: Configure, variables: dict[str, str], base_url: str, key: str, limit: dict[str, int]
) -> None:
    configure(**variables)
    model: Any = LLMFactory.create_llm()
    assert (model.model_name, model.openai_api_base, model.max_retries, model.extra_body) == ("m", base_url, 0, limit)
    assert model.openai_api_key.get_secret_value() == key


@pytest.mark.parametrize(
    ("variables", "variable"),
    [
        ({"LLM_PROVIDER": "nvidia"}, "NVIDIA_API_KEY"),
        ({"LLM_PROVIDER": "openai"}, "OPENAI_API_KEY"),
        ({"LLM_PROVIDER": "huggingface", "HF_MODEL": "m"}, "HF_TOKEN"),
        ({"LLM_PROVIDER": "huggingface", "HF_TOKEN": "k"}, "HF_MODEL"),
        ({"LLM_PROVIDER": "nosuch:Model"}, "LLM_PROVIDER"),
        ({"LLM_PROVIDER": "agent.llm_factory:Nothing"}, "LLM_PROVIDER"),
        ({"LLM_PROVIDER": f"{__name__}:NOT_A_MODEL"}, "LLM_PROVIDER"),
        ({"BUSINESS_FILE": "nosuch.yaml"}, "BUSINESS_FILE"),
    ],
)
def test_what_is_missing_is_named(configure: Configure, variables: dict[str, str], variable: str) -> None:
    configure(**variables)
    with pytest.raises(ConfigurationError) as caught:
        LLMFactory.create_llm()
    assert problem(caught.value)[0] == variable


def test_a_missing_package_is_named(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_openai", None)
    configure(LLM_PROVIDER="openai", OPENAI_API_KEY="k")
    with pytest.raises(ConfigurationError, match=r"offhook\[openai\]"):
        LLMFactory.create_llm()


@pytest.mark.parametrize(("name", "says"), [("MODEL", "Hi."), ("make_model", "Made."), ("OwnModel", "Own.")])
async def test_a_model_of_ones_own_is_imported(configure: Configure, name: str, says: str) -> None:
    configure(LLM_PROVIDER=f"{__name__}:{name}")
    assert (await LLMFactory.create_llm().ainvoke("Hello?")).content == says


def test_a_model_is_made_once_for_the_same_settings(configure: Configure) -> None:
    configure(LLM_PROVIDER=f"{__name__}:make_model")
    first = LLMFactory.create_llm()
    assert LLMFactory.create_llm() is first
    assert LLMFactory.create_llm(use_cache=False) is not first
    assert LLMFactory.create_llm() is first
    configure(LLM_PROVIDER=f"{__name__}:make_model", LLM_TEMPERATURE="0")
    changed = LLMFactory.create_llm()
    assert changed is not first
    LLMFactory.reset_cache()
    assert LLMFactory.create_llm() is not changed


def test_tracing_stays_off(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.setenv(name, "true")
    LLMFactory.create_llm()
    assert CallbackManager.configure().handlers == []


RECIPE = """\
        if provider == "myprovider":
            logger.info(f"Initializing MyProvider LLM: {settings.llm.MY_PROVIDER_MODEL}")
            llm = MyProviderLLM(
                model=settings.llm.MY_PROVIDER_MODEL,
                api_key=settings.llm.MY_PROVIDER_API_KEY,
                temperature=settings.llm.LLM_TEMPERATURE,
                max_tokens=settings.llm.LLM_MAX_TOKENS,
            )
"""


class MyProviderLLM(FakeListChatModel):
    responses: list[str] = ["Mine."]  # noqa: RUF012 - pydantic copies it
    model: str
    api_key: str
    temperature: Any
    max_tokens: Any


@pytest.mark.parametrize("before", ['        if provider == "local":', "        if llm is None:"])
def test_the_owners_recipe_for_a_new_provider_works(monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    source = inspect.getsource(llm_factory)
    assert source.count(before) == 1
    package = ModuleType("langchain_myprovider")
    monkeypatch.setattr(package, "MyProviderLLM", MyProviderLLM, raising=False)
    monkeypatch.setitem(sys.modules, "langchain_myprovider", package)
    edited = ModuleType("agent.llm_factory")
    text = source.replace("\nlogger =", "\nfrom langchain_myprovider import MyProviderLLM\n\nlogger =", 1)
    exec(compile(text.replace(before, RECIPE + before), "llm_factory.py", "exec"), edited.__dict__)  # noqa: S102
    monkeypatch.setitem(sys.modules, "agent.llm_factory", edited)
    monkeypatch.setattr(agent, "llm_factory", edited)

    with patch("agent.llm_factory.settings") as mock_settings:
        mock_settings.llm.LLM_PROVIDER = "myprovider"
        mock_settings.llm.MY_PROVIDER_MODEL = "test-model"
        mock_settings.llm.MY_PROVIDER_API_KEY = "test-key"

        llm: BaseLanguageModel[Any] = edited.LLMFactory.create_llm(use_cache=False)
        assert llm is not None
        assert (llm.model, llm.api_key) == ("test-model", "test-key")  # type: ignore[attr-defined]
        assert edited.LLMFactory.create_llm() is not llm


def test_an_unknown_provider_is_a_value_error() -> None:
    with patch("agent.llm_factory.settings") as mock_settings:
        mock_settings.llm.LLM_PROVIDER = "nobody"
        with pytest.raises(ValueError, match="Unknown LLM provider: nobody"):
            LLMFactory.create_llm(use_cache=False)


def test_the_models_of_both_settings_stand_in_line(configure: Configure) -> None:
    assert list(LLMFactory.create_all()) == ["local"]
    made = f"{__name__}:make_model"
    configure(LLM_PROVIDER=f" {made}, Local", LLM_FALLBACK_PROVIDER=f"{__name__}:MODEL,local")
    models = LLMFactory.create_all()
    assert list(models) == [made, "local", f"{__name__}:MODEL"]
    assert isinstance(models["local"], FrontDeskModel)
    assert models[f"{__name__}:MODEL"] is MODEL
    assert models[made] is LLMFactory.create_llm()


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("nobody", "LLM_FALLBACK_PROVIDER"),
        ("nosuch:Model", "LLM_FALLBACK_PROVIDER"),
        (f"{__name__}:NOT_A_MODEL", "LLM_FALLBACK_PROVIDER"),
        ("openai", "OPENAI_API_KEY"),
    ],
)
def test_what_is_wrong_with_one_that_stands_by_is_named(configure: Configure, provider: str, variable: str) -> None:
    configure(LLM_FALLBACK_PROVIDER=provider)
    with pytest.raises(ConfigurationError) as caught:
        LLMFactory.create_all()
    assert problem(caught.value)[0] == variable


def test_what_is_wrong_with_all_of_them_is_told_at_once(configure: Configure) -> None:
    configure(LLM_PROVIDER="nosuch:Model,openai", LLM_FALLBACK_PROVIDER="nobody")
    with pytest.raises(ConfigurationError) as caught:
        LLMFactory.create_all()
    named = [problem.variable for problem in caught.value.problems]
    assert named == ["LLM_PROVIDER", "OPENAI_API_KEY", "LLM_FALLBACK_PROVIDER"]


@pytest.mark.parametrize("listed", ["", ",", "local,nobody"])
def test_a_list_without_a_model_that_is_known_is_refused(configure: Configure, listed: str) -> None:
    configure(LLM_PROVIDER=listed or " ")
    with pytest.raises(ConfigurationError, match="must be one of"):
        LLMFactory.create_llm()
