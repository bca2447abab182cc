"""The TwiML we answer with, each document a string."""

import re
from collections.abc import Mapping

from twilio.twiml.voice_response import Connect, Dial, VoiceResponse  # type: ignore[import-untyped]

MAX_PARAMETER = 499
"""Twilio's bound on the name and the value of a `<Parameter>` together, in characters."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def connect_stream(
    stream_url: str,
    action_url: str,
    status_callback_url: str,
    parameters: Mapping[str, str],
) -> str:
    """Open a bidirectional stream; Twilio asks `action_url` what comes after it.

    `parameters` come back in `start`; a value too long for one is cut, so what must be whole has to be short. Should
    Twilio fall through without asking, because no socket could be opened, it is sent to `action_url` all the same.
    """
    response = VoiceResponse()
    connect = Connect(action=action_url, method="POST")
    stream = connect.stream(url=stream_url, status_callback=status_callback_url, status_callback_method="POST")
    for name, value in parameters.items():
        stream.parameter(name=name, value=_xml_text(value)[: MAX_PARAMETER - len(name)])
    response.append(connect)
    response.redirect(action_url, method="POST")
    return str(response)


def hang_up() -> str:
    """End the call."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def dial(number: str, action_url: str, timeout_s: int = 30, caller_id: str | None = None) -> str:
    """Put the caller through to a number, ringing it for `timeout_s`; `action_url` is asked when that call is over.

    The number may be written as people write it: Twilio is given its plus and its digits. The far end sees
    `caller_id`, a number of the account, or by default the caller's own.
    """
    response = VoiceResponse()
    response.append(_dial(number, action_url, timeout_s, caller_id))
    return str(response)


def say_and_dial(text: str, number: str, action_url: str) -> str:
    """Speak with the carrier's own voice, then put the caller through, as `dial` does."""
    response = VoiceResponse()
    response.say(_xml_text(text))
    response.append(_dial(number, action_url))
    return str(response)


def _dial(number: str, action_url: str, timeout_s: int = 30, caller_id: str | None = None) -> Dial:
    call = Dial(action=action_url, method="POST", timeout=timeout_s, caller_id=caller_id)
    call.number(re.sub(r"[ ()-]", "", _xml_text(number)))
    return call


def say_and_hang_up(text: str) -> str:
    """Speak with the carrier's own voice, then end the call."""
    response = VoiceResponse()
    response.say(_xml_text(text))
    response.hangup()
    return str(response)


def pause_and_redirect(seconds: int, url: str, text: str = "") -> str:
    """Ask `url` what to do in so many seconds, of silence but for `text` at their beginning."""
    response = VoiceResponse()
    if text:
        response.say(_xml_text(text))
    response.pause(length=seconds)
    response.redirect(url, method="POST")
    return str(response)


def redirect(url: str) -> str:
    """Let another server say what to do."""
    response = VoiceResponse()
    response.redirect(url, method="POST")
    return str(response)


def reject() -> str:
    """Do not take the call: the caller hears that the line is busy, and nobody pays for it."""
    response = VoiceResponse()
    response.reject(reason="busy")
    return str(response)


def nothing() -> str:
    """The empty document, which answers a status callback."""
    return str(VoiceResponse())


def _xml_text(text: str) -> str:
    """Text without the characters XML 1.0 cannot carry even escaped (section 2.2): one would void the document."""
    return _NOT_XML.sub("", text)
