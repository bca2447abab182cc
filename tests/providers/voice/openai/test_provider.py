"""OpenAI as an engine: what its requests look like, which way it hears, and how its connections end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import respx
from pydantic import SecretStr

from providers.errors import ConfigurationError, Fault, TranscriptionError, TTSError
from providers.settings import settings
from providers.voice.factory import VoiceProviderFactory
from providers.voice.openai import OpenAIVoiceConfig, OpenAIVoiceProvider
from providers.voice.remote import http
from providers.voice.types import AudioFormat, TranscriptionResult
from tests.fakes.openai import KEY, OpenAIFake, RealtimeFake
from tests.fakes.trouble import Trouble

URL = "https://api.openai.com/v1"


@pytest.fixture(autouse=True)
async def _connections_closed() -> AsyncIterator[None]:
    yield
    await http.close_shared_client()


def of(fake: OpenAIFake, **fields: object) -> OpenAIVoiceProvider:
    url = f"{fake.http_url}/v1"
    config = {"api_key": KEY, "stt_base_url": url, "tts_base_url": url} | fields
    return OpenAIVoiceProvider(OpenAIVoiceConfig.model_validate(config))


def live(fake: RealtimeFake, model: str = "gpt-live-transcribe") -> OpenAIVoiceProvider:
    return of(fake, stt_base_url=f"{fake.url}/v1", model=model)


async def audio(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def recognised(engine: OpenAIVoiceProvider, *chunks: bytes) -> list[TranscriptionResult]:
    return [result async for result in engine.speech_to_text(audio(*chunks))]


async def spoken(engine: OpenAIVoiceProvider, text: str) -> bytes:
    return b"".join([chunk async for chunk in engine.text_to_speech(text)])


# --- configuration -------------------------------------------------------------------------------------------------


def test_the_defaults_are_the_owners() -> None:
    config = OpenAIVoiceConfig(api_key=SecretStr("k"))
    assert (config.provider_name, config.model, config.tts_model, config.voice) == (
        "openai",
        "whisper-1",
        "tts-1",
        "alloy",
    )
    assert (config.sample_rate_input, config.sample_rate_output) == (16000, 24000)


@pytest.mark.parametrize(
    ("model", "realtime", "streams", "finds_turns"),
    [
        ("whisper-1", None, False, False),
        ("gpt-transcribe", None, True, True),
        ("gpt-4o-mini-transcribe", None, True, True),
        ("gpt-live-transcribe", None, True, False),
        ("gpt-realtime-whisper", None, True, False),
        ("gpt-transcribe", False, False, False),
        ("some/whisper", True, True, True),
    ],
)
def test_the_model_decides_how_it_hears(model: str, realtime: bool | None, streams: bool, finds_turns: bool) -> None:
    able = OpenAIVoiceProvider(OpenAIVoiceConfig(model=model, realtime=realtime)).capabilities
    assert (able.streaming_stt, able.end_of_turn) == (streams, finds_turns)
    assert able.input_format is (AudioFormat.ULAW_8000 if streams else AudioFormat.PCM)
    assert able.output_format is AudioFormat.PCM


def test_the_settings_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "OPENAI_API_KEY": "sk-geheim",
        "OPENAI_STT_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_STT_MODEL": "ears",
        "OPENAI_STT_REALTIME": "true",
        "OPENAI_STT_LANGUAGE": "de",
        "OPENAI_TTS_BASE_URL": "http://127.0.0.1:2/v1",
        "OPENAI_TTS_MODEL": "mouth",
        "OPENAI_TTS_VOICE": "marin",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    engine = VoiceProviderFactory.create_provider("openai")
    assert isinstance(engine, OpenAIVoiceProvider)
    config = engine.config
    assert (config.stt_base_url, config.tts_base_url) == ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1")
    assert (config.model, config.is_realtime, config.language) == ("ears", True, "de")
    assert (config.tts_model, config.voice) == ("mouth", "marin")
    assert "geheim" not in repr(config)


def test_openai_itself_wants_a_key_and_other_servers_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_STT_BASE_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        VoiceProviderFactory.create_provider("openai")
    monkeypatch.setenv("OPENAI_TTS_BASE_URL", "http://127.0.0.1:2/v1")
    settings.reload()
    assert isinstance(VoiceProviderFactory.create_provider("openai"), OpenAIVoiceProvider)


# --- requests ------------------------------------------------------------------------------------------------------


async def test_a_request_for_speech(respx_mock: respx.MockRouter) -> None:
    async def odd_chunks() -> AsyncIterator[bytes]:
        for chunk in (b"\x01", b"\x02\x03\x04", b"\x05\x06"):
            yield chunk

    route = respx_mock.post(f"{URL}/audio/speech").respond(content=odd_chunks())
    engine = OpenAIVoiceProvider(OpenAIVoiceConfig(api_key=SecretStr(KEY), tts_model="tts-1-hd", voice="nova"))
    chunks = [chunk async for chunk in engine.text_to_speech("Good morning.")]
    assert chunks == [b"\x01", b"\x02\x03\x04", b"\x05\x06"]
    request = route.calls.last.request
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.content) == {
        "model": "tts-1-hd",
        "voice": "nova",
        "input": "Good morning.",
        "response_format": "pcm",
    }


async def test_a_request_for_words(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(f"{URL}/audio/transcriptions").respond(json={"text": "Hello."})
    engine = OpenAIVoiceProvider(OpenAIVoiceConfig(api_key=SecretStr(KEY), language="de"))
    assert await recognised(engine, b"\x00\x10" * 8000, b"\x00\x10" * 4000) == [
        TranscriptionResult("Hello.", 0.0, 0.75, is_final=True)
    ]
    request = route.calls.last.request
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    for part in (b'name="model"\r\n\r\nwhisper-1\r\n', b'name="language"\r\n\r\nde\r\n', b'filename="utterance.wav"'):
        assert part in request.content


async def test_too_little_audio_is_not_worth_a_request(respx_mock: respx.MockRouter) -> None:
    engine = OpenAIVoiceProvider(OpenAIVoiceConfig(api_key=SecretStr(KEY)))
    (result,) = await recognised(engine, b"\x00\x10" * 1000)
    assert (result.text, result.is_final) == ("", True)
    assert not respx_mock.calls


async def test_without_a_key_none_is_sent(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post("http://127.0.0.1:9/v1/audio/speech").respond(content=b"\x01\x02")
    engine = OpenAIVoiceProvider(OpenAIVoiceConfig(tts_base_url="http://127.0.0.1:9/v1/"))
    assert await spoken(engine, "Yes.") == b"\x01\x02"
    assert "authorization" not in route.calls.last.request.headers


@pytest.mark.parametrize(
    ("status", "code", "fault", "setting"),
    [
        (400, "invalid_value", Fault.BAD_REQUEST, "OPENAI_TTS_MODEL"),
        (401, "invalid_api_key", Fault.AUTHENTICATION, "OPENAI_API_KEY"),
        (404, "model_not_found", Fault.BAD_REQUEST, "OPENAI_TTS_MODEL"),
        (429, "rate_limit_exceeded", Fault.RATE_LIMIT, ""),
        (429, "insufficient_quota", Fault.QUOTA, "OPENAI_API_KEY"),
        (500, None, Fault.UNAVAILABLE, ""),
    ],
)
async def test_a_refusal_says_what_to_look_at(
    respx_mock: respx.MockRouter, status: int, code: str | None, fault: Fault, setting: str
) -> None:
    error = {"message": f"about {KEY} and Good morning", "type": "t", "param": None, "code": code}
    respx_mock.post(f"{URL}/audio/speech").respond(status, json={"error": error}, headers={"x-request-id": "req_1"})
    engine = OpenAIVoiceProvider(OpenAIVoiceConfig(api_key=SecretStr(KEY)))
    with pytest.raises(TTSError) as caught:
        await spoken(engine, "Good morning.")
    told = caught.value
    assert (told.fault, told.status, told.setting, told.request_id) == (fault, status, setting, "req_1")
    assert KEY not in str(told)
    assert "morning" not in str(told)


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_server_without_a_list_of_models_is_connected_to(respx_mock: respx.MockRouter, status: int) -> None:
    respx_mock.get(f"{URL}/models").respond(status)
    engine = OpenAIVoiceProvider(OpenAIVoiceConfig(api_key=SecretStr(KEY)))
    await engine.connect()
    assert engine.is_connected


async def test_a_bad_key_is_found_out_when_connecting() -> None:
    async with OpenAIFake() as fake:
        engine = of(fake, api_key="wrong")
        with pytest.raises(TTSError) as caught:
            await engine.connect()
        await engine.disconnect()
        await http.close_shared_client()
    assert caught.value.fault is Fault.AUTHENTICATION


@pytest.mark.parametrize(("hears", "speaks"), [(True, False), (False, True)])
async def test_no_more_is_opened_than_the_call_uses(hears: bool, speaks: bool) -> None:
    async with RealtimeFake() as fake:
        engine = live(fake)
        engine.hears, engine.speaks = hears, speaks
        await engine.connect()
        assert [opened.path for opened in fake.connections] == ["/v1/realtime" if hears else "/v1/models"]
        await engine.disconnect()
        await http.close_shared_client()


# --- over HTTP -----------------------------------------------------------------------------------------------------


async def test_the_connection_that_was_opened_first_is_used() -> None:
    async with OpenAIFake() as fake:
        engine = of(fake)
        engine.hears = False
        await engine.connect()
        await spoken(engine, "Yes.")
        await spoken(engine, "No.")
        assert [opened.is_open for opened in fake.connections] == [True] * 3
        await http.close_shared_client()
        await fake.until(lambda: fake.open_connections == 0)


async def test_speech_that_is_cut_off_hangs_up() -> None:
    async with OpenAIFake() as fake:
        async with aclosing(of(fake).text_to_speech("word " * 800)) as chunks:
            assert await anext(chunks)
        await fake.hung_up.wait()


async def test_words_that_are_given_up_hang_up() -> None:
    async with OpenAIFake(Trouble.SLOW) as fake:
        reading = asyncio.create_task(recognised(of(fake), b"\x00\x10" * 8000))
        await fake.until(lambda: bool(fake.connections))
        reading.cancel()
        await asyncio.wait([reading])
        await fake.hung_up.wait()


# --- over a socket -------------------------------------------------------------------------------------------------


async def test_the_lines_own_audio_passes_untouched() -> None:
    everything = bytes(range(256)) * 20
    async with RealtimeFake() as fake:
        engine = live(fake)
        results = await recognised(engine, everything[:1000], everything[1000:])
        assert bytes(fake.session.audio) == everything
        assert results[-1] == TranscriptionResult(fake.heard, 0.0, 0.64, is_final=True)
        await engine.disconnect()
        assert fake.complaints == []


async def test_a_turn_that_the_service_finds_needs_no_asking() -> None:
    async with RealtimeFake() as fake:
        engine = live(fake, "gpt-transcribe")
        over = asyncio.Event()

        async def caller() -> AsyncIterator[bytes]:
            yield b"\x55" * 8000
            await over.wait()

        await engine.connect()
        results = []
        async with aclosing(engine.speech_to_text(caller())) as heard:
            reading = asyncio.create_task(anext(heard))
            await fake.until(lambda: len(fake.session.audio) == 8000)
            await fake.end_turn()
            results.append(await reading)
            vad = await engine.get_vad_info()
            over.set()
            results += [result async for result in heard]
        assert vad is not None
        assert vad.is_turn_complete
        told = [(result.text, result.is_final) for result in results if result.text]
        assert told == [(fake.heard, False), (fake.heard, True)]
        assert not any("commit" in str(frame) for opened in fake.connections for frame in opened.frames)
        await engine.disconnect()
        await http.close_shared_client()


async def test_a_session_that_expires_is_begun_again_and_no_word_is_lost() -> None:
    everything = bytes(range(256)) * 40
    async with RealtimeFake() as fake:
        engine = live(fake)
        over = asyncio.Event()

        async def caller() -> AsyncIterator[bytes]:
            yield everything
            await over.wait()

        reading = asyncio.create_task(_all(engine, caller()))
        await fake.until(lambda: len(fake.session.audio) >= 9600)
        await fake.expire()
        over.set()
        results = await reading
        assert bytes(fake.session.audio) == everything
        assert [result.text for result in results if result.is_final] == [fake.heard]
        assert len(fake.connections) == 2
        await engine.disconnect()


async def _all(engine: OpenAIVoiceProvider, caller: AsyncIterator[bytes]) -> list[TranscriptionResult]:
    return [result async for result in engine.speech_to_text(caller)]


async def test_a_server_without_sockets_is_an_error_in_our_words() -> None:
    async with OpenAIFake() as fake:
        engine = of(fake, model="gpt-live-transcribe")
        with pytest.raises(TranscriptionError) as caught:
            await recognised(engine, b"\x55" * 8000)
        await engine.disconnect()
    assert caught.value.setting == "OPENAI_STT_MODEL"
