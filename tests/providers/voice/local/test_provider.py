import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
import pytest

from providers.errors import ConfigurationError, ProviderException, TranscriptionError, TTSError
from providers.settings import VoiceSettings
from providers.voice.local import LocalVoiceConfig, LocalVoiceProvider, provider
from providers.voice.local.models import Engine, Recogniser, Shared, Synthesiser
from providers.voice.types import AudioFormat, TranscriptionResult
from tests.providers.voice.local.fakes import CountingRecogniser, LetterVoice, hearing, speaking
from tests.providers.voice.local.sounds import noise, pcm, silence

LONG_S = 30.0


@dataclass
class Room:
    """Fake models where the provider looks for the real ones."""

    recogniser: CountingRecogniser
    voice: LetterVoice
    ears: Engine[Recogniser]
    mouth: Engine[Synthesiser]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    recogniser, voice = CountingRecogniser(), LetterVoice()
    room = Room(recogniser, voice, hearing(recogniser), speaking(voice))
    monkeypatch.setattr(provider, "recognisers", Shared(lambda key: room.ears, "fake"))
    monkeypatch.setattr(provider, "voices", Shared(lambda key: room.mouth, "fake"))
    yield room
    room.ears.queue.shutdown()
    room.mouth.queue.shutdown()


def local(chunk_duration_ms: int = 80) -> LocalVoiceProvider:
    return LocalVoiceProvider(LocalVoiceConfig(chunk_duration_ms=chunk_duration_ms))


async def stream(audio: bytes, size: int = 3201, drained: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(audio), size):
        yield audio[start : start + size]
    if drained is not None:
        drained.set()


async def recognised(engine: LocalVoiceProvider, audio: bytes, size: int = 3201) -> TranscriptionResult:
    (result,) = [result async for result in engine.speech_to_text(stream(audio, size))]
    return result


def test_settings_become_the_config() -> None:
    engine = LocalVoiceProvider.from_settings(VoiceSettings(LOCAL_STT_MODEL="models/base", LOCAL_TTS_VOICE="emma"))
    assert (engine.config.stt_model, engine.config.tts_voice) == ("models/base", "emma")
    assert (engine.config.sample_rate_input, engine.config.sample_rate_output) == (16000, 24000)


def test_it_declares_itself_a_batch_engine_in_pcm() -> None:
    declared = LocalVoiceProvider.capabilities
    assert (declared.stt, declared.tts, declared.streaming_stt, declared.end_of_turn) == (True, True, False, False)
    assert declared.input_format is declared.output_format is AudioFormat.PCM


async def test_it_connects_disconnects_and_can_do_so_again(room: Room) -> None:
    engine = local()
    await engine.disconnect()
    for _ in range(2):
        assert not engine.is_connected
        async with engine:
            assert engine.is_connected
            assert await engine.get_vad_info() is None


async def test_it_does_nothing_before_it_is_connected() -> None:
    with pytest.raises(ProviderException, match="not connected"):
        await anext(local().text_to_speech("hello"))
    with pytest.raises(ProviderException, match="not connected"):
        await anext(local().speech_to_text(stream(b"")))


async def test_what_the_operator_got_wrong_is_a_configuration_error_at_start_and_an_engines_in_a_call(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(key: str) -> Engine[Recogniser]:
        raise ConfigurationError.of("LOCAL_STT_MODEL", "is no model")

    monkeypatch.setattr(provider, "recognisers", Shared(load, "fake"))
    with pytest.raises(ConfigurationError, match="LOCAL_STT_MODEL"):
        await LocalVoiceProvider.prepare(VoiceSettings())
    engine = local()
    with pytest.raises(ProviderException, match="is no model") as caught:
        await engine.connect()
    assert caught.value.setting == "LOCAL_STT_MODEL"
    assert not engine.is_connected


async def test_speech_comes_in_chunks_of_the_configured_length(room: Room) -> None:
    async with local(chunk_duration_ms=20) as engine:
        chunks = [chunk async for chunk in engine.text_to_speech("Hello.")]
    assert [len(chunk) for chunk in chunks] == [960, 960, 960]


async def test_it_speaks_sentence_by_sentence_and_begins_with_the_first(room: Room) -> None:
    async with local() as engine, aclosing(engine.text_to_speech("One. Two.")) as speech:  # type: ignore[type-var]
        await anext(speech)
        assert room.voice.spoken == ["One."]
        assert [chunk async for chunk in speech]
    assert room.voice.spoken == ["One.", "Two."]


async def test_without_streaming_the_audio_is_one_piece(room: Room) -> None:
    async with local() as engine:
        (whole,) = [chunk async for chunk in engine.text_to_speech("One. Two.", stream=False)]
        chunks = [chunk async for chunk in engine.text_to_speech("One. Two.")]
    assert whole == b"".join(chunks)


@pytest.mark.parametrize("stream_it", [True, False])
@pytest.mark.parametrize("text", ["", "...", "🙂"])
async def test_nothing_to_say_is_no_audio_and_no_error(room: Room, text: str, stream_it: bool) -> None:
    async with local() as engine:
        assert [chunk async for chunk in engine.text_to_speech(text, stream=stream_it)] == []
    assert room.voice.spoken == []


async def test_an_utterance_gives_one_final_result(room: Room) -> None:
    async with local() as engine:
        result = await recognised(engine, pcm(noise(3.0, -20)))
    assert result == TranscriptionResult("3 seconds", start_s=0.0, stop_s=3.0, is_final=True, confidence=0.25)


async def test_nothing_understood_is_an_empty_final_result(room: Room) -> None:
    async with local() as engine:
        assert await recognised(engine, b"") == TranscriptionResult("", 0.0, 0.0, is_final=True, confidence=0.0)
        assert (await recognised(engine, b"\x00")).text == ""


@pytest.mark.parametrize("size", [3201, 10_000_000])
async def test_a_long_utterance_is_cut_in_its_pauses(room: Room, size: int) -> None:
    spoken = [np.concatenate([noise(seconds, -20), silence(0.3)]) for seconds in (24.0, 22.0, 20.8)]
    async with local() as engine:
        result = await recognised(engine, pcm(np.concatenate(spoken)), size)
    assert result.text == "24 seconds 22 seconds 21 seconds"
    assert sum(room.recogniser.windows_s) == pytest.approx(result.stop_s)
    assert max(room.recogniser.windows_s) < 28


async def test_closing_an_utterance_drops_its_work(room: Room) -> None:
    gate, entered = threading.Event(), threading.Event()

    def busy() -> None:
        entered.set()
        gate.wait(LONG_S)

    room.ears.queue.submit("someone else", busy)
    entered.wait(LONG_S)
    async with local() as engine:
        drained = asyncio.Event()
        utterance = engine.speech_to_text(stream(pcm(noise(60.0, -20)), 320_000, drained))
        work = asyncio.ensure_future(anext(utterance))
        await drained.wait()
        assert room.ears.queue.waiting >= 2
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert room.ears.queue.waiting == 0
        gate.set()
        assert (await recognised(engine, pcm(noise(2.0, -20)))).text == "2 seconds"
    assert room.recogniser.windows_s == [2.0]


async def test_a_machine_that_is_too_busy_says_so(room: Room) -> None:
    room.ears = hearing(room.recogniser, limit=0)
    room.mouth = speaking(room.voice, limit=0)
    async with local() as engine:
        with pytest.raises(TTSError, match="overloaded") as mute:
            await anext(engine.text_to_speech("Hello."))
        with pytest.raises(TranscriptionError, match="overloaded") as deaf:
            await anext(engine.speech_to_text(stream(b"\x00" * 640)))
    assert mute.value.retryable
    assert deaf.value.retryable


async def test_a_failing_model_is_an_engine_error(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(piece: str) -> bytes:
        raise IndexError(piece)

    monkeypatch.setattr(room.voice, "speak", fail)
    async with local() as engine:
        with pytest.raises(TTSError, match="IndexError") as caught:
            await anext(engine.text_to_speech("Hello."))
    assert not caught.value.retryable
