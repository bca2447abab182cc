"""The real models, talking to themselves over a telephone line."""

import subprocess
import sys
from collections.abc import AsyncIterator
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from providers.settings import VoiceSettings
from providers.voice.local import LocalVoiceProvider
from providers.voice.local.levels import active_level, frame_levels
from providers.voice.local.models import Synthesiser, load_voice
from providers.voice.local.pieces import pieces, sayable
from tests.providers.voice.local.sounds import Wave, keys, noise, pcm, silence, tone, wave_of
from tests.providers.voice.local.telephone import errors, normalised, over_the_phone

pytestmark = pytest.mark.speech

SENTENCES = (
    "Hello, I would like to book a table for four people.",
    "My name is Jennifer Thompson.",
    "Can you tell me your opening hours on Sunday?",
    "I need to change my appointment to Thursday at three.",
    "Could I speak to a person, please?",
    "What time do you close tonight?",
    "My order number is four seven two nine one.",
    "I am calling about the invoice you sent me last week.",
    "Yes, that is correct.",
    "No, that's wrong.",
    "Do you have anything vegetarian on the menu?",
    "Is there parking near the restaurant?",
    "I'd like to cancel my subscription.",
    "The delivery has not arrived yet.",
    "Please send it to my office on Market Street.",
    "Can you repeat that, please?",
    "My phone number is five five five, two zero one, eight four six nine.",
    "How much does the large pizza cost?",
    "I will be there in about twenty minutes.",
    "Thank you very much for your help, goodbye.",
)
ANSWERS = (
    "Yes.",
    "No.",
    "Okay.",
    "Sure.",
    "Hello.",
    "Thanks.",
    "Operator.",
    "Monday.",
    "Friday.",
    "Seven.",
    "Correct.",
)
NUMBERS = ("four seven two nine one", "eight zero zero five", "one two three four five six", "nine nine two seven")
RATE = 24000


@cache
def voice() -> Synthesiser:
    return load_voice("heart").model


@pytest.fixture
async def engine() -> AsyncIterator[LocalVoiceProvider]:
    """Connected; the models are loaded once for all tests."""
    async with LocalVoiceProvider.from_settings(VoiceSettings()) as provider:
        yield provider


async def spoken(engine: LocalVoiceProvider, text: str) -> bytes:
    return b"".join([chunk async for chunk in engine.text_to_speech(text)])


async def heard(engine: LocalVoiceProvider, audio: bytes) -> str:
    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(audio), 640):
            yield audio[start : start + 640]

    (result,) = [result async for result in engine.speech_to_text(stream())]
    assert result.is_final
    return result.text


async def error_rate(engine: LocalVoiceProvider, sentences: tuple[str, ...], snr_db: float | None = None) -> float:
    wrong = total = 0
    for sentence in sentences:
        text = await heard(engine, over_the_phone(await spoken(engine, sentence), snr_db=snr_db))
        reference = normalised(sentence)
        wrong += errors(reference, normalised(text))
        total += len(reference)
    return wrong / total


async def test_sentences_are_understood_over_the_phone(engine: LocalVoiceProvider) -> None:
    assert await error_rate(engine, SENTENCES) <= 0.05


async def test_sentences_are_understood_in_noise(engine: LocalVoiceProvider) -> None:
    assert await error_rate(engine, SENTENCES[::2], snr_db=12) <= 0.1


async def test_one_word_is_mostly_enough(engine: LocalVoiceProvider) -> None:
    texts = [await heard(engine, over_the_phone(await spoken(engine, word))) for word in ANSWERS]
    right = [normalised(text) == normalised(word) for word, text in zip(ANSWERS, texts, strict=True)]
    assert sum(right) >= len(ANSWERS) - 1


async def test_dictated_digits_are_mostly_right(engine: LocalVoiceProvider) -> None:
    texts = [await heard(engine, over_the_phone(await spoken(engine, f"{number}."))) for number in NUMBERS]
    said = ["".join(normalised(number)) for number in NUMBERS]
    found = ["".join(normalised(text)) for text in texts]
    assert sum(map(str.__eq__, said, found)) >= len(said) - 1


@pytest.mark.parametrize("text", ["Thank you.", "Thank you very much.", "Bye.", "Thanks."])
async def test_what_phantoms_say_is_heard_when_a_caller_says_it(engine: LocalVoiceProvider, text: str) -> None:
    for snr_db in (None, 12):
        assert normalised(await heard(engine, over_the_phone(await spoken(engine, text), snr_db=snr_db))) == (
            normalised(text)
        )


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(2.0), id="digital silence"),
        pytest.param(noise(3.0, -62), id="idle line"),
        *(pytest.param(noise(3.0, dbfs), id=f"white noise at {dbfs}") for dbfs in (-45, -35, -25)),
        *(pytest.param(noise(4.0, dbfs, pink=True), id=f"pink noise at {dbfs}") for dbfs in (-45, -35, -25)),
        pytest.param(keys((770, 1336)), id="one key"),
        pytest.param(keys((697, 1209), (852, 1477), (941, 1336), (770, 1336)), id="four keys"),
        pytest.param(tone(440, 2.0) + tone(480, 2.0), id="ringing"),
        pytest.param(np.concatenate([silence(0.3), tone(1000, 0.5), silence(0.4)]), id="beep"),
        pytest.param(tone(120, 3.0, amplitude=0.02), id="hum"),
    ],
)
async def test_what_is_no_speech_is_no_text(engine: LocalVoiceProvider, sound: Wave) -> None:
    assert await heard(engine, pcm(sound)) == ""


async def test_a_caller_who_talks_for_long_is_heard_to_the_end(engine: LocalVoiceProvider) -> None:
    audio = b"".join([await spoken(engine, sentence) for sentence in SENTENCES])
    assert len(audio) / 2 / RATE > 35
    text = normalised(await heard(engine, over_the_phone(audio)))
    reference = normalised(" ".join(SENTENCES))
    assert errors(reference, text) / len(reference) <= 0.1
    assert text[-1] == "goodbye"


@pytest.mark.parametrize("text", ["Okay.", SENTENCES[0], SENTENCES[16]])
async def test_speech_has_the_level_and_the_edges_of_telephone_speech(engine: LocalVoiceProvider, text: str) -> None:
    wave = wave_of(await spoken(engine, text))
    levels = frame_levels(wave, RATE)
    loud = np.flatnonzero(levels > -50)
    assert -24 <= active_level(levels) <= -19
    assert np.abs(wave).max() < 0.92
    assert loud[0] * 10 <= 50
    assert 100 <= (len(levels) - loud[-1]) * 10 <= 400


async def test_the_same_text_is_the_same_audio(engine: LocalVoiceProvider) -> None:
    assert await spoken(engine, "Good morning.") == await spoken(engine, "Good morning.")


async def test_a_no_at_the_end_is_a_no(engine: LocalVoiceProvider) -> None:
    assert normalised(await heard(engine, over_the_phone(await spoken(engine, "Sorry, no.")))) == ["sorry", "no"]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=60))
@example("1" * 400)
@example("x" * 1000)
@example("word " * 300)
@example("3.5.2.1 99/99/9999 25:61 $$5 ²½Ⅷ #@%^& http://x.y/z?q=1")
@example("\ud800\x00\u202e🙂 こんにちは Привет مرحبا")
@example("[x](/y/) [](//) [](x)")
def test_any_text_can_be_spoken_or_is_silence(text: str) -> None:
    for piece in pieces(sayable(text)):
        audio = voice().speak(piece)
        assert len(audio) % 2 == 0


def test_nothing_goes_to_the_network() -> None:
    """Loading, speaking and hearing in a process where every use of a socket is fatal."""
    program = """
import asyncio, sys
from providers.settings import VoiceSettings
from providers.voice.local import LocalVoiceProvider

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.system"):
        print("used", event, flush=True)

async def main():
    sys.addaudithook(refuse)
    await LocalVoiceProvider.prepare(VoiceSettings())
    async with LocalVoiceProvider.from_settings(VoiceSettings()) as engine:
        print(sum([len(chunk) async for chunk in engine.text_to_speech("Hello there.")]) > 10000)

asyncio.run(main())
"""
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-W", "error", "-c", program], capture_output=True, check=True, text=True
    )
    assert result.stdout.split() == ["True"]
    assert result.stderr == ""
