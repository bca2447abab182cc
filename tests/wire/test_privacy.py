"""What a server writes to its log, at its most talkative, whatever happens in it: nothing of what was said."""

import re
from pathlib import Path

import httpx

from telephony.simulator.identity import CallIdentity, voice_form
from telephony.simulator.media_socket import open_socket
from telephony.simulator.phone import new_sid
from telephony.simulator.twiml import Connect, Fault
from telephony.simulator.voice import Voice
from telephony.simulator.webhooks import Document, WebhookClient
from telephony.twilio.messages import Connected, Dtmf, Start, encode_from_twilio
from telephony.twilio.signature import sign
from tests.wire.conftest import WholeCall
from tests.wire.lines import ASK, INTERRUPT, PARTING, PRICE
from tests.wire.office import ACCOUNT, CALLED, CALLER, GOODBYE, GREETING, MANAGER, TOKEN, Office, in_a_process

SECRETS = (
    re.escape(TOKEN),
    r"v1\.\d+\.AC",  # a stream token
    r"(?i)x-twilio-signature|authorization",
    r"\+?\d{10,}",  # a telephone number
    *(re.escape(number) for number in (CALLER, CALLED, MANAGER, "+1 555 010 0143")),
    r"(?i)\bdigit|dtmf|\bkeys?\b",
    r"payload|[A-Za-z0-9+/]{60,}",  # audio
)


def leaks(log: str, *said: str) -> list[str]:
    """The lines that hold a secret, or two words in a row of what was said. Times and SIDs are no secrets."""
    pairs = [pair for text in said for pair in zip(text.split(), text.split()[1:], strict=False)]
    patterns = [*SECRETS, *(re.escape(" ".join(pair)) for pair in pairs)]
    assert "call started" in log
    without_times = re.sub(r"^[\d-]+ [\d:,]+ ", "", log, flags=re.MULTILINE)
    lines = re.sub(r"\b(CA|MZ|AC)[0-9a-f]{32}\b", "", without_times).splitlines()
    return [line for line in lines if any(re.search(pattern, line) for pattern in patterns)]


def test_a_call_leaves_nothing_personal_in_the_log(whole_call: WholeCall) -> None:
    assert f"call={whole_call.report.call_sid} call ended: the bot said goodbye" in whole_call.log
    assert "bad message on the media stream" in whole_call.log
    said = (GREETING, ASK, "We are a small family restaurant.", INTERRUPT, PRICE, "42", PARTING, GOODBYE)
    assert leaks(whole_call.log, *said) == []
    assert not re.search("mushroom|restaurant|fourteen|goodbye[.,]", whole_call.log)


PASSWORD = "hunter2"
METRICS = "a-long-random-word"


async def stream_of(webhooks: WebhookClient, url: str, identity: CallIdentity, status: str) -> None:
    """A stream as the TwiML at the URL wants it, in which keys are pressed, and which breaks."""
    reply = await webhooks.fetch(url, "POST", voice_form(identity, status))
    assert isinstance(reply, Document)
    connect = reply.verbs[0]
    assert isinstance(connect, Connect)
    socket = await open_socket(connect.stream.url, TOKEN)
    assert not isinstance(socket, Fault)
    async with socket:
        sid = new_sid("MZ")
        await socket.send(encode_from_twilio(Connected()))
        start = Start(sid, identity.call_sid, ACCOUNT, parameters=dict(connect.stream.parameters))
        await socket.send(encode_from_twilio(start))
        for number, digit in enumerate("4242", 2):
            await socket.send(encode_from_twilio(Dtmf(sid, number, digit)))
        assert '"media"' in str(await socket.recv())
        socket.transport.abort()


async def is_resumed(office: Office) -> str:
    """A call whose stream breaks and which is taken up; its SID."""
    identity = CallIdentity(new_sid("CA"), ACCOUNT, CALLER, CALLED)
    async with WebhookClient.open(TOKEN) as webhooks:
        await stream_of(webhooks, office.options.url, identity, "ringing")
        url = f"{office.base_url}/twilio/stream-ended?step=1"
        await stream_of(webhooks, url, identity, "in-progress")
        stream_error = {"StreamSid": new_sid("MZ"), "StreamEvent": "stream-error", "StreamError": f"31921 {CALLER}"}
        form = voice_form(identity, "in-progress") | stream_error
        assert await webhooks.notify(f"{office.base_url}/twilio/stream-status", "POST", form) is None
    return identity.call_sid


async def is_refused(office: Office) -> list[str]:
    """Requests that are not let in; what was sent with them and must not be seen."""
    form = voice_form(CallIdentity(new_sid("CA"), ACCOUNT, CALLER, CALLED), "ringing")
    forged = sign(office.options.url, TOKEN[::-1], form)
    async with httpx.AsyncClient(trust_env=False, base_url=office.base_url) as client:
        for headers in ({}, {"X-Twilio-Signature": forged}, {"X-Twilio-Signature": "", "Content-Type": "text/plain"}):
            assert (await client.post("/twilio/voice", data=form, headers=headers)).status_code in (400, 403)
        for path in ("/metrics", f"/calls/{form['CallSid']}/events"):
            refused = await client.get(
                path, headers={"Authorization": f"Bearer {METRICS}x", "X-Twilio-Signature": forged}
            )
            assert refused.status_code in (401, 403)
    return [forged]


async def test_trouble_leaves_nothing_personal_in_the_log_either(caller_voice: Voice, tmp_path: Path) -> None:
    settings = {
        "LOG_LEVEL": "DEBUG",
        "DATABASE_URL": f"postgres://somebody:{PASSWORD}@/calls?host={tmp_path}",
        "METRICS_TOKEN": METRICS,
        "MAX_CALLS_PER_CALLER_PER_MINUTE": "1",
    }
    async with in_a_process(tmp_path, caller_voice, settings) as office:
        sids = [await is_resumed(office)]
        sent = await is_refused(office)
        sids.append((await office.call()).call_sid)  # which is one too many
    assert office.log is not None
    log = office.log.read_text()
    for words in (
        f"call={sids[0]} call taken up",
        "known from memory alone",
        "records cannot be written and wait in memory",
        "no other process will know of this call",
        "events of calls are lost",
        f"Twilio reports an error on the stream of call {sids[0]}: 31921 +…",
        f"no room for call {sids[1]}",
        "no X-Twilio-Signature",
        "the signature does not match",
        "refused the metrics",
        "refused the feed",
    ):
        assert words in log, words
    told = log.replace("no X-Twilio-Signature", "")
    assert leaks(told, GREETING, "4242", *sent) == []
    assert not any(secret in log for secret in (PASSWORD, METRICS, *sent))


def test_leaks_are_found() -> None:
    start = "2026-11-22 11:20:38,946 DEBUG   x call=- "
    lines = ("call started", '< TEXT \'{"event":"dtmf"}\'', f"calls {CALLER}", "heard: Tell me about it")
    assert len(leaks("\n".join(start + line for line in lines), ASK)) == 3
