import subprocess
import sys

import pytest

from providers.audio.converter import LINE, Converter, input_spec, output_spec
from providers.errors import ConfigurationError
from providers.settings import VoiceSettings, settings
from providers.voice.factory import VoiceProviderFactory
from providers.voice.nvidia import NvidiaVoiceProvider
from providers.voice.nvidia.provider import HOSTED
from tests.fakes.riva import AUDIO_PER_CHARACTER, RivaFake
from tests.providers.voice.nvidia.engine import FRAME, caller, engine_of, recognised, words


def made() -> NvidiaVoiceProvider:
    engine = VoiceProviderFactory.create_provider("nvidia")
    assert isinstance(engine, NvidiaVoiceProvider)
    return engine


async def test_pcm_at_the_telephones_rate_passes_untouched_both_ways(fake: RivaFake) -> None:
    engine = engine_of(fake)
    await recognised(engine, caller(0.5))
    assert fake.connections[0].audio == FRAME * 25
    audio = b"".join([chunk async for chunk in engine.text_to_speech("Good morning.")])
    assert audio == b"\x00\x10" * (len(audio) // 2)
    assert len(audio) == len("Goodmorning.") * AUDIO_PER_CHARACTER


def test_the_line_turns_its_own_format_into_pcm_and_back_without_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVIDIA_API_KEY", "nvapi-x")
    engine = made()
    every = bytes(value for value in range(256) if value != 0x7F)  # the other of μ-law's two zeros
    pcm = Converter(LINE, input_spec(engine)).convert(every)
    assert Converter(output_spec(engine), LINE).convert(pcm) == every


async def test_a_server_that_calls_nothing_final_is_understood(fake: RivaFake) -> None:
    fake.tells_finals = False
    engine = engine_of(fake)
    for _ in range(2):
        assert words(await recognised(engine, caller(1.0))) == fake.heard


async def test_a_long_text_is_one_call_of_several_messages(fake: RivaFake) -> None:
    text = "one two three " * 40
    audio = b"".join([chunk async for chunk in engine_of(fake).text_to_speech(text)])
    assert len(audio) == len(text.replace(" ", "")) * AUDIO_PER_CHARACTER
    assert len(fake.connections) == 1


async def test_it_tells_when_the_words_of_a_text_are_said(fake: RivaFake) -> None:
    engine = engine_of(fake)
    assert engine.word_timings() == ()
    async for _ in engine.text_to_speech("Good morning."):
        pass
    assert [(timing.word, timing.start_s) for timing in engine.word_timings()] == [("Good", 0.0), ("morning.", 0.24)]


def test_nvidias_own_servers_need_a_key_and_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="NVIDIA_API_KEY: is required"):
        made()
    monkeypatch.setenv("NVIDIA_API_KEY", "nvapi-geheim")
    monkeypatch.setenv("NVIDIA_SPEECH_TLS", "false")
    settings.reload()
    with pytest.raises(ConfigurationError, match="NVIDIA_SPEECH_TLS: is required"):
        made()
    monkeypatch.delenv("NVIDIA_SPEECH_TLS")
    settings.reload()
    config = made().config
    assert (config.stt_target, config.tts_target, config.tls) == (HOSTED, HOSTED, True)
    assert config.stt_function_id
    assert "geheim" not in repr(config)


def test_servers_of_ones_own_need_nothing_and_are_told_no_key_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVIDIA_API_KEY", "nvapi-x")
    monkeypatch.setenv("NVIDIA_SPEECH_TARGET", "gpu:50051")
    monkeypatch.setenv("NVIDIA_SPEECH_TTS_TARGET", "gpu:50052")
    monkeypatch.setenv("NVIDIA_SPEECH_TLS", "false")
    engine = made()
    assert (engine.config.stt_target, engine.config.tts_target) == ("gpu:50051", "gpu:50052")
    assert dict(engine._recognition().metadata) == dict(engine._synthesis().metadata) == {}


def test_the_settings_default_to_nvidias_own() -> None:
    assert VoiceSettings().NVIDIA_SPEECH_TARGET == HOSTED


def test_without_its_packages_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['grpc'] = None\n"
        "from providers.voice.factory import VoiceProviderFactory\n"
        "try: VoiceProviderFactory.create_provider('nvidia')\n"
        "except ValueError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)  # noqa: S603 - our own program
    assert result.stdout.strip() == "VOICE_PROVIDER: nvidia needs grpc: pip install 'offhook[nvidia]'"


def test_a_process_that_uses_another_engine_does_not_load_it() -> None:
    program = "import sys, telephony.app; print('grpc' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)  # noqa: S603 - our own program
    assert result.stdout.strip() == "False"
