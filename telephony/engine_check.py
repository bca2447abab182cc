"""A trial of one speech engine: it speaks a sentence, and hears it back as it sounds on the telephone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from providers.audio.converter import LINE, Converter, input_spec, output_spec
from providers.errors import ProviderException
from providers.settings import settings
from providers.voice.base import BaseVoiceProvider
from providers.voice.factory import VoiceProviderFactory
from providers.voice.member import in_our_words
from providers.voice.speech import audio_chunks
from telephony.engines import alone

SENTENCE = "Good morning. The large mushroom pizza is fourteen dollars."
STAND_IN = "local"
"""Speaks for an engine that only hears."""
FRAME_BYTES, FRAME_S = 160, 0.02
PAUSE = b"\xff" * 4000
"""Half a second of silence: what a caller leaves before and after their words."""
STEP_LIMIT_S = 30.0
STEPS = 4


@dataclass(slots=True)
class Trial:
    """What was found out; None for what the engine does not do. `words_s` and `text_s` count from the last sound."""

    connect_s: float = 0.0
    first_audio_s: float | None = None
    speech_s: float | None = None
    """How long the sentence sounds."""
    words_s: float | None = None
    """When the first words came; negative for one that tells them while it hears."""
    text_s: float | None = None
    text: str | None = None


async def try_engine(engine: BaseVoiceProvider, tell: Callable[[str], None]) -> Trial:
    """Try this engine; `tell` is told of each step. Raises `OffhookError`, which says why it does not work.

    Nothing takes longer than half a minute but the loading of models. Cancelling lets go of the engine.
    """
    trial = Trial()
    tell("loading")
    for one in alone(engine):
        await type(one).prepare(settings.voice)
    try:
        with in_our_words(ProviderException, engine.config.provider_name, "check"):
            await _try(engine, trial, tell)
    finally:
        await engine.disconnect()
    return trial


async def _try(engine: BaseVoiceProvider, trial: Trial, tell: Callable[[str], None]) -> None:
    clock = asyncio.get_running_loop().time
    tell("connecting")
    began_at = clock()
    await _within(engine.connect(), "connect", engine)
    trial.connect_s = clock() - began_at
    if engine.capabilities.tts:
        tell("speaking")
        speech = await _within(_speak(engine, trial), "speak", engine)
    else:
        tell(f"letting {STAND_IN} speak")
        speech = await _stand_in()
    if engine.capabilities.stt:
        tell("listening")
        await _within(_hear(engine, speech, trial), "recognise", engine)


async def _within[T](work: Awaitable[T], what: str, engine: BaseVoiceProvider) -> T:
    try:
        async with asyncio.timeout(STEP_LIMIT_S):
            return await work
    except TimeoutError:
        late = f"did not {what} within {STEP_LIMIT_S:.0f} s"
        raise ProviderException(late, provider=engine.config.provider_name) from None


async def _speak(engine: BaseVoiceProvider, trial: Trial) -> bytes:
    """The sentence as it sounds on the line."""
    clock = asyncio.get_running_loop().time
    converter, audio, began_at = Converter(output_spec(engine), LINE), bytearray(), clock()
    async with aclosing(audio_chunks(engine, SENTENCE)) as chunks:
        async for chunk in chunks:
            if trial.first_audio_s is None:
                trial.first_audio_s = clock() - began_at
            audio += converter.convert(chunk)
    audio += converter.flush()
    if not audio:
        raise ProviderException("gave no audio", provider=engine.config.provider_name, operation="tts")
    trial.speech_s = LINE.duration_s(len(audio))
    return bytes(audio)


async def _stand_in() -> bytes:
    engine = VoiceProviderFactory.create_provider(STAND_IN)
    await type(engine).prepare(settings.voice)
    async with engine:
        return await _within(_speak(engine, Trial()), "speak", engine)


async def _hear(engine: BaseVoiceProvider, speech: bytes, trial: Trial) -> None:
    """Recognise the speech: by a streaming engine as it comes from a caller, by another when it is over."""
    clock = asyncio.get_running_loop().time
    ended_at = 0.0

    async def line() -> AsyncIterator[bytes]:
        nonlocal ended_at
        converter, audio, began_at = Converter(LINE, input_spec(engine)), PAUSE + speech + PAUSE, clock()
        for number, start in enumerate(range(0, len(audio), FRAME_BYTES), start=1):
            if engine.capabilities.streaming_stt:
                await asyncio.sleep(max(0.0, began_at + number * FRAME_S - clock()))
            if start < len(PAUSE) + len(speech):
                ended_at = clock()
            yield converter.convert(audio[start : start + FRAME_BYTES])
        yield converter.flush()

    words: list[str] = []
    came_at: float | None = None
    async for result in engine.speech_to_text(line()):
        if came_at is None and result.text.strip():
            came_at = clock()
        if result.is_final:
            words.append(result.text.strip())
    trial.text_s = clock() - ended_at
    trial.words_s = None if came_at is None else came_at - ended_at
    trial.text = " ".join(filter(None, words))
    if not trial.text:
        raise ProviderException("heard no words", provider=engine.config.provider_name, operation="stt")


async def show_trial(name: str, console: Console) -> bool:
    """Try an engine, with a bar while that goes on, and show what was found out; False, with a reason, if it fails.

    Raises `ConfigurationError` for an engine that cannot be made.
    """
    engine = VoiceProviderFactory.create_provider(name)
    columns = (TextColumn(f"[bold]{escape(name)}[/] {{task.description}}"), BarColumn(24), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=STEPS)
        try:
            trial = await try_engine(engine, lambda step: progress.update(task, description=step, advance=1))
        except ProviderException as error:
            progress.stop()
            console.print(f"[bold red]{escape(str(error))}[/]")
            return False
        progress.update(task, description="works", completed=STEPS)
    console.print(_told(trial))
    return True


def _told(trial: Trial) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = (
        ("connected after", _ms(trial.connect_s)),
        ("first audio after", _ms(trial.first_audio_s)),
        ("said", SENTENCE),
        ("which took", None if trial.speech_s is None else f"{trial.speech_s:.1f} s"),
        ("heard", trial.text),
        ("first words", _after(trial.words_s)),
        ("all of them", _after(trial.text_s)),
    )
    for what, value in rows:
        if value is not None:
            table.add_row(f"[dim]{what}[/]", escape(value))
    return table


def _ms(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds * 1000:.0f} ms"


def _after(seconds: float | None) -> str | None:
    """Relative to the last sound of the sentence."""
    if seconds is None:
        return None
    return f"{abs(seconds) * 1000:.0f} ms {'before' if seconds < 0 else 'after'} the last sound"
