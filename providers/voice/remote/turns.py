"""The caller's turn, as recognisers tell it that find turns themselves: the same steps under each vendor's names."""

from enum import StrEnum


class Step(StrEnum):
    """`PAUSED` says that the caller may have finished; only `RESUMED` or `ENDED` follow it."""

    STARTED = "started"
    UPDATED = "updated"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"


class Turn:
    """Where the caller is in a turn. A service counts its own turns, of which an utterance of ours may hold several.

    `text` is all that was said in the turn, `is_open` says whether the service is still in it, `is_over` whether it
    thinks that the caller has finished, until it changes its mind or another turn starts.
    """

    def __init__(self) -> None:
        self.text = ""
        self.is_open = False
        self.is_over = False

    def take(self, step: Step, text: str | None = None) -> bool:
        """Go a step, with all the words of the turn so far if the service gives them; returns whether that is news.

        Words without a start open a turn too, for a connection may begin in the middle of one.
        """
        before = (self.text, self.is_open, self.is_over)
        if not self.is_open:
            if step is Step.UPDATED and not text:
                return False
            self.begin()
        self.text = self.text if text is None else text
        self.is_open = step is not Step.ENDED
        if step is not Step.UPDATED:
            self.is_over = step in (Step.PAUSED, Step.ENDED)
        return step is Step.ENDED or before != (self.text, self.is_open, self.is_over)

    def begin(self) -> None:
        """Nothing is said yet."""
        self.text, self.is_open, self.is_over = "", False, False
