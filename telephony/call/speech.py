"""The bot's words in one run of speech: which are on their way, and which the caller has heard."""

from dataclasses import dataclass, field


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

    def cut(self, number: int, fraction: float) -> None:
        """Playback ended in this sentence: what came before it and the words reached were heard, the rest is gone."""
        self.was_heard(number - 1)
        words = self.pending[number].split()
        reached = words[: int(len(words) * fraction)]
        if reached:
            self.heard.append(" ".join(reached))
        self.pending.clear()

    def following(self) -> "BotSpeech":
        """The next run of the same turn."""
        return BotSpeech(self.turn, self.next_number)
