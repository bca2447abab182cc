"""From a call's log to where its talk stands: what whoever takes the call up has to know."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from agent.history import History
from telephony.call.journal import Entry, Kind
from telephony.call.memory import TOLD, tell


@dataclass(frozen=True, slots=True)
class KeysWanted:
    """The caller was asked for keys: so many, or up to the terminator; a `length` of 0 is any number."""

    length: int
    terminator: str


@dataclass(frozen=True, slots=True)
class Talk:
    """Where a talk stands. Words, keys and numbers are the caller's own: they stay out of reprs."""

    told: tuple[Entry, ...] = field(default=(), repr=False)
    """What the history was told, in order: `tell` tells it again."""
    turn: int = 0
    """The number of the caller's last turn."""
    turns: int = 0
    """How often the caller has said or keyed something."""
    unanswered: str = field(default="", repr=False)
    """What the caller said last, while the bot's answer to it has not been heard to its end."""
    reply_finished: bool = False
    """Whether all of that answer was generated: with `heard` and `saying`, it is there in full."""
    heard: tuple[str, ...] = field(default=(), repr=False)
    """Sentences heard to their end that the history does not hold yet."""
    saying: tuple[str, ...] = field(default=(), repr=False)
    """Sentences given to the voice and not heard to their end; the first is the one being said."""
    keys: str = field(default="", repr=False)
    """Keys of an entry that is not complete."""
    keys_wanted: KeysWanted | None = None
    transfer: str = field(default="", repr=False)
    """The number the caller is being put through to, or will be once the bot has said so."""
    is_transferring: bool = False
    """Whether the carrier has been told to put them through."""
    hanging_up: bool = False
    """Whether the call ends once the bot's words were heard."""
    ended: str = ""
    """Why the last stream ended; empty while it goes on, or if its process died."""

    def tell(self, history: History) -> None:
        """Tell a fresh history all that the live one was told, which makes them the same."""
        for entry in self.told:
            tell(history, entry.kind, entry.details)


def fold(entries: Iterable[Entry]) -> Talk:
    """Where the talk stands after these entries, the log of a call from its first stream to its last."""
    folding = _Folding()
    for entry in entries:
        folding.take(entry)
    return folding.talk()


class _Folding:
    """A `Talk` in the making."""

    def __init__(self) -> None:
        self._talk = Talk()
        self._told: list[Entry] = []
        self._heard: list[str] = []
        self._saying: dict[tuple[int, int], str] = {}  # by turn and sentence
        self._is_said_anew = False  # by the next stream, all of it, as soon as it says anything

    def talk(self) -> Talk:
        saying = tuple(self._saying.values())
        return replace(self._talk, told=tuple(self._told), heard=tuple(self._heard), saying=saying)

    def take(self, entry: Entry) -> None:
        if entry.kind in TOLD:
            self._told.append(entry)
        self._take_speech(entry)
        self._take_rest(entry)

    def _take_speech(self, entry: Entry) -> None:
        """What the bot says. A sentence that was heard proves those before it, as in the live call."""
        match entry.kind, entry.details:
            case Kind.CALL_STARTED, _:
                self._is_said_anew = True
            case Kind.BOT_SAYS, {"turn": int(turn), "sentence": int(sentence), "text": str(text)}:
                if self._is_said_anew:
                    self._saying.clear()
                    self._is_said_anew = False
                self._saying[turn, sentence] = text
            case Kind.SENTENCE_HEARD, {"turn": int(turn), "sentence": int(sentence)}:
                if (turn, sentence) in self._saying:
                    passed = [key for key in self._saying if key <= (turn, sentence)]
                    self._heard += [self._saying.pop(key) for key in passed]
            case Kind.SENTENCE_FAILED, {"turn": int(turn), "sentence": int(sentence)}:
                self._saying.pop((turn, sentence), None)
            case Kind.SILENCED, _:
                self._saying.clear()
            case ((Kind.BOT_SAID | Kind.CALLER_SAID | Kind.HAPPENED), _):
                self._saying.clear()
                self._heard.clear()

    def _take_rest(self, entry: Entry) -> None:
        match entry.kind, entry.details:
            case Kind.CALL_STARTED, _:
                self._talk = replace(self._talk, ended="")
            case Kind.HAPPENED, _:
                self._talk = replace(self._talk, transfer="", is_transferring=False, hanging_up=False)
            case Kind.CALLER_SAID, {"turn": int(turn), "text": str(text)}:
                self._caller_said(turn, text)
            case Kind.BOT_SAID, _:
                self._talk = replace(self._talk, unanswered="")
            case Kind.REPLY_STARTED, _:
                self._talk = replace(self._talk, reply_finished=False)
            case Kind.REPLY_FINISHED, _:
                self._talk = replace(self._talk, reply_finished=True)
            case Kind.KEYS_WANTED, {"length": int(length), "terminator": str(terminator)}:
                self._talk = replace(self._talk, keys_wanted=KeysWanted(length, terminator))
            case Kind.KEY_PRESSED, {"digit": str(digit)}:
                self._talk = replace(self._talk, keys=self._talk.keys + digit)
            case ((Kind.TRANSFER_WANTED | Kind.TRANSFER_STARTED), {"number": str(number)}):
                is_transferring = entry.kind is Kind.TRANSFER_STARTED
                self._talk = replace(self._talk, transfer=number, is_transferring=is_transferring)
            case Kind.HANG_UP_WANTED, _:
                self._talk = replace(self._talk, hanging_up=True)
            case Kind.CALL_ENDED, {"reason": str(reason)}:
                self._talk = replace(self._talk, ended=reason)

    def _caller_said(self, turn: int, text: str) -> None:
        """A turn of the caller's, which takes back what the bot was about to do; keys end up in one as they are."""
        keys, wanted = self._talk.keys, self._talk.keys_wanted
        if keys and (keys.endswith(text) or keys[:-1].endswith(text)):  # the last may be the terminator
            keys, wanted = "", None
        self._talk = replace(
            self._talk,
            turn=turn,
            turns=self._talk.turns + 1,
            unanswered=text,
            keys=keys,
            keys_wanted=wanted,
            transfer="",
            is_transferring=False,
            hanging_up=False,
        )
