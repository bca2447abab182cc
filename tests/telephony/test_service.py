"""What is checked before a server starts, and what its calls are made of."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self

import httpx
import pytest
from langchain_core.language_models.fake import FakeListLLM
from starlette.applications import Starlette
from starlette.routing import Route

from agent.business import load_business
from agent.llm_factory import LLMFactory
from providers.errors import ConfigurationError
from providers.settings import VoiceSettings
from providers.settings import settings as provider_settings
from providers.voice.factory import VoiceProviderFactory
from providers.voice.scripted import ScriptedConfig, ScriptedVoiceProvider
from providers.voice.types import WordTiming
from telephony.call.rules import CallRules
from telephony.call.speaker import Clip
from telephony.engines import check_configuration, hearing_engine, load, minds, speaking_engine, voices
from telephony.service import Service
from telephony.settings import settings as line_settings
from telephony.twilio.messages import Start
from telephony.twilio.signature import sign
from tests.telephony.twilio.frames import ACCOUNT, CALL, STREAM
from tests.telephony.twilio.test_line import Peer

BUSINESS_FILE = Path(__file__).parents[2] / "agent" / "business.yaml"
TOKEN = "0123456789abcdef0123456789abcdef"
NO_CHAT_MODEL = FakeListLLM(responses=["hello"])


class Deaf(ScriptedVoiceProvider):
    """Another engine than the scripted one."""


class Counts(ScriptedVoiceProvider):
    """Tells its words, as long as it is connected."""

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        self._words = text.split()
        async for chunk in super().text_to_speech(text):
            yield chunk

    def word_timings(self) -> Sequence[WordTiming]:
        return [WordTiming(word, 0.0, 1.0) for word in self._words if self.is_connected]


class Silent(ScriptedVoiceProvider):
    """Speaks nothing."""

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        return
        yield b""


class OddConfig(ScriptedConfig):
    """A rate that the line cannot be turned into."""

    sample_rate_output: int = 7


class Odd(ScriptedVoiceProvider):
    """Speaks at that rate."""

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        return cls(OddConfig())


class Lost(ScriptedVoiceProvider):
    """Could be made when the server started, and cannot any more."""

    @classmethod
    def from_settings(cls, settings: VoiceSettings) -> Self:
        raise ConfigurationError.of("SCRIPTED_TRANSCRIPTS", "is gone")


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/offhook.db")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("VOICE_PROVIDER", "scripted")
    LLMFactory.reset_cache()
    return monkeypatch


def reload() -> None:
    provider_settings.reload()
    line_settings.reload()


def variables() -> list[str]:
    """What a server that is to start complains of."""
    reload()
    with pytest.raises(ConfigurationError) as error:
        check_configuration()
    return [problem.variable for problem in error.value.problems]


def test_a_configuration_that_works_passes(put: pytest.MonkeyPatch) -> None:
    reload()
    check_configuration()


def test_all_that_is_wrong_is_told_at_once_and_once_each(put: pytest.MonkeyPatch) -> None:
    put.delenv("TWILIO_AUTH_TOKEN")
    put.setenv("BUSINESS_FILE", "/nowhere/business.yaml")
    put.setenv("VOICE_PROVIDER", "nobody")
    assert variables() == ["TWILIO_AUTH_TOKEN", "BUSINESS_FILE", "VOICE_PROVIDER"]


def test_a_model_that_cannot_chat_is_refused(put: pytest.MonkeyPatch) -> None:
    put.setenv("LLM_PROVIDER", f"{__name__}:NO_CHAT_MODEL")
    assert variables() == ["LLM_PROVIDER"]
    with pytest.raises(ConfigurationError, match="FakeListLLM is not a chat model"):
        minds()


class Chosen(ScriptedVoiceProvider):
    """Has a voice to choose; which setting names it is of no concern here."""

    voice_setting = "LOCAL_TTS_VOICE"


def business_with(voice: str, path: Path) -> str:
    path.write_text(f"{BUSINESS_FILE.read_text(encoding='utf-8')}\nvoice: {voice}\n", encoding="utf-8")
    return str(path)


def test_a_business_brings_its_voice(put: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put.setenv("LOCAL_TTS_VOICE", "bob")
    put.setenv("BUSINESS_FILE", business_with("emma", tmp_path / "business.yaml"))
    put.setenv("VOICE_TTS_PROVIDER", f"{__name__}:Chosen,scripted")
    reload()
    check_configuration()
    assert provider_settings.voice.LOCAL_TTS_VOICE == "emma"


def test_a_business_cannot_bring_a_voice_to_an_engine_without_a_choice(put: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put.setenv("BUSINESS_FILE", business_with("emma", tmp_path / "business.yaml"))
    assert variables() == ["BUSINESS_FILE"]
    with pytest.raises(ConfigurationError, match="voice: scripted has no voice to choose"):
        check_configuration()


def test_ears_and_voice_may_be_different_engines(put: pytest.MonkeyPatch) -> None:
    put.setenv("VOICE_TTS_PROVIDER", f"{__name__}:Deaf")
    reload()
    assert type(speaking_engine()).__name__ == "Deaf"
    assert type(hearing_engine()) is ScriptedVoiceProvider


def test_one_engine_does_both_unless_they_are_told_apart(put: pytest.MonkeyPatch) -> None:
    reload()
    both = voices()
    assert both.hears is both.speaks
    assert both.hears.hears
    assert both.hears.speaks

    put.setenv("VOICE_STT_PROVIDER", "scripted,local")
    reload()
    apart = voices()
    assert (apart.hears.hears, apart.hears.speaks) == (True, False)
    assert (apart.speaks.hears, apart.speaks.speaks) == (False, True)
    assert apart.hears.config.provider_name == "scripted,local"


async def test_every_engine_of_a_list_is_loaded_and_its_format_checked(put: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    async def prepare(cls: type[ScriptedVoiceProvider], settings: VoiceSettings) -> None:
        loaded.append(cls.__name__)

    class Nothing:
        async def start(self) -> None:
            loaded.append("detection")

    put.setattr(ScriptedVoiceProvider, "prepare", classmethod(prepare))
    put.setenv("VOICE_PROVIDER", f"scripted,{__name__}:Deaf")
    reload()
    await load(Nothing())  # type: ignore[arg-type]
    assert sorted(loaded) == ["Deaf", "ScriptedVoiceProvider", "detection"]

    put.setenv("VOICE_PROVIDER", f"scripted,{__name__}:Odd")
    assert variables() == ["VOICE_PROVIDER"]


async def beforehand(*engines: str, put: pytest.MonkeyPatch) -> dict[str, Clip]:
    """What a service has these engines speak before there is a call."""
    put.setenv("VOICE_TTS_PROVIDER", ",".join(engines))
    reload()
    service = Service()
    await service._speak_beforehand()
    await service.stop()
    return service._clips


async def test_what_begins_every_call_is_spoken_beforehand(put: pytest.MonkeyPatch, tmp_path: Path) -> None:
    business = BUSINESS_FILE.read_text() + "\nnotice: This call is recorded.\n"
    (tmp_path / "business.yaml").write_text(business)
    put.setenv("BUSINESS_FILE", str(tmp_path / "business.yaml"))
    clips = await beforehand(f"{__name__}:Counts", put=put)
    greeting = load_business(str(BUSINESS_FILE)).greeting
    assert list(clips) == [greeting, "This call is recorded.", CallRules().defeat]
    assert all(len(clip.audio) > 8000 for clip in clips.values())
    assert [word.word for word in clips[greeting].timings] == greeting.split()


async def test_the_last_words_are_spoken_beforehand_by_whichever_engine_can(
    put: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert list(await beforehand("tests.wire.engines:Mute", "scripted", put=put)) == [CallRules().defeat]
    assert "callers will wait for the greeting" in caplog.text  # in the voice they know, should it come back
    assert "will hear the carrier's apology" not in caplog.text

    assert not await beforehand("tests.wire.engines:Mute", put=put)
    assert "will hear the carrier's apology" in caplog.text


async def test_an_engine_that_speaks_nothing_has_spoken_nothing_beforehand(
    put: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert not await beforehand(f"{__name__}:Silent", put=put)
    assert "gave no audio" in caplog.text


async def test_engines_of_a_call_that_is_announced_are_ready_when_its_stream_comes(put: pytest.MonkeyPatch) -> None:
    reload()
    service = Service()
    service._warm.expect(CALL)
    voices = service._warm.claim(CALL)
    await voices.connect()
    assert voices.hears.is_connected
    await voices.disconnect()
    await service.stop()


async def test_without_an_account_there_is_no_rest_to_stop(put: pytest.MonkeyPatch) -> None:
    reload()
    service = Service()
    assert service.office.not_ready == "the engines are loading"
    await service.stop()


async def test_a_development_server_on_loopback_needs_no_token(put: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put.delenv("TWILIO_AUTH_TOKEN")
    put.setenv("TWILIO_VALIDATE_SIGNATURES", "false")
    reload()
    await Service().stop()


async def test_a_call_that_cannot_begin_leaves_no_feed_that_never_ends(put: pytest.MonkeyPatch) -> None:
    reload()
    service = Service()
    await service._records.start()
    put.setitem(VoiceProviderFactory._registry, "scripted", Lost)
    with pytest.raises(ConfigurationError):
        await service.endpoint._serve(await Peer().line(), Start(STREAM, CALL, ACCOUNT))
    assert service.office.live_calls == 0
    path = f"/calls/{CALL}/events"
    signature = sign(service.settings.public_base_url + path, TOKEN)
    app = Starlette(routes=[Route("/calls/{call_sid}/events", service.feed.events)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        assert (await client.get(path, headers={"X-Twilio-Signature": signature})).status_code == 404
    await service.stop()


def test_calls_are_not_recorded_with_nobody_told(put: pytest.MonkeyPatch) -> None:
    put.setenv("RECORD_CALLS", "true")
    assert variables() == ["RECORD_CALLS"]
    put.setenv("RECORD_WITHOUT_NOTICE", "true")
    reload()
    check_configuration()
