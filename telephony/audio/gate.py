"""Which stretches of a line are worth a voice detector's while: all but those that sound as the line does at rest."""

import audioop

from providers.audio import mulaw

SILENT_RMS = 12.0
"""In steps of a 16-bit sample, -69 dBFS: below this there is nothing on a telephone line, not even breath."""


class RestGate:
    """Learns how loud a line is while nobody speaks, and tells which windows are no louder and no quieter than that.

    A window may be passed over only once the detector has heard no voice for `sure_windows` in a row, so that it is the
    detector which finds the end of speech; a window that differs from the line at rest by `margin_db` either way is for
    the detector to judge. What it judges to be no voice, however loud, is what the line is learnt from.
    """

    def __init__(self, *, margin_db: float = 4.0, sure_windows: int = 8, voice: float = 0.3, pace: float = 0.1) -> None:
        """From `voice` on, a probability may be speech; `pace` is a window's share in what the line is learnt as."""
        self._factor = 10 ** (margin_db / 20)
        self._sure_windows = sure_windows
        self._voice = voice
        self._pace = pace
        self._rest_rms = 0.0
        self._unvoiced = 0  # windows in a row

    def is_at_rest(self, rms: float) -> bool:
        """Whether a window of this loudness needs no detector; what it holds is taken to be no voice."""
        if self._unvoiced < self._sure_windows:
            return False
        return rms <= SILENT_RMS or self._rest_rms / self._factor < rms < self._rest_rms * self._factor

    def learn(self, rms: float, probability: float) -> None:
        """What a window has turned out to be; 0 for one that was passed over."""
        if probability >= self._voice:
            self._unvoiced = 0
            return
        self._unvoiced += 1
        self._rest_rms += self._pace * (rms - self._rest_rms)


def loudness(ulaw: bytes) -> float:
    """The RMS of μ-law audio, in steps of a 16-bit sample."""
    return audioop.rms(mulaw.decode(ulaw), 2)
