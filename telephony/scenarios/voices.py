"""The ears and voices of invented time: a voice, a recogniser and a detector that do what the scenario says."""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence

import numpy as np

from providers.audio import mulaw
from providers.breaker import Breaker
from providers.errors import TranscriptionError, TTSError
from providers.voice.base import BaseVoiceProvider, VoiceProviderConfig
from providers.voice.failover import FailoverVoiceProvider
from providers.voice.types import AudioFormat, TranscriptionResult, VADInfo, VoiceCapabilities, WordTiming
from telephony.audio.framer import Framer
from telephony.audio.loudness import LoudnessEngine
from telephony.scenarios.bot import Recogniser, Voice
from telephony.scenarios.sounds import CHARACTER_S, Reader, speech

_NAME = "scripted"
_CHUNK_BYTES = 640  # 80 ms
_WINDOW_BYTES = 256
_WORD_GAP_S = 0.08


class ScriptedVoice(BaseVoiceProvider):
    """Speaks so that the words can be read back from the sound, and fails where it is told to."""

    capabilities = VoiceCapabilities(stt=False, output_format=AudioFormat.ULAW_8000)

    def __init__(self, voice: Voice) -> None:
        super().__init__(VoiceProviderConfig(provider_name=_NAME))
        self._voice = voice
        self._sentences = 0
        self._text = ""

    async def connect(self) -> None:
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        self._sentences += 1
        self._text = text
        fault = next((one for one in self._voice.faults if one.sentence in (None, self._sentences)), None)
        await asyncio.sleep(self._voice.slow)
        audio = speech(text)
        sound = len(audio) if fault is None else round(fault.after * mulaw.RATE_HZ)
        for start in range(0, len(audio), _CHUNK_BYTES):
            if start >= sound and fault is not None:
                await asyncio.sleep(fault.stall)
                if fault.fail:
                    raise TTSError("the script fails here", provider=_NAME, operation="tts", retryable=True)
                fault = None
            yield audio[start : start + _CHUNK_BYTES]

    def word_timings(self) -> Sequence[WordTiming]:
        words = re.finditer(r"\S+", self._text if self._voice.word_timings else "")
        return [WordTiming(word[0], word.start() * CHARACTER_S, word.end() * CHARACTER_S) for word in words]

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        raise TranscriptionError("this engine only speaks", provider=_NAME, operation="stt")
        yield

    async def get_vad_info(self) -> VADInfo | None:
        return None


class ScriptedRecogniser(BaseVoiceProvider):
    """Reads the caller's words from the audio it is given: what does not reach it, it does not hear."""

    capabilities = VoiceCapabilities(tts=False, input_format=AudioFormat.ULAW_8000)

    def __init__(self, recogniser: Recogniser) -> None:
        super().__init__(VoiceProviderConfig(provider_name=_NAME))
        self._recogniser = recogniser
        self._attempts = 0
        self._reader = Reader()
        self._heard_s = self._silence_s = 0.0

    async def connect(self) -> None:
        self._connected = True

    async def disconnect(self) -> None:
        self._connected = False

    async def text_to_speech(self, text: str, stream: bool = True) -> AsyncIterator[bytes]:
        raise TTSError("this engine only hears", provider=_NAME, operation="tts")
        yield b""

    async def speech_to_text(self, audio_stream: AsyncIterator[bytes]) -> AsyncIterator[TranscriptionResult]:
        self._attempts += 1
        fault = next((one for one in self._recogniser.faults if one.attempt in (None, self._attempts)), None)
        self._reader, self._heard_s, self._silence_s = Reader(), 0.0, 0.0
        told: tuple[str, bool] = ("", False)
        async for chunk in audio_stream:
            seconds = len(chunk) / mulaw.RATE_HZ
            self._heard_s += seconds
            self._silence_s = 0.0 if self._reader.feed(chunk) else self._silence_s + seconds
            if self.capabilities.streaming_stt and told != (told := (self._made_out(), self._has_ended)):
                yield TranscriptionResult(told[0], 0.0, self._heard_s)
        await asyncio.sleep(self._recogniser.slow + (fault.stall if fault else 0.0))
        if fault is not None and fault.fail:
            raise TranscriptionError("the script fails here", provider=_NAME, operation="stt", retryable=True)
        text = "" if fault is not None and fault.empty else self._reader.text.strip()
        yield TranscriptionResult(text, 0.0, self._heard_s, is_final=True)

    async def get_vad_info(self) -> VADInfo | None:
        return VADInfo(float(self._has_ended), 0.0, 0, self._heard_s)

    def _made_out(self) -> str:
        """The words so far, the last one only once it is over: words come whole."""
        text = self._reader.text
        return text if self._silence_s >= _WORD_GAP_S else text.rpartition(" ")[0]

    @property
    def _has_ended(self) -> bool:
        """Whether the caller has, in this engine's opinion, finished."""
        wanted_s = self._recogniser.end_of_turn
        return wanted_s is not None and bool(self._reader.text) and self._silence_s >= wanted_s


class _StreamingRecogniser(ScriptedRecogniser):
    capabilities = VoiceCapabilities(tts=False, streaming_stt=True, input_format=AudioFormat.ULAW_8000)


class _EndOfTurnRecogniser(ScriptedRecogniser):
    capabilities = VoiceCapabilities(
        tts=False, streaming_stt=True, end_of_turn=True, input_format=AudioFormat.ULAW_8000
    )


def voice(wanted: Voice) -> BaseVoiceProvider:
    """The engine that speaks as the scenario wants it to."""
    return _backed(ScriptedVoice(wanted), ScriptedVoice(Voice()) if wanted.standby else None)


def recogniser(wanted: Recogniser) -> BaseVoiceProvider:
    """The engine that hears as the scenario wants it to."""
    clean = wanted.model_copy(update={"faults": ()})
    return _backed(_recogniser(wanted), _recogniser(clean) if wanted.standby else None)


def _backed(first: BaseVoiceProvider, standby: BaseVoiceProvider | None) -> BaseVoiceProvider:
    if standby is None:
        return first
    return FailoverVoiceProvider({_NAME: first, "standby": standby}, breakers=defaultdict(Breaker))


def _recogniser(wanted: Recogniser) -> ScriptedRecogniser:
    """One that knows the end of a turn streams as well."""
    if wanted.end_of_turn is not None:
        return _EndOfTurnRecogniser(wanted)
    return _StreamingRecogniser(wanted) if wanted.streaming else ScriptedRecogniser(wanted)


class LoudnessDetection:
    """Tells voice by its loudness, at once: the detector of a process needs a thread, and there is none here."""

    hangover_ms = 0.0

    def __init__(self) -> None:
        self._engine = LoudnessEngine()

    def open(self, on_probability: Callable[[float], None]) -> "LoudnessStream":
        """A stream of its own for one call."""
        return LoudnessStream(self._engine, on_probability)


class LoudnessStream:
    """One call's audio in, a probability for each 32 ms of it out."""

    def __init__(self, engine: LoudnessEngine, on_probability: Callable[[float], None]) -> None:
        self._engine = engine
        self._on_probability = on_probability
        self._framer = Framer(_WINDOW_BYTES)
        self._is_open = True

    def feed(self, ulaw: bytes) -> None:
        for window in self._framer.push(ulaw):
            if self._is_open:
                samples = np.frombuffer(mulaw.decode(window), dtype="<i2")[np.newaxis]
                self._on_probability(self._engine.run([0], samples)[0])

    def vouch(self) -> None:
        """Nothing: what is loud is a voice, words or not."""

    def close(self) -> None:
        self._is_open = False
