"""Recorded speech in figures."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.audio import mulaw
from telephony.simulator.measure import (
    QUIETEST_DBFS,
    AudioFacts,
    Span,
    level_dbfs,
    measure_mulaw,
    measure_pcm16,
    trimmed,
)


def tone(seconds: float, amplitude: float = 8000, rate_hz: int = 8000) -> bytes:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes()


def silence(seconds: float, rate_hz: int = 8000) -> bytes:
    return bytes(2 * round(seconds * rate_hz))


def _edges(facts: AudioFacts) -> list[float]:
    return [edge for span in facts.spans for edge in (span.start_s, span.end_s)]


def test_spans_gaps_and_level_of_speech() -> None:
    facts = measure_pcm16(silence(0.5) + tone(1.0) + silence(0.4) + tone(0.5) + silence(0.2), 8000)
    assert _edges(facts) == pytest.approx([0.5, 1.5, 1.9, 2.4])
    assert facts.duration_s == pytest.approx(2.6)
    assert facts.speech_s == pytest.approx(1.5)
    assert facts.longest_gap_s == pytest.approx(0.4)
    assert facts.level_dbfs == pytest.approx(20 * np.log10(8000 / 32768) - 3.01, abs=0.1)
    assert facts.peak_dbfs == pytest.approx(20 * np.log10(8000 / 32768), abs=0.1)
    assert facts.clipped_samples == 0
    assert facts.longest_gap_within(Span(0.0, 2.6)) == pytest.approx(0.5)
    assert facts.longest_gap_within(Span(1.0, 1.8)) == pytest.approx(0.3)
    assert facts.longest_gap_within(Span(0.6, 1.4)) == pytest.approx(0.0)


def test_a_stop_inside_a_word_is_no_gap() -> None:
    facts = measure_pcm16(tone(0.3) + silence(0.1) + tone(0.3), 8000)
    assert len(facts.spans) == 1


@pytest.mark.parametrize("audio", [b"", silence(0.001), silence(1.0)])
def test_silence_has_no_speech_in_it(audio: bytes) -> None:
    facts = measure_pcm16(audio, 8000)
    assert (facts.spans, facts.level_dbfs, facts.longest_gap_s) == ((), QUIETEST_DBFS, 0.0)
    assert facts.longest_gap_within(Span(0.0, 1.0)) == 1.0


def test_clipping_is_seen_through_mulaw() -> None:
    loud = mulaw.encode(np.clip(np.frombuffer(tone(0.1, 32000), "<i2") * 2.0, -32768, 32767).astype("<i2").tobytes())
    assert measure_mulaw(loud).clipped_samples > 100
    assert measure_mulaw(mulaw.encode(tone(0.1, 20000))).clipped_samples == 0


def test_other_rates() -> None:
    facts = measure_pcm16(silence(0.5, 48000) + tone(0.5, rate_hz=48000), 48000)
    assert _edges(facts) == pytest.approx([0.5, 1.0])


def test_the_level_of_a_frame() -> None:
    assert level_dbfs(b"") == level_dbfs(b"\xff\x7f" * 80) == QUIETEST_DBFS
    assert level_dbfs(mulaw.encode(tone(0.02))) == pytest.approx(-15.3, abs=0.5)


def test_trimming_leaves_the_speech() -> None:
    speech = mulaw.encode(tone(0.4))
    assert trimmed(mulaw.encode(silence(0.3)) + speech + mulaw.encode(silence(0.5))) == speech
    assert trimmed(b"\xff" * 100) == b"\xff" * 100


@given(st.binary(max_size=4000))
def test_any_audio_has_facts_that_agree(ulaw: bytes) -> None:
    facts = measure_mulaw(ulaw)
    assert facts.duration_s == len(ulaw) / 8000
    assert all(span.duration_s > 0 for span in facts.spans)
    assert all(earlier.end_s < later.start_s for earlier, later in pairwise(facts.spans))
    assert 0 <= facts.speech_s <= facts.duration_s + 1e-9
    assert QUIETEST_DBFS <= facts.level_dbfs <= 0
    assert trimmed(ulaw) in ulaw
