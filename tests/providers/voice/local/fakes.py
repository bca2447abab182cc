"""Models that are none: what a provider's own behaviour is tested with."""

from providers.errors import TranscriptionError, TTSError
from providers.voice.local.inference import InferenceQueue
from providers.voice.local.models import Engine, Recogniser, Synthesiser
from providers.voice.local.whisper import Heard


class CountingRecogniser:
    """Hears how many seconds there were; nothing in less than a tenth of one."""

    def __init__(self) -> None:
        self.windows_s: list[float] = []

    def transcribe(self, pcm: bytes) -> Heard:
        seconds = len(pcm) / 32000
        self.windows_s.append(seconds)
        return Heard(f"{seconds:.0f} seconds", confidence=1 / (1 + seconds)) if seconds >= 0.1 else Heard()


class LetterVoice:
    """Speaks 10 ms for every letter; the loudness is the letter's."""

    def __init__(self) -> None:
        self.spoken: list[str] = []

    def speak(self, piece: str) -> bytes:
        self.spoken.append(piece)
        return b"".join(ord(letter).to_bytes(2, "little") * 240 for letter in piece)


def hearing(recogniser: Recogniser, limit: int = 8) -> Engine[Recogniser]:
    return Engine(recogniser, InferenceQueue("speech_to_text", limit=limit, error=TranscriptionError))


def speaking(voice: Synthesiser, limit: int = 8) -> Engine[Synthesiser]:
    return Engine(voice, InferenceQueue("text_to_speech", limit=limit, error=TTSError))
