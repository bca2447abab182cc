"""A call with real speech both ways, and what a listener with instruments would say about its recording."""

import wave
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from providers.audio.converter import AudioSpec, Converter, input_spec
from providers.voice.factory import VoiceProviderFactory
from providers.voice.types import AudioFormat
from telephony.simulator.caller import Say
from telephony.simulator.events import BotAudioArrived, BotQuiet, BotReported, BotSpeaking
from telephony.simulator.measure import Span, measure_pcm16
from telephony.simulator.report import CallReport
from telephony.simulator.voice import Voice
from telephony.simulator.words import word_error_rate
from tests.wire.office import in_a_process, of_kind

pytestmark = pytest.mark.speech

LINES = ("Is there parking?", "Can I bring my dog?", "Thank you very much, goodbye.")
MOST_WORD_ERRORS = 0.1
LONGEST_HOLE_S = 0.04
LEVEL_DBFS, TOLERANCE_DB = -23.0, 6.0
RATE_HZ = 8000


async def test_a_call_is_understood_and_sounds_well(tmp_path: Path, caller_voice: Voice) -> None:
    recording = tmp_path / "call.wav"
    async with in_a_process(tmp_path, caller_voice, {"VOICE_PROVIDER": "local"}) as office:
        report = await office.call(*(Say(line) for line in LINES), wav_path=recording)

    assert report.reason == "the bot hung up over REST"
    assert [turn.said for turn in report.turns[1:]] == list(LINES)
    assert report.word_error_rate is not None
    assert report.word_error_rate <= MOST_WORD_ERRORS
    assert not report.warnings

    bot = track(recording, right=True)
    facts = measure_pcm16(bot, RATE_HZ)
    assert facts.clipped_samples == 0
    assert facts.level_dbfs == pytest.approx(LEVEL_DBFS, abs=TOLERANCE_DB)
    assert holes(report) == []

    said = [turn.answer for turn in report.turns]
    heard = await recognised([cut(bot, span) for span in bot_speech(report)])
    assert word_error_rate(" \n ".join(said), " \n ".join(heard)) <= MOST_WORD_ERRORS


def track(path: Path, *, right: bool) -> bytes:
    """One side of a recording, PCM16."""
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE_HZ)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    return samples[:, int(right)].tobytes()


def holes(report: CallReport) -> list[float]:
    """Where the carrier's queue ran dry inside a sentence.

    Pauses between words are the voice's own and are sent as audio. A hole is audio that came to an empty queue and
    was not the beginning of a sentence.
    """
    begun = [event.at_s for event in of_kind(report, BotReported) if event.kind == "audio_sent"]
    arrived = [event.at_s for event in of_kind(report, BotAudioArrived)]
    return [at_s for at_s in arrived if min(abs(at_s - start_s) for start_s in begun) > LONGEST_HOLE_S]


def bot_speech(report: CallReport) -> list[Span]:
    """When the caller heard the bot, an answer each."""
    began = [event.at_s for event in of_kind(report, BotSpeaking)]
    ended = [event.at_s for event in of_kind(report, BotQuiet)]
    return [Span(start_s, end_s) for start_s, end_s in zip(began, ended, strict=True)]


def cut(pcm16: bytes, span: Span) -> bytes:
    """A span of a track with a little of what is around it."""
    start, end = (max(0, round(at_s * RATE_HZ)) * 2 for at_s in (span.start_s - 0.1, span.end_s + 0.1))
    return pcm16[start:end]


async def recognised(pieces: Sequence[bytes]) -> list[str]:
    """What the embedded recogniser makes of telephone audio."""

    async def once(audio: bytes) -> AsyncIterator[bytes]:
        yield audio

    async with VoiceProviderFactory.create_provider("local") as engine:
        converter = Converter(AudioSpec(AudioFormat.PCM, RATE_HZ), input_spec(engine))
        texts = []
        for piece in pieces:
            audio = converter.convert(piece) + converter.flush()
            texts.append(" ".join([result.text async for result in engine.speech_to_text(once(audio))]))
        return texts
