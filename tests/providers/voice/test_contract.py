"""What every engine must do, well served and badly: one suite, run over each engine against its fake."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from providers.errors import Fault, ProviderException, TranscriptionError, TTSError
from providers.voice.base import BaseVoiceProvider
from providers.voice.remote import channel, http, streaming
from providers.voice.types import AudioFormat, TranscriptionResult
from tests.fakes.trouble import RETRY_AFTER_S, Trouble
from tests.providers.voice.subjects import SUBJECTS, Subject

FAULTS = {
    Trouble.STALL: {Fault.TIMEOUT},
    Trouble.DROP: {Fault.UNAVAILABLE, Fault.PROTOCOL},
    Trouble.REFUSES_KEY: {Fault.AUTHENTICATION},
    Trouble.RATE_LIMITED: {Fault.RATE_LIMIT},
    Trouble.RATE_LIMITED_UNTIL: {Fault.RATE_LIMIT},
    Trouble.UNAVAILABLE: {Fault.UNAVAILABLE},
    Trouble.MALFORMED: {Fault.PROTOCOL},
    Trouble.WRONG_TYPE: {Fault.PROTOCOL},
}


def troubles(of: Callable[[Subject], Iterable[Trouble]]) -> list[Any]:
    """Every engine with everything fatal that its fake can do wrong."""
    return [
        pytest.param(subject, trouble, id=f"{subject.name}-{trouble.name}")
        for subject in SUBJECTS
        for trouble in of(subject)
        if trouble in FAULTS
    ]


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch, trouble: Trouble) -> None:
    """A service that never answers is given up soon; any other has its time, however busy the machine."""
    if trouble is not Trouble.STALL:
        return
    monkeypatch.setattr(channel, "OPEN_LIMIT_S", 0.05)
    monkeypatch.setattr(http, "LIMITS", httpx.Timeout(5.0, read=0.05))
    monkeypatch.setattr(streaming, "FINAL_LIMIT_S", 0.05)
    monkeypatch.setattr(streaming, "AUDIO_LIMIT_S", 0.05)


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
async def fake(subject: Subject) -> AsyncIterator[Any]:
    """The vendor, with whom nobody may have broken a rule by the end."""
    async with subject.fake() as fake:
        yield fake
        assert fake.complaints == []


@pytest.fixture
async def engine(subject: Subject, fake: Any) -> AsyncIterator[BaseVoiceProvider]:
    """The engine, which has left nothing behind by the end: no task, no connection."""
    before = asyncio.all_tasks()
    engine = subject.provider(fake)
    yield engine
    await engine.disconnect()
    await subject.close_shared()
    await fake.until(lambda: fake.open_connections == 0)
    left = {task for task in asyncio.all_tasks() - before if not task.done() and "engine" in repr(task.get_coro())}
    assert not left


def caller_audio(engine: BaseVoiceProvider, seconds: float) -> Iterator[bytes]:
    """So much of a caller, as the line gives it: 20 ms at a time."""
    is_ulaw = engine.capabilities.input_format is AudioFormat.ULAW_8000
    frame = b"\x55" * 160 if is_ulaw else b"\x00\x10" * (engine.config.sample_rate_input // 50)
    yield from [frame] * round(seconds * 50)


async def stream_of(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)


async def recognised(engine: BaseVoiceProvider, seconds: float = 1.0) -> list[TranscriptionResult]:
    results = engine.speech_to_text(stream_of(caller_audio(engine, seconds)))
    return [result async for result in results]


async def spoken(engine: BaseVoiceProvider, text: str) -> bytes:
    return b"".join([chunk async for chunk in engine.text_to_speech(text)])


def words(results: list[TranscriptionResult]) -> str:
    return " ".join(result.text for result in results if result.is_final and result.text)


def sent(fake: Any) -> int:
    """How many messages it was sent."""
    return sum(len(connection.frames) for connection in fake.connections)


async def test_it_connects_disconnects_twice_and_can_be_used_again(engine: BaseVoiceProvider, fake: Any) -> None:
    assert not engine.is_connected
    await engine.connect()
    assert engine.is_connected
    await engine.disconnect()
    await engine.disconnect()
    assert not engine.is_connected
    await engine.connect()
    assert words(await recognised(engine)) == fake.heard


async def test_it_speaks(engine: BaseVoiceProvider, subject: Subject) -> None:
    await engine.connect()
    short, long = await spoken(engine, subject.text), await spoken(engine, subject.text * 3)
    assert len(long) > 2 * len(short) > 0


async def test_it_recognises_one_utterance_after_another(engine: BaseVoiceProvider, fake: Any) -> None:
    await engine.connect()
    for seconds in (1.0, 0.3, 2.0):
        results = await recognised(engine, seconds)
        assert words(results) == fake.heard
        assert all(0 <= result.start_s <= seconds + 0.1 for result in results)


async def test_a_streaming_engine_tells_words_before_the_end(engine: BaseVoiceProvider) -> None:
    if not engine.capabilities.streaming_stt:
        assert all(result.is_final for result in await recognised(engine))
        return
    await engine.connect()
    ended = asyncio.Event()

    async def waits_for_words() -> AsyncIterator[bytes]:
        for chunk in caller_audio(engine, 1.0):
            yield chunk
        await ended.wait()

    async with aclosing(engine.speech_to_text(waits_for_words())) as results:  # type: ignore[type-var]
        async for result in results:
            if result.text:
                ended.set()
    assert ended.is_set()


async def test_it_says_when_the_caller_has_finished(engine: BaseVoiceProvider) -> None:
    await engine.connect()
    await recognised(engine)
    info = await engine.get_vad_info()
    assert (info is not None and info.is_turn_complete) == engine.capabilities.end_of_turn


async def test_speech_that_was_cut_off_does_not_come_back(engine: BaseVoiceProvider, subject: Subject) -> None:
    await engine.connect()
    whole = await spoken(engine, subject.text)
    async with aclosing(engine.text_to_speech(subject.text * 20)) as chunks:  # type: ignore[type-var]
        assert await anext(chunks)
    assert len(await spoken(engine, subject.text)) == len(whole)


async def test_an_utterance_that_was_given_up_does_not_come_back(engine: BaseVoiceProvider, fake: Any) -> None:
    await engine.connect()
    before = sent(fake)
    fake.trouble = Trouble.SLOW

    async def speaking() -> AsyncIterator[bytes]:
        for chunk in caller_audio(engine, 1.0):
            yield chunk
        if engine.capabilities.streaming_stt:  # any other is asked when all has been said
            await asyncio.Event().wait()

    async def read() -> None:
        async for _ in engine.speech_to_text(speaking()):
            pass

    reading = asyncio.create_task(read())
    await fake.until(lambda: sent(fake) > before)
    reading.cancel()
    await asyncio.wait([reading])
    fake.trouble = Trouble.NONE
    fake.release.set()
    assert words(await recognised(engine)) == fake.heard


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize(
    ("subject", "trouble"), troubles(lambda subject: subject.hearing_troubles), indirect=["subject"]
)
async def test_recognition_fails_in_our_words(
    subject: Subject, engine: BaseVoiceProvider, fake: Any, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    fake.trouble = trouble
    with pytest.raises(TranscriptionError) as caught:
        await recognised(engine)
    _check(caught.value, subject, trouble, "stt", caplog.text)


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize(
    ("subject", "trouble"), troubles(lambda subject: subject.speech_troubles), indirect=["subject"]
)
async def test_speech_fails_in_our_words(
    subject: Subject, engine: BaseVoiceProvider, fake: Any, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    fake.trouble = trouble
    with pytest.raises(TTSError) as caught:
        await spoken(engine, subject.text)
    _check(caught.value, subject, trouble, "tts", caplog.text)


async def test_a_slow_service_is_waited_for(engine: BaseVoiceProvider, fake: Any) -> None:
    fake.trouble = Trouble.SLOW
    work = [asyncio.create_task(recognised(engine)), asyncio.create_task(spoken(engine, "Yes."))]
    await fake.until(lambda: sum(bool(connection.frames) for connection in fake.connections) >= 2)
    fake.release.set()
    results, audio = await work[0], await work[1]
    assert isinstance(results, list)
    assert words(results) == fake.heard
    assert audio


async def test_after_trouble_it_works_again(subject: Subject, engine: BaseVoiceProvider, fake: Any) -> None:
    fake.trouble = Trouble.DROP
    with pytest.raises(ProviderException):
        await recognised(engine)
    fake.trouble = Trouble.NONE
    assert words(await recognised(engine)) == fake.heard
    assert await spoken(engine, subject.text)


def _check(error: ProviderException, subject: Subject, trouble: Trouble, operation: str, log: str) -> None:
    assert error.provider == subject.name
    assert error.operation == operation
    assert error.fault in FAULTS[trouble]
    assert subject.name in str(error)
    assert error.retryable == (trouble is not Trouble.REFUSES_KEY)
    assert error.retry_after_s == (RETRY_AFTER_S if trouble is Trouble.RATE_LIMITED_UNTIL else None)
    assert subject.secret not in f"{error} {error!r} {log}"
    if trouble is Trouble.REFUSES_KEY:
        assert error.setting.endswith("_API_KEY")
