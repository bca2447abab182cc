import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from providers.voice.remote import utterance as module
from providers.voice.remote.utterance import Utterance

RATE = 100  # bytes a second, so that bounds are near
KEPT = round(module.KEPT_S * RATE)
MOST = round(module.MESSAGE_S * RATE)


async def source(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def followed(utterance: Utterance) -> list[bytes]:
    return [piece async for piece in utterance.follow()]


@given(st.lists(st.binary(max_size=500)))
async def test_all_audio_is_handed_on_in_pieces_that_are_not_too_long(chunks: list[bytes]) -> None:
    utterance = Utterance(RATE)
    _, pieces = await asyncio.gather(utterance.fill(source(chunks)), followed(utterance))
    assert b"".join(pieces) == b"".join(chunks)
    assert all(0 < len(piece) <= MOST for piece in pieces)
    assert utterance.position_s == len(b"".join(chunks)) / RATE


async def test_what_is_not_followed_is_bounded_and_the_loss_is_told() -> None:
    utterance = Utterance(RATE)
    whole = bytes(place % 251 for place in range(KEPT + 50))
    await utterance.fill(source([whole]))
    assert utterance.rewind() == 0.5
    assert b"".join(await followed(utterance)) == whole[50:]


async def test_the_loss_is_told_once() -> None:
    utterance = Utterance(RATE)
    await utterance.fill(source([bytes(KEPT + 50)]))
    await followed(utterance)
    utterance.stands(None)
    assert utterance.rewind() == 0.0


async def test_a_source_that_fails_ends_the_utterance() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"half"
        raise OSError("the line is gone")

    utterance = Utterance(RATE)
    with pytest.raises(OSError, match="line is gone"):
        await utterance.fill(failing())
    assert await followed(utterance) == [b"half"]


@pytest.mark.parametrize("stop_s", [1e308, float("inf"), 5.0])
async def test_nothing_stands_that_was_not_handed_on(stop_s: float) -> None:
    utterance = Utterance(RATE)
    await utterance.fill(source([b"x" * 100]))
    await followed(utterance)
    utterance.stands(stop_s)
    utterance.rewind()
    assert utterance.position_s == 1.0


async def test_what_stands_never_goes_back_and_ends_at_a_whole_sample() -> None:
    utterance = Utterance(RATE)
    await utterance.fill(source([b"x" * 100]))
    await followed(utterance)
    for stop_s in (0.55, 0.2, -3.0):
        utterance.stands(stop_s)
        utterance.rewind()
        assert utterance.position_s == 0.54


class Rewinds(RuleBasedStateMachine):
    """An utterance that is read, stands and is rewound in any order: nothing is lost, and nothing comes again that
    stood."""

    def __init__(self) -> None:
        super().__init__()
        self.utterance = Utterance(RATE)
        self.whole = bytes(place % 251 for place in range(KEPT))
        self.filled = self.position = self.stood = 0
        self.loop = asyncio.new_event_loop()
        self.pieces = self.utterance.follow()
        self.feed: asyncio.Queue[bytes] = asyncio.Queue()
        self.filling = self.loop.create_task(self.utterance.fill(self._source()))

    async def _source(self) -> AsyncIterator[bytes]:
        while True:
            yield await self.feed.get()
            self.feed.task_done()

    @rule(size=st.integers(1, 300))
    def grow(self, size: int) -> None:
        chunk = self.whole[self.filled : self.filled + size]
        self.filled += len(chunk)
        self.feed.put_nowait(chunk)
        self.loop.run_until_complete(self.feed.join())

    @rule()
    def read(self) -> None:
        if self.position == self.filled:
            return
        piece = self.loop.run_until_complete(anext(self.pieces))
        assert piece == self.whole[self.position : self.position + len(piece)]
        self.position += len(piece)

    @rule(stop_s=st.none() | st.floats(0, 200))
    def stand(self, stop_s: float | None) -> None:
        self.utterance.stands(stop_s)
        at = self.position if stop_s is None else min(round(stop_s * RATE), self.position)
        self.stood = max(self.stood, at // 2 * 2)

    @rule()
    def rewind(self) -> None:
        assert self.utterance.rewind() == 0.0
        self.position = self.stood
        self.pieces = self.utterance.follow()

    @invariant()
    def it_goes_on_where_it_should(self) -> None:
        assert self.utterance.position_s == self.position / RATE

    def teardown(self) -> None:
        self.filling.cancel()
        self.loop.run_until_complete(asyncio.wait([self.filling]))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


TestRewinds = Rewinds.TestCase
