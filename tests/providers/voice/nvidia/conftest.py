"""A fake Riva, and no connection left when a test is over."""

from collections.abc import AsyncIterator

import pytest

from providers.voice.nvidia.rpc import close_shared_channels
from tests.fakes.riva import RivaFake


@pytest.fixture
async def fake() -> AsyncIterator[RivaFake]:
    async with RivaFake() as fake:
        yield fake
        await close_shared_channels()
        assert fake.complaints == []
