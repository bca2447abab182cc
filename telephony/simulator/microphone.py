"""A person as the caller: the machine's microphone and loudspeaker (the extra `microphone`)."""

from collections import deque
from types import TracebackType
from typing import Protocol, Self

from providers.audio import mulaw
from telephony.audio.framer import Framer
from telephony.simulator.caller import LINE_AT_REST, CallerFrame
from telephony.simulator.carrier import FRAME_BYTES
from telephony.simulator.ear import Hearing

_BACKLOG = 10  # frames: what the line does not take within 200 ms is old


class _Buffer(Protocol):
    """PortAudio's raw buffer, as the stream's callback gets it."""

    def __getitem__(self, part: slice) -> bytes: ...
    def __setitem__(self, part: slice, audio: bytes) -> None: ...
    def __len__(self) -> int: ...


class MicrophoneCaller:
    """A `Caller` who speaks for himself. Use it as a context manager around the call.

    Raises `ImportError` without the extra, and `sounddevice.PortAudioError` without a sound card. PortAudio calls back
    on a thread of its own, so what is shared with it are deques, whose ends are safe to use from two threads.
    """

    def __init__(self) -> None:
        import sounddevice

        self._spoken: deque[bytes] = deque(maxlen=_BACKLOG)
        self._heard: deque[bytes] = deque(maxlen=_BACKLOG)
        self._framer = Framer(FRAME_BYTES)
        self._hang_up = ""
        self._stream = sounddevice.RawStream(
            samplerate=mulaw.RATE_HZ, blocksize=FRAME_BYTES, channels=1, dtype="int16", callback=self._exchange
        )

    def __enter__(self) -> Self:
        self._stream.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def hang_up(self) -> None:
        """Put the phone down with the next frame."""
        self._hang_up = "the caller hung up"

    def frame(self, heard: bytes, hearing: Hearing, more_to_come: bool, now: float) -> CallerFrame:
        self._heard.extend(self._framer.push(heard))
        audio = self._spoken.popleft() if self._spoken else LINE_AT_REST
        return CallerFrame(audio, hang_up=self._hang_up)

    def cut_off(self, now: float) -> None:
        """Nothing to do: a person hears it."""

    def _exchange(self, spoken: _Buffer, heard: _Buffer, frames: int, time: object, status: object) -> None:
        self._spoken.append(mulaw.encode(bytes(spoken[:])))
        audio = self._heard.popleft() if self._heard else mulaw.SILENCE * frames
        heard[:] = mulaw.decode(audio)
