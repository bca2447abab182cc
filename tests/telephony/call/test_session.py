"""Whole calls in invented time: real session, ears, voice and ledger; scripted engines; our carrier's line."""

import asyncio
import gc
import logging
import weakref
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

from agent.business import load_business
from agent.history import History
from agent.minds import Minds
from agent.prompt import CallFacts
from agent.tools import Book, front_desk_tools
from providers.audio.converter import Converter
from providers.errors import ProviderException, TranscriptionError, TTSError
from providers.voice.base import BaseVoiceProvider
from providers.voice.scripted import ScriptedConfig, ScriptedVoiceProvider
from providers.voice.speech import AUDIO_LIMIT_S
from providers.voice.types import TranscriptionResult, VADInfo, VoiceCapabilities, WordTiming
from telephony.call.endpointing import EndpointingRules
from telephony.call.journal import Journal, Kind
from telephony.call.rules import CallRules
from telephony.call.session import CallSession, Engines
from telephony.call.speaker import Clip
from telephony.call.voices import Voices
from telephony.scenarios.clock import InventedTimeLoop
from tests.telephony.call.line import LineInInventedTime, LoudnessDetection

GREETING = "Hello, how may I help?"  # 22 characters: 1.32 s of tone
EVEN = EndpointingRules(short_s=0.5, normal_s=0.5, long_s=0.5, quickest_pace=1.0, slowest_pace=1.0)
RULES = CallRules(greeting=GREETING, caller_silence_s=8.0, endpointing=EVEN)


class Model(BaseChatModel):
    """Answers from a list of pieces each, and keeps what it was asked; `raise` and `stall` do what they say."""

    replies: list[list[str | AIMessageChunk]]
    asked: list[list[BaseMessage]]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise AssertionError("the call streams")

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.asked.append(messages)
        for piece in self.replies[(len(self.asked) - 1) % len(self.replies)]:
            if piece == "raise":
                raise RuntimeError("a bug of the model's")
            if piece == "stall":
                await asyncio.sleep(100.0)
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece) if isinstance(piece, str) else piece)


class Phone:
    """The carrier's other hand: takes orders about the call and ends the stream as Twilio does."""

    def __init__(self, line: LineInInventedTime, obeys: bool = True) -> None:
        self.orders: list[str] = []
        self._line = line
        self._obeys = obeys

    async def hang_up(self, call_sid: str) -> bool:
        return self._order("hang up")

    async def transfer(self, call_sid: str, number: str) -> bool:
        return self._order(f"transfer to {number}")

    def _order(self, what: str) -> bool:
        self.orders.append(what)
        if self._obeys:
            self._line.hang_up()
        return self._obeys


class Call:
    """One call and all that can be known of it afterwards."""

    def __init__(
        self,
        line: LineInInventedTime,
        voice: BaseVoiceProvider,
        model: Model,
        obeys: bool = True,
        clips: Mapping[str, Clip] | None = None,
    ) -> None:
        self.line = line
        self.phone = Phone(line, obeys)
        self.history = History("You answer the phone.")
        self.journal = Journal(line.began_at)
        self.detection = LoudnessDetection()
        self.voice = voice
        self.voices = Voices(voice, voice)
        facts = CallFacts(None, None, datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
        controls = front_desk_tools(load_business(), facts, Book("nowhere.jsonl"))
        engines = Engines(
            self.voices,
            Minds({"scripted": model}),
            self.detection,
            controls,
            {"manager": "+15550100143"},
            clips or {},
        )
        rules = replace(RULES, transcribe_at_pause=not voice.capabilities.streaming_stt)
        self.session = CallSession("CAx", line, engines, self.history, rules, self.phone, self.journal)

    async def run(self) -> None:
        async with self.voices:
            await self.session.run()
        assert self.detection.open_streams == 0
        assert not self.voice.is_connected
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others, f"tasks left: {others}"

    def said(self, kind: Kind) -> list[str]:
        return [str(entry.details["text"]) for entry in self.journal.entries if entry.kind is kind]

    def times(self, kind: Kind) -> list[float]:
        return [entry.at_s for entry in self.journal.entries if entry.kind is kind]

    @property
    def ended(self) -> str:
        return str(self.journal.entries[-1].details["reason"])


def call(
    *,
    talk: Sequence[tuple[float, float]] = (),
    hears: Sequence[str] = ("hello",),
    replies: Sequence[Sequence[str | AIMessageChunk]] = (["All right."],),
    voice: BaseVoiceProvider | None = None,
    obeys: bool = True,
    hangs_up_at: float = 12.0,
    clips: Mapping[str, Clip] | None = None,
    prepare: Callable[[Call], None] = lambda _: None,
) -> Call:
    """Run one call to its end."""

    async def run() -> Call:
        line = LineInInventedTime(talk, hangs_up_at)
        engine = voice or ScriptedVoiceProvider(ScriptedConfig(transcripts=list(hears)))
        one = Call(line, engine, Model(replies=[list(reply) for reply in replies], asked=[]), obeys, clips)
        prepare(one)
        await one.run()
        return one

    return in_invented_time(run)


def in_invented_time[T](run: Callable[[], Awaitable[T]]) -> T:
    async def main() -> T:
        return await run()

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        return runner.run(main())


def test_a_call_is_greeted_heard_answered_and_remembered() -> None:
    done = call(talk=[(2.0, 1.0)], hears=["When do you open?"], replies=[["At ", "noon. ", "Every day."]])

    assert done.said(Kind.BOT_SAID) == [GREETING, "At noon. Every day."]
    assert done.said(Kind.CALLER_SAID) == ["When do you open?"]
    assert [message.type for message in done.history.messages()] == ["system", "human", "ai", "human", "ai"]
    assert done.ended == "caller hung up"
    assert done.phone.orders == []


def test_a_call_that_has_ended_does_not_wait_for_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        done = call(talk=[(2.0, 1.0)])
        session = weakref.ref(done.session)
        del done.session
        assert session() is None
    finally:
        gc.enable()


def test_what_has_no_sound_is_not_given_to_the_voice() -> None:
    done = call(talk=[(2.0, 1.0)], replies=[["At noon! ", "😀"]], hangs_up_at=8.0)

    assert done.said(Kind.BOT_SAYS) == [GREETING, "At noon!"]


def test_the_answer_comes_as_soon_as_the_turn_is_over() -> None:
    done = call(talk=[(2.0, 1.0)])

    (spoke_until,) = done.times(Kind.CALLER_SPEECH_ENDED)
    assert spoke_until == pytest.approx(3.0, abs=0.1)
    assert done.times(Kind.CALLER_SAID)[0] == pytest.approx(spoke_until + EVEN.normal_s, abs=0.01)
    assert done.times(Kind.AUDIO_SENT)[-1] == pytest.approx(spoke_until + EVEN.normal_s, abs=0.01)


def test_what_is_heard_is_the_engines_tone_without_a_gap() -> None:
    done = call(hangs_up_at=3.0)
    heard = done.line.heard()

    voiced = [bool(set(heard[n : n + 160]) - {0xFF, 0x7F}) for n in range(0, len(heard) - 160, 160)]
    first, last = voiced.index(True), len(voiced) - 1 - voiced[::-1].index(True)
    assert all(voiced[first:last])
    assert (last - first) * 0.02 == pytest.approx(len(GREETING) * 0.06, abs=0.05)


def test_a_caller_who_barges_in_silences_the_bot_and_is_answered() -> None:
    done = call(
        talk=[(2.0, 1.0), (5.0, 1.0)], hears=["Tell me.", "Stop."], replies=[[LONG], ["Yes?"]], hangs_up_at=10.0
    )

    assert done.line.cleared_at == [pytest.approx(5.0 + RULES.barge_in_s, abs=0.05)]
    cut = next(entry for entry in done.journal.entries if entry.details.get("interrupted"))
    assert LONG.startswith(str(cut.details["text"]))
    assert 0.2 < len(str(cut.details["text"])) / len(LONG) < 0.5
    assert done.said(Kind.CALLER_SAID) == ["Tell me.", "Stop."]
    assert done.said(Kind.BOT_SAID)[-1] == "Yes?"
    assert done.line.carrier.stats.cleared_bytes > 4000
    assert any("—" in str(message.content) for message in done.history.messages())


def test_a_goodbye_is_heard_before_the_line_is_closed() -> None:
    asks = AIMessageChunk(content="", tool_call_chunks=[_tool("hang_up", '{"reason": "done"}')])
    done = call(talk=[(2.0, 1.0)], hears=["Bye."], replies=[["Goodbye!", asks]])

    assert done.phone.orders == ["hang up"]
    assert done.said(Kind.BOT_SAID)[-1] == "Goodbye!"
    assert done.ended == "the bot said goodbye"
    assert done.times(Kind.CALL_ENDED)[0] > done.times(Kind.AUDIO_SENT)[-1] + len("Goodbye!") * 0.06


def test_a_carrier_that_takes_no_order_does_not_keep_the_caller_waiting() -> None:
    asks = AIMessageChunk(content="", tool_call_chunks=[_tool("hang_up", '{"reason": "done"}')])
    done = call(talk=[(2.0, 1.0)], replies=[["Goodbye!", asks]], obeys=False, hangs_up_at=60.0)

    assert done.phone.orders == ["hang up"]
    assert done.times(Kind.CALL_ENDED)[0] < 5.0


def test_a_transfer_goes_to_the_number_behind_the_name() -> None:
    asks = AIMessageChunk(content="", tool_call_chunks=[_tool("transfer_call", '{"destination": "manager"}')])
    done = call(talk=[(2.0, 1.0)], replies=[["One moment.", asks]])

    assert done.phone.orders == ["transfer to +15550100143"]
    assert done.ended == "transferred"


def test_keys_are_a_turn() -> None:
    def press(one: Call) -> None:
        one.line.keys = {100: "4", 110: "2", 120: "#"}

    assert call(prepare=press).said(Kind.CALLER_SAID) == ["42"]


def test_a_silent_caller_is_asked_and_then_hung_up_on() -> None:
    done = call(hangs_up_at=60.0)

    assert done.said(Kind.BOT_SAID) == [GREETING, RULES.still_there, RULES.still_there, RULES.silent_goodbye]
    assert done.ended == "the caller said nothing any more"
    assert done.phone.orders == ["hang up"]


def test_a_carrier_that_loses_marks_does_not_hold_up_the_call() -> None:
    def lose(one: Call) -> None:
        one.line.loses_marks = True

    done = call(talk=[(6.0, 1.0)], prepare=lose, hangs_up_at=14.0)
    assert done.said(Kind.BOT_SAID) == [GREETING, "All right."]


class _Broken(ScriptedVoiceProvider):
    """Fails where it is told to: at `connect`, `hears` or `speaks`."""

    def __init__(self, where: str, error: Exception, times: int = 1) -> None:
        super().__init__(ScriptedConfig(transcripts=["hello"]))
        self._where, self._error, self._left = where, error, times

    def _fail(self, where: str) -> None:
        if where == self._where and self._left:
            self._left -= 1
            raise self._error

    async def connect(self) -> None:
        self._fail("connect")
        await super().connect()

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        self._fail("speaks")
        async for chunk in super().text_to_speech(text):
            yield chunk

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        self._fail("hears")
        async for result in super().speech_to_text(audio_stream):
            yield result


@pytest.mark.parametrize("error", [TranscriptionError("away"), RuntimeError("a bug of the engine's")])
def test_a_recogniser_that_fails_once_costs_one_apology(error: Exception) -> None:
    done = call(talk=[(2.0, 1.0), (8.0, 1.0)], voice=_Broken("hears", error), hangs_up_at=14.0)

    assert done.said(Kind.BOT_SAID) == [GREETING, RULES.apology, "All right."]


@pytest.mark.parametrize("error", [TTSError("away"), RuntimeError("a bug of the engine's")])
def test_a_voice_that_fails_once_is_given_another_sentence(error: Exception) -> None:
    done = call(voice=_Broken("speaks", error), hangs_up_at=8.0)

    assert done.said(Kind.BOT_SAID) == [RULES.apology]


def test_a_voice_that_fails_but_may_not_the_next_time_is_asked_again() -> None:
    done = call(voice=_Broken("speaks", TTSError("away", retryable=True)), hangs_up_at=8.0)
    assert done.said(Kind.BOT_SAID) == [GREETING]

    done = call(voice=_Broken("speaks", TTSError("away", retryable=True), times=2), hangs_up_at=8.0)
    assert done.said(Kind.BOT_SAID) == [RULES.apology]


def test_a_voice_that_gives_no_audio_in_time_is_asked_again() -> None:
    class Stalling(ScriptedVoiceProvider):
        asked = 0

        async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
            self.asked += 1
            await asyncio.sleep(100.0 if self.asked == 1 else 0.0)
            async for chunk in super().text_to_speech(text):
                yield chunk

    done = call(voice=Stalling(ScriptedConfig()), hangs_up_at=8.0)
    assert done.said(Kind.BOT_SAID) == [GREETING]
    assert done.times(Kind.AUDIO_SENT)[0] == pytest.approx(AUDIO_LIMIT_S, abs=0.1)


def test_a_voice_that_is_gone_ends_the_call_without_an_order_so_that_the_webhook_apologises() -> None:
    done = call(voice=_Broken("speaks", TTSError("away"), times=9), hangs_up_at=60.0)

    assert done.ended == "the bot could not go on"
    assert done.phone.orders == []


def test_an_engine_that_does_not_connect_ends_the_call() -> None:
    broken = _Broken("connect", ProviderException("no key"))
    broken.text_to_speech = _Broken("speaks", TTSError("not connected")).text_to_speech  # type: ignore[method-assign]
    done = call(voice=broken, hangs_up_at=60.0)

    assert done.ended == "the bot could not go on"


@pytest.mark.parametrize("failure", ["speaks", "connect"])
def test_where_there_is_no_voice_the_words_that_were_spoken_beforehand_are_the_last(failure: str) -> None:
    clip = Clip(b"\x20" * 8000)
    broken = _Broken(failure, TTSError("away"), times=9)
    done = call(voice=broken, hangs_up_at=60.0, clips={RULES.defeat: clip})

    assert done.said(Kind.BOT_SAID) == [RULES.defeat]
    assert done.ended == "the speech engines could not go on"
    assert done.phone.orders == ["hang up"]
    assert done.line.heard().count(b"\x20") == len(clip.audio)


@pytest.mark.parametrize("reply", [["raise"], ["stall"]])
def test_a_model_that_fails_or_stalls_costs_one_apology(reply: list[str]) -> None:
    done = call(talk=[(2.0, 1.0)], replies=[reply], hangs_up_at=25.0)

    assert done.said(Kind.BOT_SAID)[1].endswith(RULES.apology)


def test_a_caller_who_waits_is_told_to_hold_on() -> None:
    done = call(talk=[(2.0, 1.0)], replies=[["stall"]], hangs_up_at=10.0)

    assert done.said(Kind.BOT_SAYS) == [GREETING, RULES.holding]
    spoke_until = done.times(Kind.CALLER_SPEECH_ENDED)[0]
    assert done.times(Kind.AUDIO_SENT)[-1] - spoke_until < 3.05


LONG = "This is a very long answer that goes on and on for quite some time, as they do."


@pytest.mark.parametrize("words", ["", "Mm-hm."])
def test_a_sound_that_is_no_turn_lets_the_bot_go_on_where_it_was_cut(words: str) -> None:
    done = call(talk=[(2.0, 1.0), (5.0, 0.4)], hears=["Tell me.", words], replies=[[LONG]], hangs_up_at=14.0)

    assert len(done.line.cleared_at) == 1
    assert len(done.times(Kind.RESUMED)) == 1
    assert done.times(Kind.RESUMED)[0] - done.times(Kind.BARGE_IN)[0] < 1.0
    assert done.said(Kind.BOT_SAID) == [GREETING, LONG]
    assert done.said(Kind.CALLER_SAID) == ["Tell me."]
    heard = done.line.heard()
    voiced = sum(bool(set(heard[n : n + 160]) - {0xFF, 0x7F}) for n in range(0, len(heard) - 160, 160)) * 0.02
    whole = (len(GREETING) + len(LONG)) * 0.06
    assert whole <= voiced <= whole + 0.5  # the place where it was cut is said again


def test_a_guess_is_ready_when_the_turn_is_over() -> None:
    done = call(talk=[(2.0, 1.0)], replies=[["All right."]])

    begun = next(entry for entry in done.journal.entries if entry.kind is Kind.REPLY_STARTED)
    assert begun.details["guess"] is True
    assert begun.at_s < done.times(Kind.CALLER_SAID)[0] - 0.2
    assert done.times(Kind.FIRST_TOKEN)[0] < done.times(Kind.CALLER_SAID)[0]


def test_a_guess_that_the_caller_outruns_is_dropped_and_counted() -> None:
    done = call(talk=[(2.0, 1.0), (3.3, 1.0)], hears=["I want", "I want a pizza."], replies=[["All right."]])

    dropped = [entry.details for entry in done.journal.entries if entry.kind is Kind.REPLY_DROPPED]
    assert [details["turn"] for details in dropped] == [1]
    tokens = dropped[0]["tokens"]
    assert isinstance(tokens, int)
    assert tokens > 0
    assert done.said(Kind.CALLER_SAID) == ["I want a pizza."]
    assert done.said(Kind.BOT_SAID) == [GREETING, "All right."]


class _Streaming(ScriptedVoiceProvider):
    """Hears while the caller speaks, and takes down how much had come; may have a view of its own on the end."""

    capabilities = VoiceCapabilities(streaming_stt=True, end_of_turn=True)

    def __init__(self, says_over: bool = False) -> None:
        super().__init__(ScriptedConfig(transcripts=["while you spoke"], chunk_duration_ms=20))
        self.streams: list[int] = []
        self._says_over = says_over
        self._quiet = 0

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        self.streams.append(0)
        words = False
        async for chunk in audio_stream:
            self.streams[-1] += len(chunk)
            loud = max(map(abs, array("h", chunk)), default=0) > 1000
            words = words or loud
            self._quiet = 0 if loud else self._quiet + 1
            if words:
                yield TranscriptionResult("while", 0.0)
        yield TranscriptionResult("while you spoke" if words else "", 0.0, is_final=True)

    async def get_vad_info(self) -> VADInfo | None:
        return VADInfo(float(self._says_over and self._quiet > 12), 1.0, 0, 0.0)


def test_a_streaming_recogniser_hears_all_the_time_a_stream_a_turn() -> None:
    voice = _Streaming()
    done = call(talk=[(2.0, 1.0), (6.0, 1.0)], voice=voice)

    assert done.said(Kind.CALLER_SAID) == ["while you spoke"] * 2
    first, second, third = (size / 2 / 16000 for size in voice.streams)
    assert first == pytest.approx(3.0 + EVEN.normal_s, abs=0.2)
    assert first + second == pytest.approx(7.0 + 2 * EVEN.normal_s, abs=0.7)  # each begins with a little of before
    assert third > 4.0


def test_a_streaming_recogniser_that_knows_when_the_caller_has_finished_is_believed() -> None:
    done = call(talk=[(2.0, 1.0)], voice=_Streaming(says_over=True))

    spoke_until = done.times(Kind.CALLER_SPEECH_ENDED)[0]
    assert done.times(Kind.CALLER_SAID)[0] - spoke_until < EVEN.normal_s - 0.1


def test_words_are_heard_where_the_voice_was_not_noticed() -> None:
    done = call(talk=[(2.0, 0.02)], voice=_Streaming())

    assert done.times(Kind.CALLER_SPEECH_STARTED) == []
    assert done.said(Kind.CALLER_SAID) == ["while you spoke"]


class _Timed(ScriptedVoiceProvider):
    """Claims to speak every word but the last in half a second, and that last one for as long as it takes."""

    def __init__(self, breaks: bool = False) -> None:
        super().__init__(ScriptedConfig(transcripts=["Tell me.", "Stop."]))
        self._breaks = breaks
        self._words: list[str] = []

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        self._words = text.split()
        async for chunk in super().text_to_speech(text):
            yield chunk

    def word_timings(self) -> Sequence[WordTiming]:
        if self._breaks:
            raise RuntimeError("a bug of the engine's")
        *most, last = self._words
        return [*(WordTiming(word, 0.0, 0.5) for word in most), WordTiming(last, 0.5, 100.0)]


def cut_off(voice: BaseVoiceProvider) -> str:
    """What is remembered of a long sentence that a caller cut off about a second after it began."""
    done = call(talk=[(2.0, 1.0), (4.5, 1.0)], voice=voice, replies=[[LONG], ["Yes?"]], hangs_up_at=10.0)
    return next(str(entry.details["text"]) for entry in done.journal.entries if entry.details.get("interrupted"))


def test_a_voice_that_tells_when_it_says_each_word_is_cut_at_the_word_reached() -> None:
    first_piece = LONG.partition(",")[0]
    assert cut_off(_Timed()) == first_piece.rpartition(" ")[0]


def test_so_is_what_was_spoken_beforehand() -> None:
    *most, last = GREETING.split()
    timings = [*(WordTiming(word, 0.0, 0.5) for word in most), WordTiming(last, 0.5, 100.0)]
    clip = Clip(b"\x20" * 32000, timings)
    done = call(talk=[(1.5, 1.0)], hears=["Stop."], clips={GREETING: clip})

    (said, *_) = (entry.details for entry in done.journal.entries if entry.kind is Kind.BOT_SAID)
    assert said["text"] == " ".join(most)
    assert said["interrupted"]
    assert 0 < done.line.heard().count(b"\x20") < len(clip.audio)


def test_a_voice_that_cannot_tell_is_cut_where_it_should_be_by_now() -> None:
    assert 3 <= len(cut_off(_Timed(breaks=True)).split()) <= 5


@pytest.mark.parametrize("error", [TTSError("away", retryable=True), RuntimeError("a bug of the engine's")])
def test_of_a_sentence_that_the_voice_broke_off_no_more_is_remembered_than_was_said(error: Exception) -> None:
    class BreaksOff(ScriptedVoiceProvider):
        async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
            async for chunk in super().text_to_speech(text):
                yield chunk[: len(chunk) // 10]
            raise error

    class BreaksOffAndSaysWhere(BreaksOff):
        def word_timings(self) -> Sequence[WordTiming]:
            return [WordTiming("Hello,", 0.0, 0.1), WordTiming("how", 0.1, 1.0)]

    assert call(voice=BreaksOff(ScriptedConfig(seconds_per_character=0.3)), hangs_up_at=5.0).said(Kind.BOT_SAID) == [
        "Hello,"  # 22 characters in 0.66 s are more than can have been said
    ]
    assert call(voice=BreaksOffAndSaysWhere(ScriptedConfig()), hangs_up_at=5.0).said(Kind.BOT_SAID)[0] == "Hello,"


class _Coroutine(ScriptedVoiceProvider):
    """Speaks as the seed document's pitfalls show it: a coroutine that returns all the audio."""

    async def text_to_speech(self, text: str, stream: bool = True) -> bytes:  # type: ignore[override]
        return b"".join([chunk async for chunk in super().text_to_speech(text)])


def test_an_engine_that_is_ahead_is_converted_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[float] = []
    convert = Converter.convert

    def counted(converter: Converter, audio: bytes) -> bytes:
        sizes.append(len(audio) / 2 / engine.config.sample_rate_output)
        return convert(converter, audio)

    monkeypatch.setattr(Converter, "convert", counted)
    engine = ScriptedVoiceProvider(ScriptedConfig(seconds_per_character=0.2))
    call(voice=engine, hangs_up_at=1.0)

    spoken_s = 0.2 * len(GREETING)
    chunk_s = sizes[0]
    assert sum(sizes) == pytest.approx(spoken_s)
    assert sizes[:3] == [chunk_s] * 3  # the caller hears it at once
    assert sizes[:-1] == sorted(sizes[:-1])
    assert max(sizes) == pytest.approx(0.4, abs=chunk_s)
    assert len(sizes) < 0.6 * spoken_s / chunk_s


def test_an_engine_that_returns_its_speech_in_one_piece_is_heard_too() -> None:
    done = call(voice=_Coroutine(ScriptedConfig()), hangs_up_at=4.0)

    assert done.said(Kind.BOT_SAID) == [GREETING]


def test_nothing_that_was_said_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    call(talk=[(2.0, 1.0)], hears=["my secret is xyzzy"], replies=[["The answer is plugh."]])

    assert "xyzzy" not in caplog.text
    assert "plugh" not in caplog.text


def _tool(name: str, args: str) -> Any:
    return {"name": name, "args": args, "id": "1", "index": 0, "type": "tool_call_chunk"}
