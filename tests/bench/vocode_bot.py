"""The same phone bot on Vocode, run by the bench in Vocode's own environment; nothing of ours is imported here.

Its telephone server is Vocode's own, with calls kept in memory; what hears, thinks and speaks are stand-ins that cost
nothing. Vocode has no voice detector: the recogniser tells of turns, as hosted ones can. After an interruption it sends
a second of silence before it answers, which passes for the beginning of the answer, and its end for a gap.
"""

# mypy: ignore-errors
# ruff: noqa: E402 - some things have to be out of the way before Vocode is imported

import math
import sys
from array import array
from collections.abc import AsyncIterator
from types import ModuleType

import audioop
import nltk
import uvicorn
from fastapi import FastAPI, Form
from fastapi.responses import PlainTextResponse, Response
from loguru import logger

# Vocode imports what plays on this machine's loudspeakers, which takes a library of the system, and fetches a model.
sys.modules["sounddevice"] = ModuleType("sounddevice")
nltk.download = lambda *_, **__: True

from vocode.streaming.agent.abstract_factory import AbstractAgentFactory
from vocode.streaming.agent.base_agent import GeneratedResponse, RespondAgent
from vocode.streaming.models.agent import AgentConfig
from vocode.streaming.models.audio import AudioEncoding, SamplingRate
from vocode.streaming.models.message import BaseMessage
from vocode.streaming.models.synthesizer import SynthesizerConfig
from vocode.streaming.models.telephony import TwilioCallConfig, TwilioConfig
from vocode.streaming.models.transcriber import TranscriberConfig, Transcription
from vocode.streaming.synthesizer.abstract_factory import AbstractSynthesizerFactory
from vocode.streaming.synthesizer.base_synthesizer import BaseSynthesizer, SynthesisResult
from vocode.streaming.telephony.config_manager.in_memory_config_manager import InMemoryConfigManager
from vocode.streaming.telephony.constants import DEFAULT_CHUNK_SIZE
from vocode.streaming.telephony.server.router.calls import CallsRouter
from vocode.streaming.transcriber.abstract_factory import AbstractTranscriberFactory
from vocode.streaming.transcriber.base_transcriber import BaseAsyncTranscriber
from vocode.streaming.utils import create_conversation_id

PORT = int(sys.argv[1])
WORDS = "I would like to book a table."
REPLY = "Sure I can help you with that please hold on right now."
RATE_HZ = 8000
REPLY_S = 4.0
TONE = audioop.lin2ulaw(
    array("h", (round(6000 * math.sin(2 * math.pi * 400 * n / RATE_HZ)) for n in range(int(RATE_HZ * REPLY_S)))), 2
)
TURN_FRAMES = 10
LOUD = 300
LINE = {"sampling_rate": SamplingRate.RATE_8000, "audio_encoding": AudioEncoding.MULAW}


class Ears(BaseAsyncTranscriber[TranscriberConfig]):
    """Says the same words at the end of every turn, and at its beginning that there are some."""

    async def _run_loop(self) -> None:
        run = 0  # frames of sound in a row, or of quiet if negative
        talking = False
        while True:
            audio = await self.input_queue.get()
            if audioop.rms(audioop.ulaw2lin(audio, 2), 2) > LOUD:
                run = max(run, 0) + 1
                if run == TURN_FRAMES and not talking:
                    talking = True
                    self._tell(is_final=False)
            else:
                run = min(run, 0) - 1
                if run == -TURN_FRAMES and talking:
                    talking = False
                    self._tell(is_final=True)

    def _tell(self, is_final: bool) -> None:
        self.produce_nonblocking(Transcription(message=WORDS, confidence=1.0, is_final=is_final, duration_seconds=3.0))


class Mind(RespondAgent[AgentConfig]):
    """Answers everything with the same sentence."""

    async def generate_response(
        self, human_input, conversation_id, is_interrupt=False, bot_was_in_medias_res=False
    ) -> AsyncIterator[GeneratedResponse]:
        yield GeneratedResponse(message=BaseMessage(text=REPLY), is_interruptible=True)


class Mouth(BaseSynthesizer[SynthesizerConfig]):
    """Speaks the same tone for every sentence."""

    @classmethod
    def get_voice_identifier(cls, synthesizer_config) -> str:
        return "tone"

    async def create_speech_uncached(
        self, message, chunk_size, is_first_text_chunk=False, is_sole_text_chunk=False
    ) -> SynthesisResult:
        async def chunks() -> AsyncIterator[SynthesisResult.ChunkResult]:
            for start in range(0, len(TONE), chunk_size):
                yield SynthesisResult.ChunkResult(TONE[start : start + chunk_size], start + chunk_size >= len(TONE))

        def heard(seconds: float) -> str:
            return self.get_message_cutoff_from_total_response_length(
                self.synthesizer_config, message, seconds, len(TONE)
            )

        return SynthesisResult(chunks(), heard)


class Factory(AbstractTranscriberFactory, AbstractAgentFactory, AbstractSynthesizerFactory):
    """Makes the three for each call."""

    def create_transcriber(self, transcriber_config) -> Ears:
        return Ears(transcriber_config)

    def create_agent(self, agent_config) -> Mind:
        return Mind(agent_config)

    def create_synthesizer(self, synthesizer_config) -> Mouth:
        return Mouth(synthesizer_config)


def application() -> FastAPI:
    calls = InMemoryConfigManager()
    factory = Factory()
    app = FastAPI()
    app.include_router(CallsRouter(f"127.0.0.1:{PORT}", calls, factory, factory, factory).get_router())

    @app.post("/twilio/voice")
    async def voice(sid: str = Form(alias="CallSid"), caller: str = Form(alias="From"), to: str = Form(alias="To")):
        call_id = create_conversation_id()
        config = TwilioCallConfig(
            transcriber_config=TranscriberConfig(chunk_size=DEFAULT_CHUNK_SIZE, **LINE),
            agent_config=AgentConfig(),
            synthesizer_config=SynthesizerConfig(**LINE),
            twilio_config=TwilioConfig(account_sid="AC", auth_token="none"),
            twilio_sid=sid,
            from_phone=caller,
            to_phone=to,
            direction="inbound",
        )
        await calls.save_config(call_id, config)
        stream = f'<Stream url="ws://127.0.0.1:{PORT}/connect_call/{call_id}"/>'
        return Response(f"<Response><Connect>{stream}</Connect></Response>", media_type="application/xml")

    @app.get("/readyz")
    async def readyz():
        return PlainTextResponse("ready")

    return app


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    uvicorn.run(application(), host="127.0.0.1", port=PORT, loop="uvloop", log_level="warning", access_log=False)
