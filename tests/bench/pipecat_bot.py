"""The same phone bot on Pipecat, run by the bench in Pipecat's own environment; nothing of ours is imported here.

Its pipeline is that of Pipecat's Twilio template, 8 kHz in and out with metrics on; what hears, thinks and speaks are
stand-ins that cost nothing. `default` detects voice with Silero and the end of the turn with Smart Turn, `silero` ends
the turn by Silero's silence alone, `none` has no detector: the recogniser tells of turns, as hosted ones can.
"""

# mypy: ignore-errors

import math
import sys
from array import array
from collections.abc import AsyncIterator

import audioop
import uvicorn
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import ExternalUserTurnStrategies, UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

VARIANT, PORT = sys.argv[1], int(sys.argv[2])
WORDS = "I would like to book a table."
REPLY = "Sure I can help you with that please hold on right now."
RATE_HZ = 24_000
REPLY_S = 4.0
CHUNK_BYTES = RATE_HZ * 2 * 40 // 1000
TONE = array(
    "h", (round(6000 * math.sin(2 * math.pi * 400 * n / RATE_HZ)) for n in range(int(RATE_HZ * REPLY_S)))
).tobytes()
TURN_FRAMES = 10
LOUD = 300


class Ears(STTService):
    """Says the same words at the end of every turn."""

    def __init__(self) -> None:
        super().__init__(settings=STTSettings(model="none", language=None), ttfs_p99_latency=0.35)
        self._run = 0  # frames of sound in a row, or of quiet if negative
        self._talking = False

    def can_generate_metrics(self) -> bool:
        return True

    async def run_stt(self, audio: bytes):
        if VARIANT == "none":
            await self._follow_turn(audioop.rms(audio, 2) > LOUD)
        yield None

    async def process_frame(self, frame, direction) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            await self._tell_words()

    async def _follow_turn(self, loud: bool) -> None:
        if loud:
            self._run = max(self._run, 0) + 1
            if self._run == TURN_FRAMES and not self._talking:
                self._talking = True
                await self.broadcast_frame(UserStartedSpeakingFrame)
                await self.broadcast_frame(InterruptionFrame)
            return
        self._run = min(self._run, 0) - 1
        if not self._talking:
            return
        if self._run == 1 - TURN_FRAMES:  # a frame early: the stop overtakes it, and then waits half a second for it
            await self._tell_words()
        if self._run == -TURN_FRAMES:
            self._talking = False
            await self.broadcast_frame(UserStoppedSpeakingFrame)

    async def _tell_words(self) -> None:
        self.request_finalize()
        self.confirm_finalize()
        await self.push_frame(TranscriptionFrame(WORDS, "", time_now_iso8601(), None))


class Mind(LLMService):
    """Answers everything with the same twelve tokens."""

    def __init__(self) -> None:
        names = (
            "system_instruction temperature max_tokens top_p top_k frequency_penalty presence_penalty seed "
            "filter_incomplete_user_turns user_turn_completion_config"
        )
        super().__init__(settings=LLMSettings(model="none", **dict.fromkeys(names.split())))

    async def process_frame(self, frame, direction) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        for number, word in enumerate(REPLY.split()):
            await self._push_llm_text(word if number == 0 else f" {word}")
        await self.push_frame(LLMFullResponseEndFrame())


class Mouth(TTSService):
    """Speaks the same tone for every sentence."""

    def __init__(self) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            settings=TTSSettings(model="none", voice="none", language=None),
        )

    def can_generate_metrics(self) -> bool:
        return True

    async def run_tts(self, text: str, context_id: str):
        await self.start_tts_usage_metrics(text)
        async for frame in self._stream_audio_frames_from_iterator(
            _tone(), in_sample_rate=RATE_HZ, context_id=context_id
        ):
            await self.stop_ttfb_metrics()
            yield frame


async def _tone() -> AsyncIterator[bytes]:
    for start in range(0, len(TONE), CHUNK_BYTES):
        yield TONE[start : start + CHUNK_BYTES]


def turns() -> LLMUserAggregatorParams:
    if VARIANT == "none":
        return LLMUserAggregatorParams(user_turn_strategies=ExternalUserTurnStrategies())
    by_silence = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.0)])
    return LLMUserAggregatorParams(
        vad_analyzer=SileroVADAnalyzer(), user_turn_strategies=by_silence if VARIANT == "silero" else None
    )


async def stream(websocket) -> None:
    await websocket.accept()
    _, call = await parse_telephony_websocket(websocket)
    serializer = TwilioFrameSerializer(
        stream_sid=call["stream_id"],
        call_sid=call["call_id"],
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(
            audio_in_enabled=True, audio_out_enabled=True, add_wav_header=False, serializer=serializer
        ),
    )
    user, assistant = LLMContextAggregatorPair(LLMContext(), user_params=turns())
    pipeline = Pipeline([transport.input(), Ears(), user, Mind(), Mouth(), transport.output(), assistant])
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(
            enable_metrics=True, enable_usage_metrics=True, audio_in_sample_rate=8000, audio_out_sample_rate=8000
        ),
    )

    @transport.event_handler("on_client_disconnected")
    async def on_client_disconnected(transport, client) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


async def voice(_) -> Response:
    twiml = f'<Response><Connect><Stream url="ws://127.0.0.1:{PORT}/ws"/></Connect></Response>'
    return Response(twiml, media_type="application/xml")


async def readyz(_) -> Response:
    return PlainTextResponse("ready")


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    app = Starlette(
        routes=[
            Route("/twilio/voice", voice, methods=["POST"]),
            Route("/readyz", readyz),
            WebSocketRoute("/ws", stream),
        ]
    )
    uvicorn.run(app, host="127.0.0.1", port=PORT, loop="uvloop", log_level="warning", access_log=False)
