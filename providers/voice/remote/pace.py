"""How fast a service takes audio: for those that refuse what comes faster than it was spoken."""


class Pace:
    """Real time, and `lead_s` of audio ahead of it: what was saved up before, such as the onset of an utterance.

    `rate`: seconds of audio a second. A leaky bucket in the form of the generic cell rate algorithm (ITU-T I.371): one
    instant says when all that was sent will have been spoken. Time comes in as `now`.
    """

    def __init__(self, lead_s: float, rate: float = 1.0) -> None:
        self._rate = rate
        self._ahead_s = lead_s / rate
        self._spoken_at = 0.0

    def wait_s(self, audio_s: float, now: float) -> float:
        """Count so much audio as sent, and return how long to wait before it is."""
        self._spoken_at = max(self._spoken_at, now) + audio_s / self._rate
        return max(0.0, self._spoken_at - now - self._ahead_s)
