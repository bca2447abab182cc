"""Which stretches of a line are worth a voice detector's while: those of which it is not plain what they hold."""

from functools import cache

import audioop

SILENT_RMS = 12.0
"""In steps of a 16-bit sample, -69 dBFS: below this there is nothing on a telephone line, not even breath."""
CLEAR_DB, STEADY_SHARE = 23.0, 0.8
"""A line is clear if its voice is so far above its noise, and so much of the noise is as loud as all of it."""
REMINDER_WINDOWS = 4
"""Of a voice that is plain the detector hears every fourth window all the same: whom it knows it notices sooner."""
REMINDERS = 4
"""So many windows of the pause after it, too: a detector that missed it takes the next sound for more of the voice."""
VOUCHED_WINDOWS = 16
"""For half a second words vouch for what follows; recognisers have more of them every quarter while somebody talks."""


class Gate:
    """Learns how loud a line is, at rest and with a voice on it, and tells what the detector need not be asked.

    A line at rest holds no voice. A window may be passed over as that only once there was no voice for `sure_windows`
    in a row, so that it is the detector which finds the end of speech; one that differs from the line at rest by
    `margin_db` either way is for the detector to judge. What it judges to be no voice, however loud, is what the line
    is learnt from.

    Where words are recognised somebody talks. On a clear line what is loud is then their voice, and a pause sounds as
    the line does at rest.
    """

    def __init__(self, *, margin_db: float = 4.0, sure_windows: int = 8, voice: float = 0.3, pace: float = 0.1) -> None:
        """From `voice` on, a probability may be speech; `pace` is a window's share in what the line is learnt as."""
        self._factor = _ratio(margin_db)
        self._sure_windows = sure_windows
        self._voice = voice
        self._pace = pace
        self._rest_rms = self._voice_rms = 0.0
        self._quietest = self._loudest = 0.0  # bounds of the line at rest
        self._floor_rms = SILENT_RMS  # what is at rest, and what is nothing at all
        self._steady = 0.0  # the share of windows without voice that sounded as the line does at rest
        self._unvoiced = 0  # windows in a row, as far as they matter
        self._vouched = 0  # windows to come
        self._plain_voice = 0  # windows
        self._plain_pause = REMINDERS  # windows since then, no more than are to be heard

    def judge(self, rms: float) -> float | None:
        """The probability of voice in a window of this loudness; None if it takes a detector to tell."""
        if self._unvoiced >= self._sure_windows:
            return 0.0 if self._is_at_rest(rms) else None
        if self._vouched and self._is_clear:
            return float(rms > self._floor_rms * self._factor)
        return None

    def vouch(self) -> None:
        """More words were made out of what the line brought just now."""
        self._vouched = VOUCHED_WINDOWS

    def reminds(self, probability: float) -> bool:
        """Whether the detector is to hear this window too, which was plain to us; asked of each of them."""
        if probability:
            self._plain_voice += 1
            self._plain_pause = 0
            return self._plain_voice % REMINDER_WINDOWS == 0
        if self._plain_pause == REMINDERS:
            return False
        self._plain_pause += 1
        return True

    def learn(self, rms: float, probability: float) -> None:
        """What a window has turned out to be, by whoever judged it."""
        if self._vouched:
            self._vouched -= 1
        if probability >= self._voice:
            self._unvoiced = 0
            self._voice_rms += self._pace * (rms - self._voice_rms)
            return
        if self._unvoiced < self._sure_windows:
            self._unvoiced += 1
        rest, floor = self._rest_rms, self._floor_rms
        if rms < _CLEAR * floor:  # what is louder may be the beginning of a voice, noticed late
            self._steady += 0.5 * self._pace * ((1.0 if self._is_at_rest(rms) else 0.0) - self._steady)
        most = 2.0 * floor
        rest += self._pace * ((rms if rms < most else most) - rest)
        self._rest_rms, self._quietest, self._loudest = rest, rest / self._factor, rest * self._factor
        self._floor_rms = rest if rest > SILENT_RMS else SILENT_RMS

    def _is_at_rest(self, rms: float) -> bool:
        return self._quietest < rms < self._loudest or rms <= SILENT_RMS

    @property
    def _is_clear(self) -> bool:
        return self._voice_rms >= _CLEAR * self._floor_rms and self._steady >= STEADY_SHARE


@cache
def _ratio(decibels: float) -> float:
    return 10 ** (decibels / 20)


_CLEAR = _ratio(CLEAR_DB)


def loudness(ulaw: bytes) -> float:
    """The RMS of μ-law audio, in steps of a 16-bit sample."""
    return float(audioop.rms(audioop.ulaw2lin(ulaw, 2), 2))  # an integer would slow the gate's sums down
