"""Hearing the bot, in invented time."""

from hypothesis import example, given
from hypothesis import strategies as st

from telephony.simulator.carrier import FRAME_BYTES, Heard
from telephony.simulator.ear import Ear, Hearing

LOUD = bytes((0x20, 0xA0)) * (FRAME_BYTES // 2)
QUIET = b"\xff" * FRAME_BYTES


def heard(pattern: str) -> bytes:
    return b"".join(LOUD if block == "#" else QUIET for block in pattern)


def test_speech_begins_with_its_first_block_and_ends_with_its_last() -> None:
    ear = Ear()
    changes = ear.hear(Heard(100.0, heard("..#####...........")))
    assert changes == [
        Hearing(speaking=True, began_at=100.04),
        Hearing(began_at=100.04, ended_at=100.0 + 7 * 0.02),
    ]
    assert ear.hearing == changes[-1]


def test_a_click_is_not_speech_and_a_short_gap_does_not_end_it() -> None:
    ear = Ear()
    assert ear.hear(Heard(0.0, heard("#.#.#"))) == []
    assert [change.speaking for change in ear.hear(Heard(0.1, heard("###.........##")))] == [True]


def test_a_gap_between_streams_is_silence() -> None:
    ear = Ear()
    ear.hear(Heard(0.0, heard("###")))
    changes = ear.hear(Heard(9.0, heard("##")))
    assert [(change.began_at, change.ended_at) for change in changes] == [(0.0, 0.06), (9.0, None)]


@given(st.text("#.", max_size=60), st.integers(1, 9))
@example(pattern="............##..........", blocks=3)
def test_it_does_not_matter_how_the_audio_is_cut(pattern: str, blocks: int) -> None:
    whole, pieces = Ear(), Ear()
    audio, size = heard(pattern), blocks * FRAME_BYTES
    together = whole.hear(Heard(0.0, audio))
    apart = [
        change
        for start in range(0, len(audio), size)
        for change in pieces.hear(Heard(start / 8000, audio[start : start + size]))
    ]
    assert [change.speaking for change in apart] == [change.speaking for change in together]
    assert [change.speaking for change in together] == [n % 2 == 0 for n in range(len(together))]
