"""What a telephone makes of speech, and how much of it was understood."""

import re

import audioop
import numpy as np

from tests.providers.voice.local.sounds import Wave, noise, pcm, silence, wave_of

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS)}


def over_the_phone(audio_24k: bytes, *, snr_db: float | None = None) -> bytes:
    """PCM16 at 24 kHz as it arrives after 8 kHz μ-law, at 16 kHz, in noise if asked; with the room round it."""
    line = np.concatenate([silence(0.3, 8000), resampled(wave_of(audio_24k), 24000, 8000), silence(0.5, 8000)])
    if snr_db is not None:
        line = line + noise(len(line) / 8000, -21.5 - snr_db, pink=True, rate=8000)
    ulaw = audioop.lin2ulaw(pcm(line), 2)
    return pcm(resampled(wave_of(audioop.ulaw2lin(ulaw, 2)), 8000, 16000))


def resampled(wave: Wave, rate: int, to: int) -> Wave:
    """All at once, by cutting or filling the spectrum; nothing above 3.6 kHz passes."""
    length = round(len(wave) * to / rate)
    spectrum = np.fft.rfft(wave)
    spectrum[np.fft.rfftfreq(len(wave), 1 / rate) > 3600] = 0
    bins = np.zeros(length // 2 + 1, complex)
    shared = min(len(bins), len(spectrum))
    bins[:shared] = spectrum[:shared]
    return (np.fft.irfft(bins, length) * length / len(wave)).astype(np.float32)


def normalised(text: str) -> list[str]:
    """Words in lower case without punctuation, numbers as digits, digits that follow one another as one word."""
    found: list[str] = []
    for word in re.findall(r"[a-z0-9']+", re.sub(r"(?<=\d)[-,. ](?=\d)", "", text.lower()).replace("'", "")):
        word = _DIGITS.get(word, word)
        if word.isdigit() and found and found[-1].isdigit():
            found[-1] += word
        else:
            found.append(word)
    return found


def errors(reference: list[str], heard: list[str]) -> int:
    """Words to insert, delete or replace to get from one to the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for index, expected in enumerate(reference, 1):
        previous, row[0] = row[0], index
        for column, word in enumerate(heard, 1):
            previous, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, previous + (word != expected)),
            )
    return row[-1]
