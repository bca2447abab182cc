"""The voice detector in noise, asked about every window and behind the gate that tells what is plain without it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from providers.audio import mulaw
from providers.audio.resample import Resampler
from telephony.audio.gate import Gate, loudness
from telephony.audio.silero import SileroEngine, packaged_model
from telephony.audio.speech import SpeechDetector, SpeechEdge, SpeechStarted
from telephony.audio.vad import WINDOW_S, WINDOW_SAMPLES
from tests.bench.results import Row
from tests.bench.stats import percentile

TEXTS = (
    "Can I bring my dog on Friday?",
    "I would like to book a table for two people please.",
    "Yes.",
    "No, that's wrong.",
    "Um, maybe at seven thirty.",
    "Four one five, five five five, two six seven one.",
    "Hello?",
    "My name is Elizabeth.",
    "Is there any parking near the restaurant, and what does it cost?",
    "Hmm, okay.",
    "Stop.",
    "Thank you, goodbye.",
)
GAINS = (1.0, 0.3, 0.1)
NOISES = (
    *(("white", rms) for rms in (0, 15, 30, 100)),
    *(("pink", rms) for rms in (30, 100, 300)),
    ("babble", 60),
    *(("swelling", rms) for rms in (60, 200)),
    ("steps", 100),
)
VOICE_RMS = 2000  # of the sentences at full gain
LEAST_RATIO = 1.5  # of voice to noise: below it nobody could be understood
LINES = 2  # of each sort
FIRST_WORD_S, WORDS_EVERY_S, WORDS_LAG_S = 0.45, 0.25, 0.3
"""When a recogniser that ends turns has words: after the first sound, then so often, and for so long after the last."""

_EARLY_S, _LATE_S = 0.3, 0.5  # how far from a sentence an edge may lie and still be its own

type Samples = NDArray[np.float64]


@dataclass(slots=True)
class Found:
    """What a detector made of many lines; times in seconds, later than the truth where positive."""

    sentences: int = 0
    missed: int = 0
    false: int = 0
    starts_s: list[float] = field(default_factory=list)
    ends_s: list[float] = field(default_factory=list)
    windows: int = 0
    scored: int = 0


def detection(progress: Callable[[str], None]) -> list[Row]:
    """Every sort of noise, each way."""
    model = packaged_model()
    if model is None:
        raise SystemExit("there is no packaged Silero model here")
    engine, random = SileroEngine(model), np.random.default_rng(7)
    progress("speaking the sentences")
    sentences = _spoken()
    ways = {"every window": Found(), "behind the gate": Found(), "and words vouch": Found()}
    for gain in GAINS:
        for kind, rms in NOISES:
            if gain * VOICE_RMS < LEAST_RATIO * rms:
                continue
            progress(f"{kind} noise, RMS {rms}, voice at {gain}")
            for _ in range(LINES):
                line, truth = _line(sentences, gain, kind, rms, random)
                gates, words = (None, Gate(), Gate()), ((), (), _words(truth))
                for found, gate, said in zip(ways.values(), gates, words, strict=True):
                    _judge(found, truth, _edges(engine, line, gate, said, found))
    return [_row(name, found) for name, found in ways.items()]


def _spoken() -> list[Samples]:
    import hibari

    voice = hibari.Hibari(threads=1)
    spoken: list[Samples] = []
    for seed, text in enumerate(TEXTS):
        wave = np.concatenate(list(voice.stream(text, seed=seed)))
        pcm = (wave / np.abs(wave).max() * 10000).astype("<i2").tobytes()
        spoken.append(np.frombuffer(Resampler(24000, mulaw.RATE_HZ).process(pcm), "<i2").astype(float))
    return spoken


def _line(
    sentences: Sequence[Samples], gain: float, kind: str, rms: float, random: Generator
) -> tuple[bytes, list[tuple[float, float]]]:
    """All sentences with pauses between them, in noise; and from when to when each of them is to be heard."""
    parts: list[Samples] = []
    truth: list[tuple[float, float]] = []
    at = 0
    for number in random.permutation(len(sentences)):
        pause, sentence = int(mulaw.RATE_HZ * random.uniform(1.5, 4.0)), sentences[number]
        loud = np.flatnonzero(np.abs(sentence) > 300) + at + pause
        truth.append((loud[0] / mulaw.RATE_HZ, loud[-1] / mulaw.RATE_HZ))
        parts += [np.zeros(pause), sentence * gain]
        at += pause + len(sentence)
    line = np.concatenate([*parts, np.zeros(2 * mulaw.RATE_HZ)])
    line += rms * _noise(kind, len(line), sentences, random)
    return mulaw.encode(np.clip(line, -32768, 32767).astype("<i2").tobytes()), truth


def _noise(kind: str, size: int, sentences: Sequence[Samples], random: Generator) -> Samples:
    """Noise with an RMS of about 1."""
    if kind == "white":
        return random.standard_normal(size)
    if kind == "babble":
        voices = [np.roll(np.resize(np.concatenate(sentences), size), random.integers(size)) for _ in range(6)]
        return _normal(np.sum(voices, axis=0))
    spectrum = np.fft.rfft(random.standard_normal(size)) / np.sqrt(np.maximum(1, np.arange(size // 2 + 1)))
    pink, times_s = _normal(np.fft.irfft(spectrum, size)), np.arange(size) / mulaw.RATE_HZ
    if kind == "swelling":
        return pink * (1 + 0.8 * np.sin(2 * np.pi * 0.3 * times_s))
    if kind == "steps":
        return pink * np.where(times_s // 5 % 2, 1.0, 0.2)
    return pink


def _normal(samples: Samples) -> Samples:
    return samples / float(np.sqrt(np.mean(np.square(samples))))


def _words(truth: Sequence[tuple[float, float]]) -> frozenset[int]:
    """The windows at which a recogniser has more words."""
    return frozenset(
        int(at / WINDOW_S)
        for begins_s, ends_s in truth
        for at in np.arange(begins_s + FIRST_WORD_S, ends_s + WORDS_LAG_S, WORDS_EVERY_S)
    )


def _edges(
    engine: SileroEngine, line: bytes, gate: Gate | None, words: Collection[int], found: Found
) -> list[SpeechEdge]:
    detector = SpeechDetector(hangover_ms=engine.hangover_ms)
    edges: list[SpeechEdge] = []
    for number in range(len(line) // WINDOW_SAMPLES):
        window = line[number * WINDOW_SAMPLES : (number + 1) * WINDOW_SAMPLES]
        rms = loudness(window)
        if gate is not None and number in words:
            gate.vouch()
        probability = None if gate is None else gate.judge(rms)
        found.windows += 1
        if gate is None or probability is None or gate.reminds(probability):
            found.scored += 1
            (scored,) = engine.run([0], np.frombuffer(mulaw.decode(window), "<i2")[None])
            probability = scored if probability is None else probability
        if gate is not None:
            gate.learn(rms, probability)
        if (edge := detector.feed(probability)) is not None:
            edges.append(edge)
    engine.forget(0)
    return edges


def _judge(found: Found, truth: Sequence[tuple[float, float]], edges: Sequence[SpeechEdge]) -> None:
    starts = [edge.at_s for edge in edges if isinstance(edge, SpeechStarted)]
    ends = [edge.at_s for edge in edges if not isinstance(edge, SpeechStarted)]
    for begins_s, ends_s in truth:
        found.sentences += 1
        mine = [at for at in starts if begins_s - _EARLY_S < at < ends_s]
        found.missed += not mine
        found.starts_s += [at - begins_s for at in mine[:1]]
        found.ends_s += [at - ends_s for at in ends if begins_s < at < ends_s + _LATE_S][-1:]
    found.false += sum(not any(begins - _EARLY_S < at < end + 0.1 for begins, end in truth) for at in starts)


def _row(name: str, found: Found) -> Row:
    def ms(values: Sequence[float], share: float) -> float:
        return percentile(values, share) * 1000

    return {
        "detector": name,
        "sentences": found.sentences,
        "not noticed": found.missed,
        "false starts": found.false,
        "start late, mean ms": float(np.mean(found.starts_s)) * 1000,
        "start late, 90 % ms": ms(found.starts_s, 0.9),
        "end late, 10 % ms": ms(found.ends_s, 0.1),
        "end late, median ms": ms(found.ends_s, 0.5),
        "end late, 90 % ms": ms(found.ends_s, 0.9),
        "windows scored": found.scored / found.windows,
    }
