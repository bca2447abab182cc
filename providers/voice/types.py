"""What crosses the voice contract: formats, results and the capabilities an engine declares."""

from dataclasses import dataclass
from enum import StrEnum


class AudioFormat(StrEnum):
    """How a run of audio bytes is encoded. `PCM` is signed 16-bit little-endian, mono, at the config's rate."""

    PCM = "pcm"
    WAV = "wav"
    OPUS = "opus"
    ULAW_8000 = "ulaw_8000"
    ALAW_8000 = "alaw_8000"
    PCM_16000 = "pcm_16000"
    PCM_24000 = "pcm_24000"


@dataclass(slots=True)
class TranscriptionResult:
    """Words recognised in one stretch of caller audio.

    `start_s` and `stop_s` count from the beginning of the audio stream. A result that is not final may be replaced
    by the next one; a final one stands.
    """

    text: str
    start_s: float
    stop_s: float | None = None
    is_final: bool = False
    confidence: float | None = None
    stream_id: int | None = None


@dataclass(slots=True)
class VADInfo:
    """An engine's own opinion on whether the caller has finished, for the audio it has heard so far."""

    inactivity_prob: float
    horizon_s: float
    step_idx: int
    total_duration_s: float

    @property
    def is_turn_complete(self) -> bool:
        return self.inactivity_prob > 0.5


@dataclass(frozen=True, slots=True)
class WordTiming:
    """When a word is spoken, in seconds from the first audio of its text."""

    word: str
    start_s: float
    stop_s: float


@dataclass(frozen=True, slots=True)
class VoiceCapabilities:
    """What an engine can do beyond the bare contract; an engine that declares nothing gets these defaults.

    `streaming_stt`: it recognises while it hears, so its audio stream is kept open through the caller's pauses. A
    batch engine is given what there is at each pause instead, and again if the caller goes on.
    `end_of_turn`: `get_vad_info()` answers while it listens; it is asked after each result, so an engine that changes
    its mind about the turn yields one, if need be with the words it has given before.
    `input_format`, `output_format`: `AudioFormat.PCM` at the config's rates, or `AudioFormat.ULAW_8000` for an engine
    that speaks the telephone's own format, which then passes untouched.
    """

    stt: bool = True
    tts: bool = True
    streaming_stt: bool = False
    end_of_turn: bool = False
    input_format: AudioFormat = AudioFormat.PCM
    output_format: AudioFormat = AudioFormat.PCM
