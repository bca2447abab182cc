"""The call's own account of what happened and when: the source of its transcript, its times and the live feed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What an entry is about; the entry's other fields are named behind it."""

    CALL_STARTED = "call_started"  # call_sid, stream_sid
    CALLER_SPEECH_STARTED = "caller_speech_started"
    CALLER_SPEECH_ENDED = "caller_speech_ended"
    CALLER_SAID = "caller_said"  # turn, text, keyed: whether they pressed keys that were asked for
    REPLY_STARTED = "reply_started"  # turn, guess: whether the caller may not have finished
    REPLY_DROPPED = "reply_dropped"  # turn, tokens: generated for nothing, so far as they were not heard
    TOOLS_STARTED = "tools_started"  # turn, names
    TOOLS_DONE = "tools_done"  # turn, asked, answered: the messages, for the model to be told again
    FIRST_TOKEN = "first_token"  # noqa: S105 - turn
    REPLY_FINISHED = "reply_finished"  # turn: all of it was generated
    KEYS_WANTED = "keys_wanted"  # turn, length (0: any), terminator: the reply asks for keys
    TRANSFER_WANTED = "transfer_wanted"  # turn, number: once the reply was heard
    HANG_UP_WANTED = "hang_up_wanted"  # turn: once the reply was heard
    BOT_SAYS = "bot_says"  # turn, sentence, text: handed to the voice
    AUDIO_SENT = "audio_sent"  # turn, sentence: its first audio
    AUDIO_HEARD = "audio_heard"  # turn, sentence: its first audio was played
    SENTENCE_HEARD = "sentence_heard"  # turn, sentence: to its end
    SENTENCE_FAILED = "sentence_failed"  # turn, sentence: the voice could not say it
    BOT_SAID = "bot_said"  # turn, text, interrupted: what was heard
    BARGE_IN = "barge_in"  # turn: the caller talks over the bot, whose voice is held
    RESUMED = "resumed"  # turn: that was no turn, and the bot goes on
    SILENCED = "silenced"  # turn: what was not heard is forgotten
    KEY_PRESSED = "key_pressed"  # digit
    HAPPENED = "happened"  # text: what the model is told that nobody said
    TRANSFER_STARTED = "transfer_started"  # number: the carrier is asked to put the caller through
    CALL_ENDED = "call_ended"  # reason


type Detail = str | int | float | bool | list[Detail] | dict[str, Detail] | None
"""What JSON can hold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`at_s` counts from the start of the stream."""

    at_s: float
    kind: Kind
    details: dict[str, Detail] = field(repr=False)

    def as_dict(self) -> dict[str, Detail]:
        return {"at_s": round(self.at_s, 4), "kind": self.kind.value, **self.details}


class Journal:
    """Entries in order, up to `limit`; watchers are told of each as it is made, and forgotten with the last."""

    def __init__(self, started_at: float, limit: int = 20_000) -> None:
        self._started_at = started_at
        self._limit = limit
        self.entries: list[Entry] = []
        self.watchers: set[Callable[[], None]] = set()

    @property
    def is_closed(self) -> bool:
        return bool(self.entries) and self.entries[-1].kind is Kind.CALL_ENDED

    def note(self, kind: Kind, at: float, **details: Detail) -> None:
        """Add an entry; past the limit only the end of the call is still taken down."""
        if len(self.entries) >= self._limit and kind is not Kind.CALL_ENDED:
            return
        self.entries.append(Entry(at - self._started_at, kind, details))
        for tell in self.watchers:
            tell()
        if kind is Kind.CALL_ENDED:
            self.watchers.clear()
