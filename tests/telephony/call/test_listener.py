"""The ears: what a recogniser is given, and what is told of what it makes of it, word by word."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from providers.errors import TranscriptionError
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.types import AudioFormat, TranscriptionResult, VADInfo, VoiceCapabilities
from telephony.call import events
from telephony.call.listener import Listener
from telephony.scenarios.clock import InventedTimeLoop
from tests.telephony.call.line import SILENCE, VOICE, LoudnessDetection


class Ears(BaseVoiceProvider):
    """A streaming recogniser that gives, with each piece of audio, what the test has put into `results`."""

    capabilities = VoiceCapabilities(streaming_stt=True, end_of_turn=True, input_format=AudioFormat.ULAW_8000)

    def __init__(self) -> None:
        super().__init__(VoiceProviderConfig(provider_name="ears", chunk_duration_ms=20))
        self.results: list[TranscriptionResult] = []
        self.last: list[str] = []
        """Texts that are final, given at the end of the audio."""
        self.streams: list[bytearray] = []
        self.breaks = self.ends = self.is_over = False

    async def connect(self) -> None: ...

    async def disconnect(self) -> None: ...

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        yield b""

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        heard = bytearray()
        self.streams.append(heard)
        async for chunk in audio_stream:
            heard += chunk
            results, self.results = self.results, []
            for result in results:
                yield result
            if self.breaks:
                raise TranscriptionError("away")
            if self.ends:
                return
        for text in self.last:
            yield TranscriptionResult(text, 0.0, is_final=True)

    async def get_vad_info(self) -> VADInfo | None:
        return VADInfo(float(self.is_over), 0.0, 0, 0.0)


class Hearing:
    """A listener with its engine, and all it has told."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.engine = Ears()
        self.told: list[events.Event] = []
        clock = asyncio.get_running_loop().time
        self.detection = LoudnessDetection()
        self.listener = Listener(self.engine, self.detection, self._report, clock, tasks)

    def _report(self, event: events.Event) -> None:
        self.told.append(event)
        if isinstance(event, events.WordsMissed):  # as the machine would
            self.listener.listen(1)

    async def hear(self, frame: bytes = VOICE, count: int = 1) -> None:
        for _ in range(count):
            self.listener.feed(frame)
            await asyncio.sleep(0.02)

    async def made_out(self, *texts: str, final: bool = False) -> None:
        self.engine.results += [TranscriptionResult(text, 0.0, is_final=final) for text in texts]
        await self.hear()

    def words(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, events.WordsSoFar)]

    def transcripts(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, events.TranscriptReady)]


def hearing(script: Callable[[Hearing], Awaitable[None]]) -> None:
    """Run what a test does with a listener that has just begun."""

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            one = Hearing(tasks)
            one.listener.start()
            await script(one)
            one.listener.close()

    with asyncio.Runner(loop_factory=InventedTimeLoop) as runner:
        runner.run(run())


def test_words_so_far_are_what_is_final_and_the_latest_of_what_is_not() -> None:
    async def script(one: Hearing) -> None:
        one.listener.listen(1)
        await one.made_out("I", "I want")
        await one.made_out("I want a table.", final=True)
        await one.made_out(" for ", "")
        await one.made_out("for two")
        one.engine.last = ["for two, please."]
        one.listener.transcribe(1, 1)
        await asyncio.sleep(0.1)

        table = "I want a table."
        assert one.words() == ["I", "I want", table, f"{table} for", table, f"{table} for two"]
        assert one.transcripts() == [f"{table} for two, please."]

    hearing(script)


@pytest.mark.parametrize(("last", "transcript"), [([], "for two"), ([""], "")])
def test_what_never_became_final_counts_unless_the_engine_takes_it_back(last: list[str], transcript: str) -> None:
    async def script(one: Hearing) -> None:
        one.listener.listen(1)
        await one.made_out("for two")
        one.engine.last = last
        one.listener.transcribe(1, 1)
        await asyncio.sleep(0.1)

        assert one.transcripts() == [transcript]

    hearing(script)


def test_words_where_no_voice_was_noticed_open_a_turn_and_are_told_in_it() -> None:
    async def script(one: Hearing) -> None:
        await one.made_out("", " ")
        assert one.told == []
        await one.made_out("yes")

        missed, so_far = one.told
        assert isinstance(missed, events.WordsMissed)
        assert so_far == events.WordsSoFar(1, "yes")

    hearing(script)


def test_the_engines_own_opinion_is_asked_for_after_each_result_with_words() -> None:
    async def script(one: Hearing) -> None:
        one.listener.listen(1)
        one.engine.is_over = True
        await one.made_out("")
        assert one.told == []
        await one.made_out("yes")
        assert one.told == [events.WordsSoFar(1, "yes"), events.EngineSaysOver(1)]
        await one.made_out("")
        assert len(one.told) == 2

    hearing(script)


@pytest.mark.parametrize("ends_turns", [True, False])
def test_words_vouch_for_the_voice_while_an_engine_that_ends_turns_has_more_of_them(*, ends_turns: bool) -> None:
    async def script(one: Hearing) -> None:
        one.engine.capabilities = replace(one.engine.capabilities, end_of_turn=ends_turns)
        one.listener.listen(1)
        vouched = []
        for over, text in [(False, "I"), (False, "I want"), (False, "I want"), (True, "I want it."), (False, "No")]:
            one.engine.is_over = over
            await one.made_out(text)
            vouched.append(one.detection.vouched)

        assert vouched == ([1, 2, 2, 2, 3] if ends_turns else [0] * 5)

    hearing(script)


def test_nothing_is_told_of_a_stream_that_was_asked_for_its_last_word_but_that() -> None:
    async def script(one: Hearing) -> None:
        one.listener.listen(1)
        await one.hear(count=3)
        one.engine.last = ["yes"]
        one.listener.transcribe(1, 1)
        await asyncio.sleep(0.1)

        assert [type(event) for event in one.told if not isinstance(event, events.SpeechStarted)] == [
            events.TranscriptReady
        ]

    hearing(script)


def test_who_goes_on_after_the_last_word_is_heard_from_the_beginning_of_the_turn() -> None:
    async def script(one: Hearing) -> None:
        await one.hear(count=10)
        one.listener.listen(1)
        await one.hear(SILENCE, 20)
        one.listener.transcribe(1, 1)
        await one.hear(SILENCE, 5)
        assert len(one.engine.streams) == 1
        await one.hear(VOICE, 10)
        await one.made_out("I want a table")

        first, second = one.engine.streams
        assert second.startswith(first)
        assert second.endswith(11 * VOICE)
        assert one.words() == ["I want a table"]

    hearing(script)


@pytest.mark.parametrize("how", ["breaks", "ends"])
def test_a_stream_that_comes_to_an_end_by_itself_is_made_up_for_by_recognising_the_whole_turn(how: str) -> None:
    async def script(one: Hearing) -> None:
        one.listener.listen(1)
        setattr(one.engine, how, True)
        await one.made_out("yes", final=True)
        setattr(one.engine, how, False)
        one.engine.last = ["yes, please"]
        one.listener.transcribe(1, 1)
        await asyncio.sleep(0.1)

        assert one.transcripts() == ["yes, please"]
        assert len(one.engine.streams) == 2
        assert bytes(one.engine.streams[1]) == VOICE

    hearing(script)


def test_each_turn_has_a_stream_of_its_own() -> None:
    async def script(one: Hearing) -> None:
        one.listener.listen(1)
        await one.hear(count=3)
        one.listener.stop(1)
        await one.hear(SILENCE, 2)

        assert [len(stream) for stream in one.engine.streams] == [3 * 160, 2 * 160]

    hearing(script)
