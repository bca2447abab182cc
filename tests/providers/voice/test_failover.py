"""An engine that fails in a call, in each way and place, and what the caller notices of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from providers.breaker import State
from providers.errors import Fault, ProviderException, TranscriptionError, TTSError
from providers.voice.failover import FailoverVoiceProvider
from providers.voice.types import AudioFormat, VoiceCapabilities
from tests.providers.voice.standby import (
    AWAY,
    NATIVE,
    STREAMING,
    Script,
    StandBy,
    Team,
    in_invented_time,
    recognised,
    spoken,
    utterance,
)

TEXT = "We open at noon."
BROKEN = [AWAY, RuntimeError("of its own"), TimeoutError()]


def now() -> float:
    return asyncio.get_running_loop().time()


# --- speaking ------------------------------------------------------------------------------------------------------


@in_invented_time
async def test_the_first_engine_speaks_and_the_second_is_not_even_connected() -> None:
    team = Team()
    async with team.engine() as engine:
        assert await spoken(engine, TEXT) == TEXT
    assert (team.first.connects, team.second.connects) == (1, 0)
    assert (team.first.disconnects, team.second.disconnects) == (1, 1)


@pytest.mark.parametrize("error", BROKEN)
@in_invented_time
async def test_one_that_fails_before_its_first_audio_costs_no_time(error: Exception) -> None:
    team = Team(StandBy("first", Script(error=error, speaks=0)))
    engine = team.engine()
    assert await spoken(engine, TEXT) == TEXT
    assert team.second.texts == [TEXT]
    assert now() == 0.0
    await engine.disconnect()


@in_invented_time
async def test_one_that_stalls_costs_its_attempt_and_the_next_is_connected_by_then() -> None:
    team = Team(StandBy("first", Script(speaks=0)), StandBy("second", Script(connect_s=0.9)))
    async with team.engine(attempt_s=2.0) as engine:
        assert await spoken(engine, TEXT) == TEXT
        assert now() == 2.0
        assert team.first.working == 0


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("error", [AWAY, None])
@in_invented_time
async def test_what_was_heard_is_not_said_again_and_the_rest_is_said(error: Exception | None, timed: bool) -> None:
    team = Team(StandBy("first", Script(timed=timed)))
    async with team.engine() as engine:
        assert await spoken(engine, "So that its pace is known.")
        team.first.script.error, team.first.script.speaks = error, len("We open")
        assert await spoken(engine, TEXT) == TEXT.replace("open at", "openat")
        assert team.second.texts == ["at noon."]
        assert engine.word_timings() == ()


@in_invented_time
async def test_a_word_that_was_cut_off_is_said_again() -> None:
    team = Team(StandBy("first", Script(timed=True, speaks=len("We op"), error=AWAY)))
    async with team.engine() as engine:
        assert await spoken(engine, TEXT) == "We opopen at noon.".replace("opopen", "op" + "open")
        assert team.second.texts == ["open at noon."]


@in_invented_time
async def test_an_engine_that_breaks_off_after_its_last_word_has_said_all() -> None:
    team = Team(StandBy("first", Script(timed=True, error=AWAY)))
    async with team.engine() as engine:
        assert await spoken(engine, TEXT) == TEXT
        assert team.second.texts == []


@in_invented_time
async def test_the_next_sentence_and_the_next_call_do_not_wait_and_a_probe_brings_the_first_back() -> None:
    team = Team(StandBy("first", Script(speaks=0)))
    async with team.engine() as call, team.engine() as next_call:
        await spoken(call, "One.")
        at = now()
        assert await spoken(call, "Two.") == "Two."
        assert await spoken(next_call, "Three.") == "Three."
        assert now() == at
        assert team.second.texts == ["One.", "Two.", "Three."]

        team.first.script.speaks = None
        await asyncio.sleep(2.0)
        at = now()
        assert await spoken(next_call, "Four.") == "Four."
        assert now() == at
        await asyncio.sleep(0.1)
        assert team.first.texts == ["One.", "Hello."]
    async with team.engine() as third_call:
        await spoken(third_call, "Five.")
        assert team.first.texts[-1] == "Five."
        assert await spoken(next_call, "Six.") == "Six."
        assert team.second.texts[-1] == "Six.", "a call does not change its voice back"
    assert team.first.working == 0


@in_invented_time
async def test_speech_that_is_cut_off_frees_the_engine_and_says_nothing_about_it() -> None:
    team = Team()
    async with team.engine() as engine:
        chunks = engine.text_to_speech(TEXT)
        assert await anext(chunks)
        await chunks.aclose()  # type: ignore[attr-defined]
        assert team.first.working == 0
        assert team.breakers["a", "tts"].state is State.CLOSED


@in_invented_time
async def test_when_every_engine_fails_the_last_error_is_told_and_names_its_engine() -> None:
    team = Team(StandBy("first", Script(speaks=0, error=AWAY)), StandBy("second", Script(speaks=0, error=ValueError())))
    async with team.engine() as engine:
        with pytest.raises(TTSError, match=r"b tts: failed in its own code \(ValueError\)"):
            await spoken(engine, TEXT)


@in_invented_time
async def test_engines_that_have_all_told_us_to_wait_are_left_alone() -> None:
    told = TTSError("busy", fault=Fault.RATE_LIMIT, retry_after_s=30.0)
    team = Team(*(StandBy(name, Script(speaks=0, error=told)) for name in ("first", "second")))
    async with team.engine() as engine:
        for _ in range(2):
            with pytest.raises(TTSError):
                await spoken(engine, TEXT)
        assert (len(team.first.texts), len(team.second.texts)) == (1, 1)
        await asyncio.sleep(30.0)
        team.first.script.speaks = team.first.script.error = None
        assert await spoken(engine, TEXT) == TEXT


# --- hearing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("can", [NATIVE, STREAMING])
@pytest.mark.parametrize("behind", [NATIVE, STREAMING])
@pytest.mark.parametrize("error", BROKEN)
@in_invented_time
async def test_the_next_engine_hears_the_whole_utterance(
    error: Exception, can: VoiceCapabilities, behind: VoiceCapabilities
) -> None:
    team = Team(StandBy("first", Script(error=error, hears=3000), can), StandBy("second", can=behind))
    async with team.engine() as engine:
        assert [result.text for result in await recognised(engine, 3.0, live=True)] == ["second"]
        assert team.second.heard == [utterance(3.0)]
        assert now() == pytest.approx(3.0)


@in_invented_time
async def test_one_that_stalls_after_the_end_costs_its_attempt() -> None:
    team = Team(StandBy("first", Script(slow_s=100.0)), StandBy("second", Script(connect_s=0.9)))
    async with team.engine(attempt_s=2.0) as engine:
        assert [result.text for result in await recognised(engine, 1.0, live=True)] == ["second"]
        assert now() == pytest.approx(3.0)
        assert [result.text for result in await recognised(engine)] == ["second"]
        assert now() == pytest.approx(3.0)
        assert team.first.working == 0


@in_invented_time
async def test_words_that_were_final_are_not_recognised_again() -> None:
    team = Team(StandBy("first", Script(finals=[("one", 0.5)], hears=6400, error=AWAY)))
    async with team.engine() as engine:
        results = await recognised(engine, 1.0, live=True)
    assert [(result.text, result.start_s) for result in results] == [("one", 0.0), ("second", 0.5)]
    assert team.second.heard == [utterance(1.0)[4000:]]


@in_invented_time
async def test_an_utterance_that_is_given_up_frees_the_engine() -> None:
    team = Team(StandBy("first", can=STREAMING))
    async with team.engine() as engine:
        reading = asyncio.create_task(recognised(engine, 60.0, live=True))
        await asyncio.sleep(1.0)
        assert team.first.working == 1
        reading.cancel()
        await asyncio.wait([reading])
        await asyncio.sleep(0)
        assert team.first.working == 0
        assert team.breakers["a", "stt"].state is State.CLOSED
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left


@in_invented_time
async def test_what_the_source_of_the_audio_raises_is_told() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"\xff" * 160
        raise LookupError

    async with Team().engine() as engine:
        with pytest.raises(LookupError):
            assert [result async for result in engine.speech_to_text(broken())]


@in_invented_time
async def test_a_probe_of_hearing_brings_the_first_engine_back() -> None:
    team = Team(StandBy("first", Script(slow_s=100.0)))
    async with team.engine() as engine:
        await recognised(engine)
        team.first.script.slow_s = 0.0
        await asyncio.sleep(2.0)
        assert (await recognised(engine))[0].text == "second"
        await asyncio.sleep(0.1)
        assert (await recognised(engine))[0].text == "first"


@in_invented_time
async def test_when_no_engine_hears_the_last_error_is_told() -> None:
    team = Team(*(StandBy(name, Script(error=AWAY)) for name in ("first", "second")))
    async with team.engine() as engine:
        with pytest.raises(ProviderException, match="is away"):
            await recognised(engine)


# --- connecting and what is announced ------------------------------------------------------------------------------


@in_invented_time
async def test_one_that_cannot_connect_costs_nothing_but_its_breaker() -> None:
    team = Team(StandBy("first", Script(connect=AWAY)))
    for _ in range(2):
        async with team.engine() as engine:
            assert engine.is_connected
            assert await spoken(engine, TEXT) == TEXT
    assert team.breakers["a", "tts"].state is State.OPEN
    assert now() == 0.0


@in_invented_time
async def test_one_that_connects_for_too_long_is_not_waited_for() -> None:
    team = Team(StandBy("first", Script(connect_s=100.0)))
    async with team.engine(attempt_s=2.0) as engine:
        assert now() == 2.0
        assert await spoken(engine, TEXT) == TEXT
        assert now() == 2.0


@in_invented_time
async def test_if_none_connects_that_is_told_and_nothing_is_left() -> None:
    team = Team(*(StandBy(name, Script(connect=AWAY)) for name in ("first", "second")))
    engine = team.engine()
    with pytest.raises(ProviderException, match="is away"):
        await engine.connect()
    assert not engine.is_connected
    await engine.disconnect()
    await engine.disconnect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@in_invented_time
async def test_only_what_the_call_uses_is_connected() -> None:
    ear, voice = StandBy("first", can=replace(NATIVE, tts=False)), StandBy("second", can=replace(NATIVE, stt=False))
    engine = Team(ear, voice).engine()
    engine.hears = False
    async with engine:
        assert (ear.connects, voice.connects) == (0, 1)
        assert (ear.hears, voice.speaks) == (False, True)
        with pytest.raises(TranscriptionError, match="a,b stt: has no engine"):
            FailoverVoiceProvider({"a": voice, "b": voice})._in_turn([], "stt")


@in_invented_time
async def test_a_disconnect_that_fails_is_told_after_all_have_disconnected() -> None:
    class Sticky(StandBy):
        async def disconnect(self) -> None:
            raise AWAY

    team = Team(Sticky("first"))
    engine = team.engine()
    await engine.connect()
    with pytest.raises(ProviderException, match="is away"):
        await engine.disconnect()
    assert team.second.disconnects == 1


def test_it_speaks_the_lines_format_and_hears_like_the_engine_that_is_first_in_this_call() -> None:
    team = Team(StandBy("first", can=STREAMING), StandBy("second", can=VoiceCapabilities()))
    assert team.engine().capabilities == STREAMING
    team.breakers["a", "stt"].failed(0, 0.0, TimeoutError())
    announced = team.engine().capabilities
    assert not announced.streaming_stt
    assert announced.input_format is announced.output_format is AudioFormat.ULAW_8000


@in_invented_time
async def test_engines_of_other_formats_are_converted_for() -> None:
    team = Team(StandBy("first", Script(connect=AWAY)), StandBy("second", can=VoiceCapabilities()))
    async with team.engine() as engine:
        audio = b"".join([chunk async for chunk in engine.text_to_speech("abcd")])
        assert len(audio) == pytest.approx(4 * 160 / 2 / 16000 * 8000, abs=30)
        await recognised(engine, 1.0)
        assert len(team.second.heard[0]) == 2 * 8000


@in_invented_time
async def test_its_view_of_the_turn_is_that_of_the_engine_that_hears() -> None:
    engine = Team().engine()
    assert await engine.get_vad_info() is None
    async with engine:
        await recognised(engine)
        info = await engine.get_vad_info()
        assert info is not None
        assert info.is_turn_complete
