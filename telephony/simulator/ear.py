"""What a caller can tell of the bot by listening: whether it speaks, and since when."""

from dataclasses import dataclass

from telephony.simulator.carrier import BYTES_PER_S, FRAME_BYTES, Heard
from telephony.simulator.measure import SPEECH_DBFS, level_dbfs

_CONFIRMING_BLOCKS = 2  # one loud block may be a click
_HANGOVER_S = 0.2 - 1e-6  # silence shorter than 0.2 s is part of the speech around it; instants are rounded


@dataclass(frozen=True, slots=True)
class Hearing:
    """The bot as heard so far: the instants at which its last run of speech began and ended, if it did."""

    speaking: bool = False
    began_at: float | None = None
    ended_at: float | None = None


class Ear:
    """Follows the energy of what the caller hears, in blocks of 20 ms."""

    def __init__(self) -> None:
        self._hearing = Hearing()
        self._changes: list[Hearing] = []
        self._loud_blocks = 0
        self._onset_at = 0.0
        self._loud_until = 0.0
        self._heard_until = 0.0

    @property
    def hearing(self) -> Hearing:
        return self._hearing

    def hear(self, heard: Heard) -> list[Hearing]:
        """Listen on, and return what changed: speech that began, speech that ended.

        Silence between what came before and `heard.began_at` counts as such.
        """
        for start in range(0, len(heard.audio), FRAME_BYTES):
            block = heard.audio[start : start + FRAME_BYTES]
            self._block(block, heard.began_at + start / BYTES_PER_S)
        changes, self._changes = self._changes, []
        return changes

    def _block(self, block: bytes, began_at: float) -> None:
        end_at = began_at + len(block) / BYTES_PER_S
        if began_at - self._heard_until >= _HANGOVER_S:
            self._loud_blocks = 0
            self._fall_silent()
        self._heard_until = end_at
        if level_dbfs(block) > SPEECH_DBFS:
            self._onset_at = self._onset_at if self._loud_blocks else began_at
            self._loud_blocks += 1
            if self._loud_blocks >= _CONFIRMING_BLOCKS:
                if not self._hearing.speaking:
                    self._become(Hearing(speaking=True, began_at=self._onset_at))
                self._loud_until = end_at
        else:
            self._loud_blocks = 0
            if end_at - self._loud_until >= _HANGOVER_S:
                self._fall_silent()

    def _fall_silent(self) -> None:
        if self._hearing.speaking:
            self._become(Hearing(began_at=self._hearing.began_at, ended_at=self._loud_until))

    def _become(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._changes.append(hearing)
