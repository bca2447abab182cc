"""What a service should never send, for wires that must read it or say in our words that they cannot."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from hypothesis import strategies as st

from providers.errors import ProviderException
from providers.voice.remote.sansio import Frame, Recogniser, Synthesiser
from providers.voice.types import TranscriptionResult

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def frames(types: Iterable[str], fields: Iterable[str]) -> st.SearchStrategy[list[Frame]]:
    """Messages of every sort: noise, JSON of any shape, and the vendor's own types with anything in their fields."""
    message = st.builds(
        lambda kind, rest: json.dumps({"type": kind, **rest}),
        st.sampled_from(sorted(types)),
        st.dictionaries(st.sampled_from(sorted(fields)), _VALUES, max_size=5),
    )
    frame: st.SearchStrategy[Frame] = st.text() | st.binary() | _VALUES.map(json.dumps) | message
    return st.lists(frame, max_size=12)


def fed(receive: Callable[[Frame], Sequence[object]], frame: Frame) -> None:
    with suppress(ProviderException):
        receive(frame)


def recogniser_survives(wire: Recogniser, received: list[Frame]) -> None:
    for place, frame in enumerate(received):
        if place % 4 == 0:
            wire.begin()
            wire.audio(b"\x55" * 1000)
        if place % 4 == 2:
            wire.finish()
        fed(wire.receive, frame)
        assert isinstance(wire.is_finished, bool)
        assert wire.vad is None or 0 <= wire.vad.inactivity_prob <= 1


def synthesiser_survives(wire: Synthesiser, received: list[Frame]) -> None:
    for place, frame in enumerate(received):
        if place % 4 == 0:
            wire.speak("Good morning.")
        if place % 4 == 3:
            wire.drop()
        fed(wire.receive, frame)
        assert isinstance(wire.is_finished, bool)


def told(results: Iterable[TranscriptionResult]) -> list[tuple[str, bool]]:
    """Words, and whether they stand."""
    return [(result.text, result.is_final) for result in results]
