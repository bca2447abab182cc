"""A person as the caller, with a sound card made of paper."""

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from providers.audio import mulaw
from telephony.simulator.caller import LINE_AT_REST
from telephony.simulator.ear import Hearing
from telephony.simulator.microphone import MicrophoneCaller

type Callback = Callable[[bytearray, bytearray, int, object, object], None]


class PaperStream:
    """Has the interface of `sounddevice.RawStream` that is used, and calls back when told to."""

    opened: "list[PaperStream]" = []  # noqa: RUF012

    def __init__(self, *, samplerate: int, blocksize: int, channels: int, dtype: str, callback: Callback) -> None:
        assert (samplerate, blocksize, channels, dtype) == (8000, 160, 1, "int16")
        self.callback = callback
        self.state = "new"
        self.opened.append(self)

    def start(self) -> None:
        self.state = "started"

    def close(self) -> None:
        self.state = "closed"

    def exchange(self, spoken: bytes) -> bytes:
        heard = bytearray(320)
        self.callback(bytearray(spoken), heard, 160, None, None)
        return bytes(heard)


@pytest.fixture
def sound_card(monkeypatch: pytest.MonkeyPatch) -> type[PaperStream]:
    module = ModuleType("sounddevice")
    module.RawStream = PaperStream  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    PaperStream.opened.clear()
    return PaperStream


def test_both_directions_pass_the_sound_card(sound_card: type[PaperStream]) -> None:
    with MicrophoneCaller() as caller:
        [stream] = sound_card.opened
        assert stream.state == "started"
        assert caller.frame(b"", Hearing(), False, 0.0).audio == LINE_AT_REST
        assert stream.exchange(b"\x00\x10" * 160) == mulaw.decode(b"\xff" * 160)
        frame = caller.frame(b"\x20" * 100, Hearing(), False, 0.02)
        assert (frame.audio, frame.hang_up) == (mulaw.encode(b"\x00\x10" * 160), "")
        caller.frame(b"\x20" * 60, Hearing(), False, 0.04)
        assert stream.exchange(bytes(320)) == mulaw.decode(b"\x20" * 160)
        caller.hang_up()
        assert caller.frame(b"", Hearing(), False, 0.06).hang_up == "the caller hung up"
    assert stream.state == "closed"


def test_what_nobody_takes_is_forgotten(sound_card: type[PaperStream]) -> None:
    with MicrophoneCaller() as caller:
        [stream] = sound_card.opened
        for number in range(100):
            stream.exchange(bytes((0, number)) * 160)
        assert caller.frame(b"", Hearing(), False, 0.0).audio == mulaw.encode(bytes((0, 90)) * 160)
