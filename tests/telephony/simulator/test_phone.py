"""A whole call against a small bot, over real sockets on loopback; a second or so of real time each."""

import asyncio
import wave
from pathlib import Path

import httpx
import numpy as np
import pytest

from providers.voice.scripted import ScriptedConfig, ScriptedVoiceProvider
from telephony.simulator import phone
from telephony.simulator.caller import BargeIn, HangUp, Press, Say, Wait
from telephony.simulator.options import CallOptions, DialPlan
from telephony.simulator.place import place_call, place_many
from telephony.simulator.rest import RestApi, serve
from telephony.simulator.voice import ProviderVoice
from telephony.twilio.messages import Connected, Mark, Media, Start, Stop
from tests.telephony.simulator.bot import ACCOUNT_SID, TOKEN, Bot, Socket

CONNECT = '<Response><Connect><Stream url="{ws}/media"/></Connect></Response>'
CONNECT_THEN_AFTER = (
    '<Response><Connect action="/after"><Stream url="{ws}/media" statusCallback="/stream">'
    '<Parameter name="token" value="a&amp;b"/></Stream></Connect></Response>'
)
VOICE = ProviderVoice(lambda: ScriptedVoiceProvider(ScriptedConfig(seconds_per_character=0.02)))


def options(bot: Bot, **changes: object) -> CallOptions:
    basics: dict[str, object] = {
        "url": f"{bot.base_url}/voice",
        "auth_token": TOKEN,
        "account_sid": ACCOUNT_SID,
        "patience_s": 0.1,
        "answer_timeout_s": 2.0,
        "max_call_s": 10.0,
    }
    return CallOptions(**{**basics, **changes})  # type: ignore[arg-type]


async def greet_and_answer(socket: Socket) -> None:
    await socket.say(0.2, mark="greeting")
    await socket.until_mark("greeting")
    await socket.until_caller_speaks()
    await socket.until_caller_is_quiet()
    await socket.say(0.2, mark="answer")
    await socket.until_stop()


async def test_a_call_is_made_as_twilio_makes_it(tmp_path: Path) -> None:
    bot = Bot({"/voice": CONNECT_THEN_AFTER, "/status": "<Response/>", "/stream": "<Response/>"}, [greet_and_answer])
    async with bot.serve():
        report = await place_call(
            options(
                bot,
                steps=(Say("Hello there"),),
                status_callback_url=f"{bot.base_url}/status",
                wav_path=tmp_path / "call.wav",
            ),
            voice=VOICE,
        )

    assert (report.reason, report.status, report.warnings) == ("the caller hung up", "completed", ())
    assert all(each.is_signed for each in bot.received)
    assert [each.path for each in bot.received if each.path != "/events"] == ["/voice", "/stream", "/stream", "/status"]
    [voice], [status] = bot.forms("/voice"), bot.forms("/status")
    assert len(voice) == 25
    assert (voice["CallStatus"], voice["FromCity"], voice["From"]) == ("ringing", "", "+15005550006")
    assert (status["CallStatus"], status["CallSid"]) == ("completed", report.call_sid)
    assert [form["StreamEvent"] for form in bot.forms("/stream")] == ["stream-started", "stream-stopped"]

    [handshake], [socket] = bot.handshakes, bot.sockets
    assert handshake["user-agent"] == "Twilio.TmeWs/1.0"
    assert not {"origin", "sec-websocket-extensions", "sec-websocket-protocol", "cookie"} & handshake.keys()
    first, start, *rest = socket.messages
    assert first == Connected()
    assert isinstance(start, Start)
    assert (start.parameters, start.call_sid, start.sequence) == ({"token": "a&b"}, report.call_sid, 1)
    assert isinstance(rest[-1], Stop)
    counted = [message for message in rest if isinstance(message, Media | Mark | Stop)]
    assert [message.sequence for message in counted] == list(range(2, len(counted) + 2))
    frames = [message for message in rest if isinstance(message, Media)]
    assert [frame.chunk for frame in frames] == list(range(1, len(frames) + 1))
    assert {len(frame.payload) for frame in frames} == {160}
    assert 100 <= frames[0].timestamp_ms <= 171

    [turn] = report.turns
    assert (turn.said, turn.heard, turn.word_error_rate) == ("Hello there", None, None)
    assert report.greeting_ms is not None
    assert turn.audio_sent_ms is not None
    assert turn.audio_heard_ms is not None
    assert (report.stats.marks_received, report.stats.marks_echoed, report.streams) == (2, 2, 1)
    assert report.lateness.frames >= len(frames)
    with wave.open(str(tmp_path / "call.wav")) as recording:
        assert (recording.getnchannels(), recording.getframerate()) == (2, 8000)
        samples = np.frombuffer(recording.readframes(recording.getnframes()), "<i2").reshape(-1, 2)
    assert np.abs(samples).max(axis=0).min() > 5000


async def test_bad_messages_are_warned_of_once_and_the_stream_goes_on() -> None:
    async def blunder(socket: Socket) -> None:
        for text in ("not json", '{"event":"clear","streamSid":"MZother"}'):
            await socket.websocket.send_text(text)
        for _ in range(2):
            await socket.websocket.send_bytes(b"\x00")
        await socket.mark("still here")
        await socket.until_mark("still here")

    bot = Bot({"/voice": CONNECT}, [blunder])
    async with bot.serve():
        report = await place_call(options(bot), voice=VOICE)
    assert [warning.code for warning in report.warnings] == [31951, 31950]
    assert (report.stats.ignored, report.reason) == (4, "the TwiML ended")


async def test_clear_returns_the_marks_and_silences_the_bot() -> None:
    async def be_interrupted(socket: Socket) -> None:
        await socket.say(5.0, mark="one")
        await socket.mark("two")
        await socket.until_caller_speaks()
        await socket.clear()
        await socket.until_mark("two")
        await socket.say(0.1)
        await socket.until_stop()

    bot = Bot({"/voice": CONNECT}, [be_interrupted])
    async with bot.serve():
        report = await place_call(options(bot, steps=(BargeIn("Stop it", after_s=0.1),)), voice=VOICE)
    [turn] = report.turns
    assert turn.barge_in
    assert turn.silenced_ms is not None
    assert turn.silenced_ms < 2000
    assert (report.stats.clears, report.stats.marks_cleared) == (1, 2)
    assert report.stats.cleared_bytes > 20_000


async def test_what_follows_a_closed_socket_is_asked_of_the_action() -> None:
    async def take_keys(socket: Socket) -> None:
        await socket.until(lambda _: socket.digits == "12#")

    bot = Bot(
        {
            "/voice": CONNECT_THEN_AFTER,
            "/after": '<Response><Dial action="dialled"><Number>+15005550009</Number></Dial></Response>',
            "/dialled": "<Response><Redirect>/bye</Redirect></Response>",
            "/bye": "<Response><Say>Good bye.</Say><Hangup/></Response>",
            "/stream": "<Response/>",
        },
        [take_keys],
    )
    async with bot.serve():
        report = await place_call(
            options(bot, steps=(Press("12#", at_once=True), Wait(5.0)), dial=DialPlan("no-answer", 0.05)), voice=VOICE
        )
    assert [form.get("DialCallStatus") for form in bot.forms("/dialled")] == ["no-answer"]
    assert bot.forms("/after")[0]["CallStatus"] == "in-progress"
    assert report.dialled[0].numbers == ("+15005550009",)
    assert (report.reason, report.turns[0].keys) == ("the bot hung up", "12#")
    assert report.turns[0].answer == "Good bye."


async def test_a_dropped_socket_is_an_error_and_the_call_is_attached_again() -> None:
    async def crash(socket: Socket) -> None:
        await socket.next()
        await socket.websocket.close(1011)

    async def resume(socket: Socket) -> None:
        await socket.say(0.1)
        await socket.until_stop()

    bot = Bot({"/voice": CONNECT_THEN_AFTER, "/after": CONNECT, "/stream": "<Response/>"}, [crash, resume])
    async with bot.serve():
        report = await place_call(options(bot), voice=VOICE)
    assert (report.streams, [warning.code for warning in report.warnings]) == (2, [31921])
    assert [form["StreamEvent"] for form in bot.forms("/stream")] == ["stream-started", "stream-error"]
    assert bot.sockets[0].start.call_sid == bot.sockets[1].start.call_sid
    assert bot.sockets[0].start.stream_sid != bot.sockets[1].start.stream_sid


@pytest.mark.parametrize(
    ("stream_url", "code"), [("{ws}/nowhere", 31920), ("ws://127.0.0.1:9/media", 31902), ("http://x/y", 31922)]
)
async def test_a_stream_that_cannot_be_opened_falls_through(stream_url: str, code: int) -> None:
    twiml = f'<Response><Connect><Stream url="{stream_url}"/></Connect><Hangup/></Response>'
    bot = Bot({"/voice": twiml})
    async with bot.serve():
        report = await place_call(options(bot), voice=VOICE)
    assert [warning.code for warning in report.warnings] == [code]
    assert (report.reason, report.streams) == ("the bot hung up", 0)


async def test_a_query_string_is_dropped_from_the_stream_url() -> None:
    async def leave(socket: Socket) -> None:
        await socket.next()

    twiml = '<Response><Connect><Stream url="{ws}/media?token=x"/></Connect></Response>'
    bot = Bot({"/voice": twiml}, [leave])
    async with bot.serve():
        report = await place_call(options(bot), voice=VOICE)
    assert ([warning.code for warning in report.warnings], report.streams) == ([31920], 1)


async def test_a_webhook_that_fails_ends_the_call_unless_there_is_a_fallback() -> None:
    bot = Bot({"/fallback": '<Response><Reject reason="busy"/></Response>'})
    async with bot.serve():
        alone = await place_call(options(bot), voice=VOICE)
        backed = await place_call(options(bot, fallback_url=f"{bot.base_url}/fallback"), voice=VOICE)
    assert (alone.reason, alone.status) == ("application error 11200", "failed")
    assert (backed.reason, backed.status) == ("the bot rejected the call", "busy")
    assert bot.forms("/fallback")[0]["ErrorCode"] == "11200"


async def test_twiml_that_goes_in_circles_is_left() -> None:
    bot = Bot({"/voice": "<Response><Redirect>/voice</Redirect></Response>"})
    async with bot.serve():
        report = await place_call(options(bot), voice=VOICE)
    assert (report.reason, len(bot.received)) == ("the TwiML goes round in circles", 51)


@pytest.mark.parametrize(
    ("form", "reason", "said"),
    [
        ({"Status": "completed"}, "the bot hung up over REST", ""),
        ({"Twiml": "<Response><Say>Moment.</Say></Response>"}, "the TwiML ended", "Moment."),
        ({"Url": "{base}/other"}, "the bot hung up", ""),
    ],
)
async def test_the_rest_api_updates_a_live_call(form: dict[str, str], reason: str, said: str) -> None:
    api = RestApi(ACCOUNT_SID, TOKEN)
    codes: list[int] = []

    async def update(socket: Socket) -> None:
        await socket.next()
        fields = {name: value.replace("{base}", bot.base_url) for name, value in form.items()}
        url = f"{rest_url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{socket.start.call_sid}.json"
        async with httpx.AsyncClient(auth=(ACCOUNT_SID, TOKEN), trust_env=False) as client:
            codes.append((await client.post(url, data=fields)).status_code)
        await socket.until_stop()

    bot = Bot({"/voice": CONNECT_THEN_AFTER, "/other": "<Response><Hangup/></Response>"}, [update])
    async with bot.serve(), serve(api.app) as rest_url:
        report = await place_call(options(bot), voice=VOICE, rest=api)
    assert (codes, report.reason) == ([200], reason)
    assert [turn.answer for turn in report.turns] == ([said] if said else [])
    assert not bot.forms("/after")


async def test_a_call_that_nobody_ends_is_ended_by_the_carrier() -> None:
    async def listen(socket: Socket) -> None:
        await socket.until_stop()

    bot = Bot({"/voice": CONNECT}, [listen])
    async with bot.serve():
        report = await place_call(options(bot, steps=(Wait(60),), max_call_s=0.3), voice=VOICE)
    assert report.reason == "the call took too long"
    assert isinstance(bot.sockets[0].messages[-1], Stop)


async def test_a_call_that_cannot_be_ended_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "_END_GRACE_S", 0.05)

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        report = await place_call(
            CallOptions(
                url=f"http://127.0.0.1:{port}/voice", auth_token=TOKEN, account_sid=ACCOUNT_SID, max_call_s=0.05
            ),
            voice=VOICE,
        )
    assert (report.reason, report.status) == ("the call could not be ended in time", "failed")


async def test_a_call_that_rings_may_be_kept_waiting_and_rejected() -> None:
    bot = Bot({"/voice": '<Response><Pause length="0"/><Play>/a.wav</Play><Reject/></Response>'})
    async with bot.serve():
        report = await place_call(options(bot, status_callback_url=f"{bot.base_url}/missing"), voice=VOICE)
    assert (report.reason, report.status) == ("the bot rejected the call", "completed")
    assert [warning.code for warning in report.warnings] == [11200]


async def test_a_silent_bot_is_hung_up_on() -> None:
    async def listen(socket: Socket) -> None:
        await socket.until_stop()

    bot = Bot({"/voice": CONNECT}, [listen])
    async with bot.serve():
        report = await place_call(options(bot, steps=(Say("Hello?"),), answer_timeout_s=0.2), voice=VOICE)
    assert report.reason == "the bot said nothing for 0.2 s"


async def test_the_feed_tells_what_the_bot_heard_and_said() -> None:
    feed = [
        '{"at_s": 0.0, "kind": "call_started", "turn": 0}',
        '{"at_s": 0.5, "kind": "caller_said", "turn": 1, "text": "I have 2 dogs"}',
        '{"at_s": 0.6, "kind": "bot_said", "turn": 1, "text": "Fine.", "interrupted": false}',
    ]
    bot = Bot({"/voice": CONNECT}, [greet_and_answer], feed=feed)
    async with bot.serve():
        report = await place_call(options(bot, steps=(Say("I have two dogs."),)), voice=VOICE)
    assert [each.is_signed for each in bot.received if each.path == "/events"] == [True]
    [turn] = report.turns
    assert (turn.heard, turn.answer, turn.word_error_rate) == ("I have 2 dogs", "Fine.", 0.0)


async def test_many_calls_at_once_have_a_report_each(tmp_path: Path) -> None:
    async def greet(socket: Socket) -> None:
        await socket.say(0.1)
        await socket.until_stop()

    bot = Bot({"/voice": CONNECT}, [greet] * 5)
    reported: list[str] = []
    async with bot.serve():
        reports = await place_many(
            options(bot, steps=(HangUp(),), wav_path=tmp_path / "call.wav", follow_feed=False),
            5,
            voice=VOICE,
            spread_s=0.1,
            on_report=lambda report: reported.append(report.call_sid),
        )
    assert {report.reason for report in reports} == {"the caller hung up"}
    assert sorted(reported) == sorted(report.call_sid for report in reports)
    assert len(set(reported)) == 5
    assert _names(tmp_path) == [f"call-{number}.wav" for number in range(1, 6)]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_cancelled_call_leaves_nothing_behind() -> None:
    opened = asyncio.Event()

    async def listen(socket: Socket) -> None:
        opened.set()
        await socket.until_stop()

    bot = Bot({"/voice": CONNECT}, [listen])
    async with bot.serve():
        before = asyncio.all_tasks()
        call = asyncio.create_task(place_call(options(bot, steps=(Wait(60),)), voice=VOICE))
        await opened.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        mine = {task for task in asyncio.all_tasks() - before if "telephony/simulator" in repr(task.get_coro())}
        assert not mine
