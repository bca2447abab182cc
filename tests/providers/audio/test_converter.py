import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.audio import mulaw
from providers.audio.converter import LINE, AudioSpec, Converter, input_spec, output_spec
from providers.audio.resample import Resampler
from providers.errors import ConfigurationError
from providers.voice.scripted import ScriptedConfig, ScriptedVoiceProvider
from providers.voice.types import AudioFormat, VoiceCapabilities
from tests.providers.audio.signals import decibels, noise, rms, samples, tone

PCM_8000 = AudioSpec(AudioFormat.PCM, 8000)
PCM_24000 = AudioSpec(AudioFormat.PCM, 24000)
specs = st.sampled_from([LINE, PCM_8000, PCM_24000, AudioSpec(AudioFormat.PCM, 22050)])


class LineEngine(ScriptedVoiceProvider):
    capabilities = VoiceCapabilities(input_format=AudioFormat.ULAW_8000, output_format=AudioFormat.ULAW_8000)


class FixedRateEngine(ScriptedVoiceProvider):
    capabilities = VoiceCapabilities(input_format=AudioFormat.PCM_16000, output_format=AudioFormat.PCM_24000)


class OpusEngine(ScriptedVoiceProvider):
    capabilities = VoiceCapabilities(input_format=AudioFormat.OPUS, output_format=AudioFormat.WAV)


@pytest.mark.parametrize("spec", [LINE, PCM_8000, PCM_24000])
def test_equal_specs_pass_the_very_bytes(spec: AudioSpec) -> None:
    converter = Converter(spec, spec)
    audio = noise(81)
    assert converter.convert(audio) is audio
    assert converter.flush() == b""


def test_negative_zero_comes_through_the_line_untouched() -> None:
    assert Converter(LINE, LINE).convert(b"\x7f") == b"\x7f"


def test_line_to_engine() -> None:
    ulaw = mulaw.encode(noise(160))
    assert Converter(LINE, PCM_8000).convert(ulaw) == mulaw.decode(ulaw)
    assert Converter(LINE, PCM_24000).convert(ulaw) == Resampler(8000, 24000).process(mulaw.decode(ulaw))


def test_engine_to_line() -> None:
    pcm = noise(480)
    assert Converter(PCM_8000, LINE).convert(pcm) == mulaw.encode(pcm)
    assert Converter(PCM_24000, LINE).convert(pcm) == mulaw.encode(Resampler(24000, 8000).process(pcm))


@given(specs, specs, st.lists(st.binary(max_size=300), max_size=8))
def test_chunks_do_not_show(source: AudioSpec, target: AudioSpec, chunks: list[bytes]) -> None:
    one, many = Converter(source, target), Converter(source, target)
    whole = one.convert(b"".join(chunks)) + one.flush()
    assert b"".join(many.convert(chunk) for chunk in chunks) + many.flush() == whole


def test_there_and_back_again() -> None:
    there, back = Converter(LINE, PCM_24000), Converter(PCM_24000, LINE)
    ulaw = mulaw.encode(tone(1000, 8000))
    heard = mulaw.decode(back.convert(there.convert(ulaw) + there.flush()) + back.flush())
    assert abs(decibels(rms(samples(heard)[200:1400]) / rms(samples(mulaw.decode(ulaw))[200:1400]))) < 0.2
    assert there.delay_s == back.delay_s == pytest.approx(0.0034, abs=0.0001)


def test_durations() -> None:
    assert LINE.duration_s(160) == 0.02
    assert PCM_24000.duration_s(960) == 0.02


@pytest.mark.parametrize("kind", [kind for kind in AudioFormat if kind not in (AudioFormat.PCM, AudioFormat.ULAW_8000)])
def test_formats_that_are_not_known(kind: AudioFormat) -> None:
    with pytest.raises(ValueError, match=f"cannot convert {kind} audio"):
        AudioSpec(kind, 8000)


def test_the_line_has_one_rate() -> None:
    with pytest.raises(ValueError, match="16000 Hz"):
        AudioSpec(AudioFormat.ULAW_8000, 16000)


def test_specs_of_engines() -> None:
    config = ScriptedConfig(sample_rate_input=16000, sample_rate_output=44100)
    assert input_spec(ScriptedVoiceProvider(config)) == AudioSpec(AudioFormat.PCM, 16000)
    assert output_spec(ScriptedVoiceProvider(config)) == AudioSpec(AudioFormat.PCM, 44100)
    assert input_spec(LineEngine(config)) == output_spec(LineEngine(config)) == LINE
    assert input_spec(FixedRateEngine(ScriptedConfig())) == AudioSpec(AudioFormat.PCM, 16000)
    assert output_spec(FixedRateEngine(ScriptedConfig())) == AudioSpec(AudioFormat.PCM, 24000)


def test_engines_the_line_cannot_serve() -> None:
    with pytest.raises(ConfigurationError, match="VOICE_PROVIDER: scripted: cannot convert opus audio"):
        input_spec(OpusEngine(ScriptedConfig()))
    with pytest.raises(ConfigurationError, match="cannot convert wav audio"):
        output_spec(OpusEngine(ScriptedConfig()))
    with pytest.raises(ConfigurationError, match="cannot resample 8000 Hz to 4000 Hz"):
        input_spec(ScriptedVoiceProvider(ScriptedConfig(sample_rate_input=4000)))
