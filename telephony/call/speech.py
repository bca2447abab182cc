"""The bot's words in one run of speech: which are on their way, and which the caller has heard."""

from bisect import bisect_right
from dataclasses import dataclass, field

from agent.spoken import speakable


@dataclass(slots=True)
class BotSpeech:
    """Sentences of one turn, numbered from `first`, from the order to say them until they were heard."""

    turn: int
    first: int = 0
    pending: dict[int, str] = field(default_factory=dict)
    """Not yet heard to their end, in the order in which they will be spoken."""
    heard: list[str] = field(default_factory=list)
    _protected: set[int] = field(default_factory=set)
    _said: int = 0

    @property
    def next_number(self) -> int:
        return self.first + self._said

    @property
    def text(self) -> str:
        """What the caller heard."""
        return " ".join(self.heard)

    @property
    def text_so_far(self) -> str:
        """What the caller heard or is hearing."""
        return " ".join([*self.heard, *list(self.pending.values())[:1]])

    @property
    def is_protected(self) -> bool:
        """Whether something is still to be heard that must not be interrupted."""
        return bool(self._protected & self.pending.keys())

    def say(self, text: str, *, protected: bool = False) -> int:
        number = self.next_number
        self._said += 1
        self.pending[number] = text
        if protected:
            self._protected.add(number)
        return number

    def was_heard(self, number: int) -> None:
        """The caller heard this sentence, and so all that was to be spoken before it."""
        for earlier in [n for n in self.pending if n <= number]:
            self.heard.append(self.pending.pop(earlier))

    def failed(self, number: int) -> None:
        """The sentence will not be spoken."""
        del self.pending[number]

    def cut(self, number: int, fraction: float, spoken: int | None = None) -> None:
        """Playback ended in this sentence: what came before it and the words reached were heard, the rest is gone.

        `fraction` of its audio was heard or, where the voice can tell, so many of the words that it speaks.
        """
        self.was_heard(number - 1)
        words = self.pending[number].split()
        count = int(len(words) * fraction) if spoken is None else _spoken_by(words, spoken)
        if count:
            self.heard.append(" ".join(words[:count]))
        self.pending.clear()

    def following(self) -> "BotSpeech":
        """The next run of the same turn."""
        return BotSpeech(self.turn, self.next_number)


def _spoken_by(words: list[str], spoken: int) -> int:
    """How many of the words were said once `spoken` were of the text that a voice is given: "$5" is two of those."""
    return bisect_right(range(1, len(words) + 1), spoken, key=lambda n: len(speakable(" ".join(words[:n])).split()))
