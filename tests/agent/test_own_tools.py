"""Tools out of an operator's module: what may stand in it, and what stops the start."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.business import SHIPPED, load_business
from agent.own_tools import OwnTools, business_and_tools, load_own_tools
from agent.prompt import CallFacts
from providers.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
FACTS = CallFacts(caller="+15550100", called=None, now=datetime(2026, 11, 22, 17, 5, tzinfo=UTC))
HEAD = "from __future__ import annotations\nfrom langchain_core.tools import BaseTool, StructuredTool, tool\n\n"
ORDER = """
@tool
def order_status(number: int) -> str:
    \"\"\"How far an order has come.\"\"\"
    return f"order {number} is on its way"
"""
MADE = """
def tools(business, facts):
    @tool
    async def who_calls() -> str:
        \"\"\"Whom the number belongs to.\"\"\"
        return f"{facts.caller} calls {business.name}"

    return [who_calls]
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "tools.py"
    sys.modules.pop("offhook_own_tools", None)


def loaded(path: Path, source: str) -> OwnTools:
    path.write_text(HEAD + source)
    return load_own_tools(str(path), load_business())


def problems(path: Path, source: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(path, source)
    assert {problem.variable for problem in caught.value.problems} == {"TOOLS_MODULE"}
    assert all(str(path) in problem.message for problem in caught.value.problems)
    return str(caught.value)


def test_no_module_is_no_tools() -> None:
    business = load_business()
    assert load_own_tools(None, business).names == ()
    assert OwnTools().for_call(business, FACTS) == ()


async def test_tools_that_stand_in_a_file(path: Path) -> None:
    own = loaded(path, ORDER + "\nthe_same_again = order_status\n")
    assert own.names == ("order_status",)
    (order,) = own.for_call(load_business(), FACTS)
    assert await order.ainvoke({"number": 7}) == "order 7 is on its way"


async def test_tools_that_are_made_for_each_call(path: Path) -> None:
    own = loaded(path, ORDER + MADE)
    assert own.names == ("who_calls",)
    (who,) = own.for_call(load_business(), FACTS)
    assert await who.ainvoke({}) == "+15550100 calls Bella Roma"


def test_a_module_by_its_import_path(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.with_name("shop_tools.py").write_text(HEAD + ORDER)
    monkeypatch.syspath_prepend(str(path.parent))
    assert load_own_tools("shop_tools", load_business()).names == ("order_status",)
    monkeypatch.delitem(sys.modules, "shop_tools")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("", "has no LangChain tools in it"),
        ("def tools(business, facts): return []", "has no LangChain tools in it"),
        ("def tools(business, facts): return [len]", "does not return a list of LangChain tools"),
        ("def tools(business, facts): return None", "does not return a list of LangChain tools"),
        ("def tools(): return []", "TypeError"),
        ("def tools(business, facts): raise OSError('no database')", "OSError: no database"),
        ("import nosuch", "ModuleNotFoundError: No module named 'nosuch'"),
        ("def", "SyntaxError"),
        ("raise SystemExit(1)", "SystemExit"),
        ("@tool\ndef bare(): return ''", "docstring"),
        (ORDER.replace("order_status", "hang_up"), "the name hang_up is taken by a built-in tool"),
        (ORDER.replace("order_status", "send_text_message"), "send_text_message is taken"),
        (ORDER + "\nanother = order_status.model_copy()\n", "2 tools are called order_status"),
        (ORDER + "\norder_status.description = ' '\n", "order_status has no description"),
        (ORDER + "\norder_status.name = 'order status'\n", "'order status' is no name for a tool"),
        ("@tool\ndef own(x: type(iter([]))) -> str:\n    'A tool.'\n    return ''", "list_iterator"),
    ],
)
def test_what_cannot_be_offered_stops_the_start(path: Path, source: str, problem: str) -> None:
    assert problem in problems(path, source)


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"TOOLS_MODULE: cannot use .*nosuch\.py: FileNotFoundError"):
        load_own_tools(str(tmp_path / "nosuch.py"), load_business())


def test_all_problems_are_told_at_once(path: Path) -> None:
    told = problems(
        path,
        ORDER + "\nfirst = order_status.model_copy(update={'name': 'hang_up', 'description': ''})\n"
        "second = first.model_copy()\n",
    )
    assert told.count("TOOLS_MODULE") == 4


def test_a_function_that_fails_later_costs_the_call_its_tools_only(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = loaded(path, MADE.replace("    @tool", "    if facts.caller: raise OSError(facts.caller)\n    @tool"))
    assert own.for_call(load_business(), FACTS) == ()
    assert "without the tools of TOOLS_MODULE: OSError" in caplog.text
    assert "+15550100" not in caplog.text


def test_the_business_may_name_what_there_is_and_no_more(path: Path) -> None:
    path.write_text(HEAD + ORDER)
    shop = path.with_name("shop.yaml")
    text = SHIPPED.read_text()
    shop.write_text(text + "\ntools: [hang_up, order_status]\n")
    business, own = business_and_tools(shop, str(path))
    assert (business.tools, own.names) == (("hang_up", "order_status"), ("order_status",))
    with pytest.raises(ConfigurationError, match=r"shop\.yaml, line \d+: tools\[1\]: there is no tool of that name"):
        business_and_tools(shop, None)


def test_the_examples_in_the_documentation_work(path: Path) -> None:
    page = (ROOT / "docs" / "tools.md").read_text()
    standing, made = (block.split("```")[0] for block in page.split("```python\n")[1:])
    assert loaded(path, standing).names == ("order_status", "cancel_order")
    assert loaded(path, made).names == ("my_orders",)
