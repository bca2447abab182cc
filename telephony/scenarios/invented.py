"""Runs a scenario in invented time: the real call, engines that do as the scenario says, our carrier at the far end."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace

from langchain_core.language_models import BaseChatModel

from agent.business import Business, load_business
from agent.history import History
from agent.prompt import CallFacts, system_prompt
from agent.tools import call_tools
from telephony.call.journal import Entry, Kind
from telephony.call.journal import Journal as CallJournal
from telephony.call.memory import remember
from telephony.call.rules import CallRules
from telephony.call.session import CallSession, Engines, Mind
from telephony.persona import call_rules
from telephony.scenarios import steps
from telephony.scenarios.bot import Reply
from telephony.scenarios.caller import Cue, LineFaults, ScenarioCaller
from telephony.scenarios.clock import InventedTimeLoop
from telephony.scenarios.format import RULES, Scenario
from telephony.scenarios.line import InventedLine
from telephony.scenarios.models import NotedFrontDesk, ScriptedModel
from telephony.scenarios.run import Run, in_order, remembered, unheard
from telephony.scenarios.sounds import Reader, noise, speech
from telephony.scenarios.tools import MemoryBook, noted, scripted_tool
from telephony.scenarios.voices import LoudnessDetection, ScriptedVoice, recogniser
from telephony.simulator.events import BotReported, CallEnded, Dialled, Warned
from telephony.simulator.journal import Journal

CALLER = "+15005550006"
CALLED = "+15005550001"
RINGS_S = 15.0
"""How long somebody's telephone rings who does not answer."""
TURN_END_SILENCE_S = 0.5
"""What an operator has who sets nothing."""


def run_invented(scenario: Scenario) -> Run:
    """Make the call, in a loop of its own; the same scenario always gives the same run. Never raises for the call.

    Raises `ConfigurationError` for a business file that cannot be used.
    """
    business = load_business(scenario.bot.business)
    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        return runner.run(_Call(scenario, business).run())


class ReaderWords:
    """What the caller makes out, read from the sound itself."""

    def __init__(self) -> None:
        self.reader = Reader()

    def hear(self, ulaw: bytes, now: float) -> None:
        self.reader.feed(ulaw)

    @property
    def sentences(self) -> list[str]:
        return self.reader.pieces


class _Carrier:
    """The carrier's other hand: takes orders about the call, and ends the stream as Twilio does."""

    def __init__(self, line: InventedLine, report: Callable[..., None], obeys: bool) -> None:
        self._line = line
        self._report = report
        self._obeys = obeys
        self.dialled: str | None = None
        """Whom the caller was handed on to."""

    async def hang_up(self, call_sid: str) -> bool:
        return self._order("hang_up_ordered")

    async def transfer(self, call_sid: str, number: str) -> bool:
        if self._order("transfer_ordered", number=number):
            self.dialled = number
        return self.dialled is not None

    def _order(self, kind: str, **fields: object) -> bool:
        self._report(kind, **fields)
        if self._obeys:
            self._line.end("the carrier ended the stream, as it was told")
        return self._obeys


class _Call:
    """One call, put together from its scenario. Made outside the loop, run once inside it."""

    def __init__(self, scenario: Scenario, business: Business) -> None:
        self._scenario = scenario
        self._business = business
        self._problems: list[str] = []
        self._why_back = ""

    async def run(self) -> Run:
        scenario, business = self._scenario, self._business
        self._clock = asyncio.get_running_loop().time
        self._log = Journal(self._clock())
        words, faults = ReaderWords(), LineFaults()
        caller = ScenarioCaller([_cue(step) for step in scenario.caller], words, faults, self._clock())
        at = scenario.at
        facts = CallFacts(CALLER, CALLED, at if at.tzinfo else at.replace(tzinfo=business.zone))
        own = [scripted_tool(tool) for tool in scenario.bot.tools]
        tools = call_tools(business, facts, MemoryBook(), self._text, own)
        self._tools = [noted(tool, self._tool_called) for tool in tools]
        self._mind = self._new_mind(facts)
        self._history = History(system_prompt(business, facts, [tool.name for tool in tools]))
        rules = self._rules()
        with _warnings(self._report):
            ended = await self._all_streams(caller, faults, rules)
        self._log.note(CallEnded(self._log.at_s(self._clock()), ended, "completed"))
        memory, heard = remembered(self._history.messages()), " ".join(words.reader.text.split())
        self._problems += filter(None, [caller.complaint(ended)])
        self._problems += [f"the bot remembers words that nobody heard: {said}" for said in unheard(memory, heard)]
        warnings = [event.text for event in self._log.events if isinstance(event, Warned)]
        self._problems += [f"the carrier warns: {text}" for text in warnings]
        return Run(
            in_order(self._log.events),
            memory,
            heard,
            reprompts=(rules.still_there, rules.silent_goodbye, rules.goodbye),
            problems=tuple(self._problems),
        )

    async def _all_streams(self, caller: ScenarioCaller, faults: LineFaults, rules: CallRules) -> str:
        """The call from its first stream to its last; returns why it ended.

        A caller whom nobody answers is back on a stream of the same call, as the service takes them back.
        """
        while True:
            line = InventedLine(caller, faults, self._log, self._clock)
            carrier = _Carrier(line, self._report, obeys=self._scenario.bot.carrier != "refuses")
            await self._serve(self._session(line, rules, carrier))
            self._problems += line.problems
            if carrier.dialled is None or self._scenario.bot.carrier != "nobody_answers":
                return line.ended or "the bot left"
            await asyncio.sleep(RINGS_S)
            self._log.note(Dialled(self._log.at_s(self._clock()), (carrier.dialled,), "no-answer"))
            self._why_back = "The transfer failed: nobody answered."
            rules = replace(rules, greeting=rules.returned, greeting_interruptible=True, notice="")

    async def _serve(self, session: CallSession) -> None:
        try:
            async with asyncio.timeout(self._scenario.longest):
                await session.run()
        except TimeoutError:
            self._problems.append(f"the call was still going on after {self._scenario.longest:g} s")
        except Exception as error:  # a fault of the bot's is what scenarios are there to find
            self._problems.append(f"the call broke: {error!r}")
        left = asyncio.all_tasks() - {asyncio.current_task()}
        self._problems += sorted(f"left running: {task.get_name()}" for task in left)

    def _session(self, line: InventedLine, rules: CallRules, carrier: "_Carrier") -> CallSession:
        bot = self._scenario.bot
        engines = Engines(
            hears=recogniser(bot.recogniser),
            speaks=ScriptedVoice(bot.voice),
            mind=self._mind,
            detection=LoudnessDetection(),
            tools=self._tools,
            transfer_numbers=self._business.transfer,
        )
        began_at_s = self._log.at_s(self._clock())
        journal = CallJournal(self._clock())
        journal.watchers.add(lambda: self._copy(journal.entries[-1], began_at_s))
        if self._why_back:
            remember(self._history, journal, Kind.HAPPENED, self._clock(), text=self._why_back)
        return CallSession(line.carrier.start.call_sid, line, engines, self._history, rules, carrier, journal)

    def _rules(self) -> CallRules:
        """Those of the business, with what the scenario says in their place."""
        wanted = self._scenario.bot.recogniser
        streams = wanted.streaming or wanted.end_of_turn is not None
        rules = asdict(call_rules(self._business, TURN_END_SILENCE_S, streaming_stt=streams))
        for name, value in self._scenario.rules.items():
            rules[name] = rules[name] | value if isinstance(value, dict) else value
        return RULES.validate_python(rules)

    def _new_mind(self, facts: CallFacts) -> Mind:
        bot = self._scenario.bot
        first: BaseChatModel = NotedFrontDesk(self._business, lambda: facts.now, self._asked)
        if bot.model is not None:
            first = self._scripted(bot.model)
        return Mind(first, "scripted", self._scripted(bot.fallback) if bot.fallback else None, "scripted fallback")

    def _scripted(self, replies: tuple[Reply, ...]) -> ScriptedModel:
        return ScriptedModel(replies=replies, asked=self._asked, lacking=self._lacks_reply)

    # --- what goes into the log --------------------------------------------------------------------------------

    def _report(self, kind: str, **fields: object) -> None:
        self._log.note(BotReported(self._log.at_s(self._clock()), kind, 0, fields))

    def _copy(self, entry: Entry, began_at_s: float) -> None:
        """What the bot writes into its journal, as its feed would tell it."""
        fields = dict(entry.details)
        turn = fields.pop("turn", 0)
        number = turn if isinstance(turn, int) else 0
        self._log.note(BotReported(began_at_s + entry.at_s, entry.kind.value, number, fields))

    async def _text(self, message: str) -> None:
        self._report("text_sent", text=message)

    def _tool_called(self, name: str, args: Mapping[str, object]) -> None:
        self._report("tool_called", name=name, args=dict(args))

    def _asked(self, words: str) -> None:
        self._report("model_asked", text=words)

    def _lacks_reply(self, words: str) -> None:
        self._problems.append(f"the model's script has no reply to {words!r}")


def _cue(step: steps.Step) -> Cue:
    match step:
        case steps.Noise(noise=seconds) | steps.Cough(cough=seconds):
            return Cue(step, noise(seconds))
        case steps.Say(heard=heard, quiet=quiet):
            return Cue(step, _spoken(step.say, heard, quiet=quiet))
        case steps.BargeIn(heard=heard):
            return Cue(step, _spoken(step.barge_in, heard))
        case steps.Backchannel(backchannel=text):
            return Cue(step, speech(text))
    return Cue(step)


def _spoken(text: str, heard: str | None, *, quiet: bool = False) -> bytes:
    """What is said as long as it is, sounding like what will be `heard`."""
    if heard is None:
        return speech(text, quiet=quiet)
    return speech(heard, quiet=quiet) or noise(len(speech(text)) / 8000)


class _WarningsToLog(logging.Handler):
    def __init__(self, report: Callable[..., None]) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report("log", text=record.getMessage())


@contextmanager
def _warnings(report: Callable[..., None]) -> Iterator[None]:
    """While the call runs its warnings go into its log, where they can be read at the instant they were given."""
    handler = _WarningsToLog(report)
    loggers = [logging.getLogger(name) for name in ("telephony", "agent", "providers")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
