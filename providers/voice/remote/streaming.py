"""The shells that run a wire format over a channel: an utterance in and its words out, a text in and its audio out."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from websockets.frames import CloseCode

from providers.errors import Fault, ProviderException
from providers.voice.remote.channel import Channel
from providers.voice.remote.sansio import Frame, Recogniser, Synthesiser
from providers.voice.remote.utterance import Utterance
from providers.voice.types import TranscriptionResult

logger = logging.getLogger(__name__)

FINAL_LIMIT_S = 4.0
"""Longest wait for the service's next message once the utterance is over."""
AUDIO_LIMIT_S = 8.0
"""Longest wait for a text's first audio, and between two messages of it."""
_ANOTHER_CONNECTION = (Fault.UNAVAILABLE, Fault.PROTOCOL)
"""Faults that may be those of the connection, and so gone on another."""
CONNECTIONS = 3
"""Connections an utterance may use up."""
BEHIND = 64
"""Messages of the service that may wait to be read."""
GOODBYES = (CloseCode.NORMAL_CLOSURE, CloseCode.NO_STATUS_RCVD)
"""How a service closes that was asked to."""


async def recognise[R: Recogniser](
    channel: Channel[R], audio_stream: AsyncIterator[bytes], bytes_per_s: int
) -> AsyncGenerator[TranscriptionResult]:
    """Recognise one utterance, whose audio is sent as it comes; ends with its last final result, which may be empty.

    When the service finds that the caller has finished and has no words to say with it, the latest interim result is
    told once more, or an empty one, so that the reader may look.
    If the connection breaks it is opened again, and the audio since the last final result is sent once more, so that
    no finished word is lost; what cannot be repeated is said in the log. Closing the generator, or cancelling its
    reader, abandons the connection, and with it the service's work. Raises `ProviderException`.
    """
    utterance, has_told = Utterance(bytes_per_s), False
    reading = asyncio.create_task(utterance.fill(audio_stream), name="utterance")
    try:
        for connection in range(1, CONNECTIONS + 1):
            try:
                async with aclosing(_attempt(channel, utterance)) as results:
                    async for result in results:
                        has_told = has_told or result.is_final
                        yield result
                break
            except ProviderException as error:
                channel.abandon()
                if error.fault not in _ANOTHER_CONNECTION or connection == CONNECTIONS:
                    raise
                logger.warning("%s; connecting again, %.1f s of audio are lost", error, utterance.rewind())
    except BaseException:
        channel.abandon()
        raise
    finally:
        reading.cancel()
    await reading  # what the source of the audio raised is not lost
    if not has_told:
        yield TranscriptionResult("", 0.0, utterance.position_s, is_final=True)


async def _attempt[R: Recogniser](channel: Channel[R], utterance: Utterance) -> AsyncGenerator[TranscriptionResult]:
    """Recognise what is left of the utterance over one connection."""
    wire = await channel.open()
    wire.begin()
    origin_s = utterance.position_s - wire.audio_s
    inbox: asyncio.Queue[Frame | ProviderException | None] = asyncio.Queue(BEHIND)
    tasks = (
        asyncio.create_task(_send(channel, wire, utterance, inbox), name="utterance sender"),
        asyncio.create_task(_receive(channel, inbox), name="utterance receiver"),
    )
    is_sent, latest = False, TranscriptionResult("", utterance.position_s)
    try:
        while not (is_sent and wire.is_finished):
            try:
                async with asyncio.timeout(FINAL_LIMIT_S if is_sent else None):
                    item = await inbox.get()
            except TimeoutError:
                raise channel.service.silent(FINAL_LIMIT_S) from None
            if item is None:
                is_sent = True
            elif isinstance(item, ProviderException):
                if not (is_sent and channel.closes_when_done and item.status in GOODBYES):
                    raise item
                if latest.text:
                    yield replace(latest, is_final=True)  # nothing came after it that could have replaced it
                return
            else:
                was_over = _is_over(wire)
                results = wire.receive(item)
                if not results and _is_over(wire) and not was_over:
                    yield replace(latest)
                for result in results:
                    result.start_s = max(0.0, result.start_s + origin_s)
                    result.stop_s = None if result.stop_s is None else max(0.0, result.stop_s + origin_s)
                    if result.is_final:
                        utterance.stands(result.stop_s)
                    latest = replace(result, text="", is_final=False) if result.is_final else result
                    yield result
    finally:
        for task in tasks:
            task.cancel()


def _is_over(wire: Recogniser) -> bool:
    return wire.vad is not None and wire.vad.is_turn_complete


async def _send[R: Recogniser](
    channel: Channel[R], wire: R, utterance: Utterance, inbox: asyncio.Queue[Frame | ProviderException | None]
) -> None:
    """Send the utterance as it grows, and say in the inbox when that is done, or why it cannot be."""
    try:
        sent_s = wire.audio_s
        async for frames in _messages(wire, utterance):
            await channel.keep_pace(wire.audio_s - sent_s)
            sent_s = wire.audio_s
            await channel.send(frames)
        await inbox.put(None)
    except ProviderException as error:
        await inbox.put(error)


async def _messages(wire: Recogniser, utterance: Utterance) -> AsyncGenerator[list[Frame]]:
    async for chunk in utterance.follow():
        yield wire.audio(chunk)
    yield wire.finish()


async def _receive[R: Recogniser](channel: Channel[R], inbox: asyncio.Queue[Frame | ProviderException | None]) -> None:
    try:
        while True:
            await inbox.put(await channel.receive())
    except ProviderException as error:
        await inbox.put(error)


async def synthesise[S: Synthesiser](channel: Channel[S], text: str) -> AsyncGenerator[bytes]:
    """Speak one text; ends when all of its audio has come.

    A connection that was found broken before it gave any audio is opened again, once. Closing the generator, or
    cancelling its reader, frees the service at once. Raises `ProviderException`.
    """
    began = False
    for is_last in (False, True):
        try:
            async with aclosing(_spoken(channel, text)) as pieces:
                async for piece in pieces:
                    began = True
                    yield piece
            return
        except ProviderException as error:
            channel.abandon()
            if began or is_last or error.fault not in _ANOTHER_CONNECTION:
                raise
            logger.warning("%s; connecting again", error)


async def _spoken[S: Synthesiser](channel: Channel[S], text: str) -> AsyncGenerator[bytes]:
    wire = await channel.open()
    await channel.send(wire.speak(text))
    try:
        while not wire.is_finished:
            try:
                async with asyncio.timeout(AUDIO_LIMIT_S):
                    frame = await channel.receive()
            except TimeoutError:
                raise channel.service.silent(AUDIO_LIMIT_S) from None
            for piece in wire.receive(frame):
                yield piece
    finally:
        if not wire.is_finished:
            _drop(channel, wire)


def _drop[S: Synthesiser](channel: Channel[S], wire: S) -> None:
    frames = wire.drop()
    if frames is None:
        channel.renew()
    else:
        channel.post(frames)
