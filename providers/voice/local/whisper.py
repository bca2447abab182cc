"""Speech to text: a Whisper model on ctranslate2, fed a window no longer than it needs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from providers.voice.local.bpe import text_of
from providers.voice.local.guards import Decoded, is_doubtful, is_runaway, is_speech, token_limit, without_runaway
from providers.voice.local.levels import active_s, frame_levels
from providers.voice.local.mel import SAMPLE_RATE, Samples, log_mel, samples_of

_LONGEST_WINDOW_S = 30.0  # what the model was trained on
_NEAR_SILENCE_DBFS = -55.0  # an idle telephone line is below, a whisper into a telephone above
_SHORTEST_SPEECH_S = 0.05


@dataclass(frozen=True, slots=True)
class Heard:
    """What one stretch of audio said: no text when nothing was said or understood; confidence from 0 to 1."""

    text: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class _Window:
    """How much audio the encoder is given: the utterance and `extra_s` of silence, at least `least_s`.

    Whisper's 30 s for everything would cost five times as much; with less than the default it repeats itself.
    """

    extra_s: float
    least_s: float

    def length_s(self, duration_s: float) -> float:
        return min(_LONGEST_WINDOW_S, max(self.least_s, duration_s + self.extra_s))


_FIRST = _Window(extra_s=4.0, least_s=10.0)
_SECOND = _Window(extra_s=8.0, least_s=15.0)


class Whisper:
    """One loaded model. Its methods block for as long as the inference takes and belong on one thread."""

    def __init__(self, folder: Path) -> None:
        """Load the ctranslate2 model in `folder`; raises ImportError, or RuntimeError if it is none."""
        import ctranslate2

        self._model = ctranslate2.models.Whisper(str(folder), compute_type="int8", intra_threads=1)
        self._array: Any = ctranslate2.StorageView.from_array
        language = ["<|en|>", "<|transcribe|>"] if self._model.is_multilingual else []
        self._prompt = ["<|startoftranscript|>", *language, "<|notimestamps|>"]

    def warm_up(self) -> None:
        """Run once over noise, so that no caller waits for what the first inference sets up."""
        noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
        self._decode(0.01 * noise, _FIRST, 1.0)

    def transcribe(self, pcm: bytes) -> Heard:
        """Recognise up to 30 s of PCM16 at 16 kHz."""
        samples = samples_of(pcm)
        levels = frame_levels(samples, SAMPLE_RATE)
        speech_s = active_s(levels)
        if levels.max(initial=-np.inf) < _NEAR_SILENCE_DBFS or speech_s < _SHORTEST_SPEECH_S:
            return Heard()
        decoded = self._decode(samples, _FIRST, speech_s)
        if is_doubtful(decoded, speech_s):
            decoded = self._decode(samples, _SECOND, speech_s)
            if is_runaway(decoded, speech_s):
                decoded = replace(decoded, text=without_runaway(decoded.text))
        if not is_speech(decoded):
            return Heard()
        return Heard(decoded.text, confidence=min(1.0, float(np.exp(decoded.log_probability))))

    def _decode(self, samples: Samples, window: _Window, speech_s: float) -> Decoded:
        features = log_mel(samples, window.length_s(len(samples) / SAMPLE_RATE), self._model.n_mels)
        (result,) = self._model.generate(
            self._array(features[None]),
            [self._prompt],
            beam_size=1,
            max_length=2 * (token_limit(speech_s) + 4),  # ctranslate2 halves it; above the limit, so that it shows
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens: list[str] = result.sequences[0]
        return Decoded(
            text=text_of(tokens),
            tokens=len(tokens),
            log_probability=result.scores[0],
            no_speech=result.no_speech_prob,
        )
