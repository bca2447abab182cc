"""One call in asyncio: carries facts to the pure machine and its orders to ears, mind, voice and carrier."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from langchain_core.messages import BaseMessage
from langchain_core.tools import BaseTool

from agent.history import History
from agent.minds import Minds
from agent.reply import AskedAgain, FirstToken, ReplyEvent, Sentence, Tally, ToolRound, ToolsStarted, reply
from agent.spoken import speakable
from agent.tools import ControlRequested
from providers.errors import ProviderException
from telephony.call import actions, events
from telephony.call.alarm import Alarm
from telephony.call.journal import Detail, Journal, Kind
from telephony.call.listener import Listener, VoiceDetection
from telephony.call.machine import CallMachine
from telephony.call.memory import remember, tools_done
from telephony.call.opening import Opening
from telephony.call.rules import CallRules
from telephony.call.speaker import Clip, Speaker, SpeechLine
from telephony.call.voices import Voices
from telephony.twilio.messages import Dtmf, Mark, Media, Stop
from telephony.twilio.stream import Gap, Received

logger = logging.getLogger(__name__)

CONNECT_LIMIT_S = 10.0
"""Longest the engines may take to connect. Whoever made them lets them go."""
PARTING_LIMIT_S = 2.0
"""How long the carrier may take to end the stream after we asked for it."""
SILENCE = b"\xff"
MAX_FILL_MS = 1000


_NO_ORDER = frozenset(
    {
        actions.EndReason.CALLER_LEFT,
        actions.EndReason.FAILED,
        actions.EndReason.LINE_LOST,
        actions.EndReason.REPLACED,
    }
)
"""Ends after which there is nothing for the carrier to be told."""

type Ending = actions.HangUp | actions.Transfer | actions.HandOver


class CallLine(SpeechLine, Protocol):
    """The stream, both ways."""

    async def read(self, take: Callable[[Received], None]) -> None:
        """Give `take` what comes, until the stream is over; what it raises is raised here."""


class Carrier(Protocol):
    """What can be done to a call beside its stream; False if the carrier did not take the order. Neither raises."""

    async def hang_up(self, call_sid: str) -> bool: ...

    async def transfer(self, call_sid: str, number: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Engines:
    """What hears, thinks and speaks in this call."""

    voices: Voices
    minds: Minds
    detection: VoiceDetection
    tools: Sequence[BaseTool]
    transfer_numbers: dict[str, str]
    """Where the bot may transfer to, by the name it knows it under."""
    clips: Mapping[str, Clip] = field(default_factory=dict)
    """Sentences that were spoken beforehand."""


class CallSession:
    """Runs one call from the start of its stream to its end."""

    def __init__(
        self,
        call_sid: str,
        line: CallLine,
        engines: Engines,
        history: History,
        rules: CallRules,
        carrier: Carrier,
        journal: Journal,
        clock: Callable[[], float] | None = None,
        opening: Opening | None = None,
    ) -> None:
        self._call_sid = call_sid
        self._line = line
        self._engines = engines
        self._history = history
        self._carrier = carrier
        self._journal = journal
        self._clock = clock or asyncio.get_running_loop().time
        self._machine = CallMachine(rules, self._clock(), opening)
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._caller_left = False
        self._reply: asyncio.Task[None] | None = None
        self._confirmed = asyncio.Event()
        self._tally = Tally()
        self._rounds: list[ToolRound] = []  # of a guess, remembered once it is confirmed
        self._alarm = Alarm(self._on_alarm)

    async def run(self) -> str:
        """Serve the call until it has ended, and say why it did; raises only for faults of ours, in a group."""
        self._note(Kind.CALL_STARTED, call_sid=self._call_sid)
        reason = "a fault of ours"
        try:
            async with asyncio.TaskGroup() as tasks:
                reason = await self._serve(tasks)
        finally:
            self._note(Kind.CALL_ENDED, reason=reason)
            logger.info("call ended: %s", reason)
        return reason

    def hand_over(self, within_s: float) -> None:
        """End the stream at the first moment at which nobody notices, for another process to take the call up."""
        self._dispatch(events.HandOverWanted(self._clock() + within_s))

    def replace(self) -> None:
        """Another stream of the call has begun: fall silent at once, and order nothing of the carrier."""
        self._end(actions.HangUp(actions.EndReason.REPLACED))

    async def _serve(self, tasks: asyncio.TaskGroup) -> str:
        self._tasks = tasks
        engines, voices = self._engines, self._engines.voices
        self._listener = Listener(voices.hears, engines.detection, self._dispatch, self._clock, tasks)
        self._speaker = Speaker(
            voices.speaks, self._line, self._dispatch, self._note_voice, self._clock, tasks, engines.clips
        )
        reading = tasks.create_task(self._read(), name="line reader")
        connecting = tasks.create_task(self._connect(), name="connect engines")
        self._arm()
        try:
            ending = await self._ended
        finally:
            connecting.cancel()
            self._quiet()
        try:
            return await self._part(ending, reading)
        finally:
            reading.cancel()

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._engines.voices.connect()
        except* (ProviderException, TimeoutError) as failure:
            logger.error("an engine does not connect: %s", failure.exceptions[0])
            self._dispatch(events.EnginesMissing())
        else:
            self._listener.start()
            self._dispatch(events.CallStarted())

    async def _read(self) -> None:
        await self._line.read(self._receive)
        self._dispatch(events.CallerLeft() if self._caller_left else events.LineLost())

    def _receive(self, message: Received) -> None:
        if self._ended.done():
            return  # nobody is listening any more
        match message:
            case Media():
                self._listener.feed(message.payload)
            case Mark():
                self._speaker.mark(message.name)
            case Dtmf():
                self._note(Kind.KEY_PRESSED, digit=message.digit)
                self._dispatch(events.KeyPressed(message.digit))
            case Stop():
                self._caller_left = True
            case Gap():
                self._listener.feed(SILENCE * (8 * min(message.missing_ms, MAX_FILL_MS)))

    async def _part(self, ending: Ending, reading: asyncio.Task[None]) -> str:
        """Tell the carrier how the call ends. If it takes the order it ends the stream; if not, we close the socket.

        A call that failed has its socket closed without an order: asked what comes next, the webhook apologises. So
        has one that is handed over, which then gets another stream.
        """
        match ending:
            case actions.Transfer(number):
                reason = actions.EndReason.TRANSFERRED
                self._note(Kind.TRANSFER_STARTED, number=number)
                taken = await self._carrier.transfer(self._call_sid, number)
            case actions.HandOver():
                return actions.EndReason.HANDED_OVER
            case actions.HangUp(reason) if reason in _NO_ORDER:
                return reason
            case actions.HangUp(reason):
                taken = await self._carrier.hang_up(self._call_sid)
        if taken:
            await asyncio.wait([reading], timeout=PARTING_LIMIT_S)
        return reason

    def _quiet(self) -> None:
        """Stop hearing, thinking, speaking and waiting. Who did that forgets us: no cycle is left to be collected."""
        self._listener.close()
        self._speaker.close()
        self._cancel_reply()
        self._alarm.close()

    # --- facts in, orders out ----------------------------------------------------------------------------------

    def _dispatch(self, event: events.Event) -> None:
        match event:
            case events.SpeechStarted():
                self._note(Kind.CALLER_SPEECH_STARTED, at=event.at)
            case events.SpeechStopped():
                self._note(Kind.CALLER_SPEECH_ENDED, at=event.at)
            case events.SentenceHeard(turn, sentence):
                self._note(Kind.SENTENCE_HEARD, turn=turn, sentence=sentence)
            case events.SentenceFailed(turn, sentence):
                self._note(Kind.SENTENCE_FAILED, turn=turn, sentence=sentence)
        self._carry_out(self._machine.handle(event, self._clock()))

    def _on_alarm(self) -> None:
        self._carry_out(self._machine.handle_timer(self._clock()))

    def _carry_out(self, orders: Sequence[actions.Action]) -> None:
        for order in orders:
            self._do(order)
        self._arm()

    def _arm(self) -> None:
        """Come back to the machine at its next deadline."""
        self._alarm.set(None if self._ended.done() else self._machine.deadline())

    def _do(self, order: actions.Action) -> None:  # noqa: C901 - a case an order, no logic
        match order:
            case actions.Listen(turn):
                self._listener.listen(turn)
            case actions.Transcribe(turn, attempt):
                self._listener.transcribe(turn, attempt)
            case actions.StopListening(turn):
                self._listener.stop(turn)
            case actions.RememberCaller(turn, text, keyed):
                self._remember(Kind.CALLER_SAID, turn=turn, text=text, keyed=keyed)
            case actions.RememberBot(turn, text, interrupted):
                self._remember(Kind.BOT_SAID, turn=turn, text=text, interrupted=interrupted)
            case actions.StartReply():
                self._start_reply(order)
            case actions.ConfirmReply():
                self._confirmed.set()
                self._remember_rounds()
            case actions.CancelReply(turn):
                self._note(Kind.REPLY_DROPPED, turn=turn, tokens=self._tally.tokens)
                self._cancel_reply()
            case actions.Say():
                self._note(Kind.BOT_SAYS, turn=order.turn, sentence=order.sentence, text=order.text)
                self._speaker.say(order)
            case actions.HoldPlayback():
                self._note(Kind.BARGE_IN, turn=self._machine.turn)
                self._speaker.hold()
            case actions.ResumePlayback():
                self._note(Kind.RESUMED, turn=self._machine.turn)
                self._speaker.resume()
            case actions.DropPlayback():
                self._note(Kind.SILENCED, turn=self._machine.turn)
                cut = self._speaker.drop()
                if cut is not None:
                    self._dispatch(cut)
            case actions.HangUp() | actions.Transfer() | actions.HandOver():
                self._end(order)

    def _end(self, ending: Ending) -> None:
        if not self._ended.done():
            self._ended.set_result(ending)

    # --- the reply ---------------------------------------------------------------------------------------------

    def _start_reply(self, order: actions.StartReply) -> None:
        self._note(Kind.REPLY_STARTED, turn=order.turn, guess=order.guess is not None)
        self._confirmed = asyncio.Event()
        if order.guess is None:
            self._confirmed.set()
        messages = self._history.messages(supposing=order.guess or "")
        self._tally = Tally()
        self._rounds.clear()
        self._reply = self._tasks.create_task(self._think(order.turn, messages), name=f"reply {order.turn}")

    def _remember_rounds(self) -> None:
        for item in self._rounds:
            self._remember(Kind.TOOLS_DONE, **tools_done(self._machine.turn, item.ai_message, item.tool_messages))
        self._rounds.clear()

    def _cancel_reply(self) -> None:
        if self._reply is not None:
            self._reply.cancel()
            self._reply = None

    async def _think(self, turn: int, messages: Sequence[BaseMessage]) -> None:
        """Answer these messages. A model's failure, of any kind, costs this reply and no more."""
        try:
            await self._stream_reply(turn, messages)
        except ProviderException as error:
            logger.warning("the reply failed: %s", error)
        except Exception:
            logger.exception("the reply failed in the model's own code")
        else:
            self._note(Kind.REPLY_FINISHED, turn=turn)
            self._dispatch(events.ReplyFinished(turn))
            return
        self._dispatch(events.ReplyFailed(turn))

    async def _stream_reply(self, turn: int, messages: Sequence[BaseMessage]) -> None:
        engines = self._engines
        items = reply(engines.minds, messages, engines.tools, confirmed=self._confirmed, tally=self._tally)
        async with aclosing(items):
            async for item in items:
                self._reply_brings(turn, item)

    def _reply_brings(self, turn: int, item: ReplyEvent) -> None:
        match item:
            case FirstToken():
                self._note(Kind.FIRST_TOKEN, turn=turn)
            case AskedAgain(provider, why):
                logger.warning("the reply failed, %s is asked: %s", provider, why)
            case Sentence(text) if speakable(text):  # an emoji alone has no sound
                self._dispatch(events.SentenceGenerated(turn, text))
            case ToolsStarted(names):
                self._note(Kind.TOOLS_STARTED, turn=turn, names=", ".join(names))
            case ToolRound():
                self._rounds.append(item)
                if self._confirmed.is_set():
                    self._remember_rounds()
            case ControlRequested("transfer_call", args):
                number = self._engines.transfer_numbers[args["destination"]]
                self._note(Kind.TRANSFER_WANTED, turn=turn, number=number)
                self._dispatch(events.TransferRequested(turn, number))
            case ControlRequested("collect_digits", args):
                self._note(Kind.KEYS_WANTED, turn=turn, length=args["length"] or 0, terminator=args["terminator"])
                self._dispatch(events.KeysRequested(turn, args["length"], args["terminator"]))
            case ControlRequested("hang_up"):
                self._note(Kind.HANG_UP_WANTED, turn=turn)
                self._dispatch(events.HangUpRequested(turn))

    # --- the journal -------------------------------------------------------------------------------------------

    def _note(self, kind: Kind, at: float | None = None, **details: Detail) -> None:
        self._journal.note(kind, self._clock() if at is None else at, **details)

    def _remember(self, kind: Kind, **details: Detail) -> None:
        remember(self._history, self._journal, kind, self._clock(), **details)

    def _note_voice(self, kind: Kind, turn: int, sentence: int) -> None:
        self._note(kind, turn=turn, sentence=sentence)
