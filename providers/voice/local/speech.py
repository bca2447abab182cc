"""Text to speech: a hibari voice on onnxruntime."""

import re
from pathlib import Path

import numpy as np

from providers.voice.local.loudness import shaped

SAMPLE_RATE = 24000

_AFTER_SENTENCE_MS = 180
_AFTER_CLAUSE_MS = 80
_MOST_PHONEMES = 400  # the length hibari cuts sentences to itself, where it finds a clause
_NO_AT_THE_END = re.compile(r"\b([Nn]o)(?=\.(?!\s*\d))")


class Voice:
    """One loaded voice. Its methods block for as long as the synthesis takes and belong on one thread."""

    def __init__(self, name_or_path: str) -> None:
        """Load a voice by its hibari name or the path of its model.

        Raises ImportError, FileNotFoundError for a voice that is not on this machine (nothing is downloaded), and
        ValueError for one that does not exist or is no hibari model.
        """
        from hibari import Hibari
        from hibari.voices import DEFAULT, VOICES, voice_path

        if name_or_path in VOICES:
            name, path = name_or_path, Path(voice_path(name_or_path, download_missing=False))
        else:
            path = Path(name_or_path)
            name = next((known for known, voice in VOICES.items() if voice["file"] == path.name), DEFAULT)
        if not path.is_file():
            raise FileNotFoundError(path)
        try:
            self._hibari = Hibari(voice=name, model=str(path))
        except Exception as error:  # onnxruntime raises classes of its own for a file that is no model
            raise ValueError(f"not a hibari model: {type(error).__name__}") from error

    def warm_up(self) -> None:
        """Speak once, with a word no dictionary has, so that everything is loaded that loads when first needed."""
        self.speak("Hello, this is zzyvex speaking, how can I help you today?")

    def speak(self, piece: str) -> bytes:
        """PCM16 at 24 kHz of one sentence or clause; nothing for a text without sounds. The same each time."""
        text = _NO_AT_THE_END.sub(r"[\1](/nˈO/)", piece)  # hibari reads "no." as "number"
        noise = np.random.default_rng(0)
        waves = [
            self._hibari.from_ids(self._hibari.ids(phonemes), rng=noise)
            for sentence in self._hibari.phonemize(text)
            for phonemes in _within(sentence, _MOST_PHONEMES)
        ]
        tail_ms = _AFTER_SENTENCE_MS if piece.endswith((".", "!", "?")) else _AFTER_CLAUSE_MS
        return b"".join(shaped(wave, SAMPLE_RATE, tail_ms=tail_ms) for wave in waves)


def _within(phonemes: str, longest: int) -> list[str]:
    """Phonemes cut at spaces into runs no longer than `longest`, or at the limit itself where there is no space."""
    runs: list[str] = []
    while len(phonemes) > longest:
        cut = phonemes.rfind(" ", 1, longest)
        cut = cut if cut > 0 else longest
        runs.append(phonemes[:cut])
        phonemes = phonemes[cut:].lstrip()
    return [*runs, phonemes]
