"""Sounds of invented time: speech that carries its own text, so that who hears it hears exactly what got through.

Each character sounds for 60 ms of μ-law, 60 groups of eight bytes: a head, six nibbles of its code point, a tail. The
head of the middle group is another, so that a character counts as heard if its middle was, once however it was cut.
"""

import random
import re
import sys
from dataclasses import dataclass, field

CHARACTER_S = 0.06
_GROUPS = 60
_HEAD, _MIDDLE, _OPENING, _TAIL = 0x00, 0x01, 0x02, 0x90
_NIBBLE = 0x10
_QUIETER = bytes((byte & 0x80) | (byte & 0x7F) + 0x60 if byte & 0x7F < 0x20 else byte for byte in range(256))
"""Turns speech down to where a detector of loudness does not hear it."""
_HEARD = re.compile(rb"([\x01\x02])([\x10-\x1f]{6})\x90|([\x61\x62])([\x70-\x7f]{6})\xf0")
_HOLD_BACK = 7  # bytes of a group that may be continued by the next piece


def speech(text: str, *, quiet: bool = False) -> bytes:
    """Text as 8 kHz μ-law, 60 ms a character."""
    audio = bytearray()
    for place, character in enumerate(text):
        nibbles = bytes(_NIBBLE | ord(character) >> shift & 0xF for shift in (20, 16, 12, 8, 4, 0))
        plain = bytes((_HEAD, *nibbles, _TAIL))
        middle = bytes((_MIDDLE if place else _OPENING, *nibbles, _TAIL))
        audio += plain * (_GROUPS // 2) + middle + plain * (_GROUPS // 2 - 1)
    return quieter(bytes(audio)) if quiet else bytes(audio)


def quieter(audio: bytes) -> bytes:
    """The same, too low for the detector; the words can still be made out. Silence stays as it is."""
    return audio.translate(_QUIETER)


def noise(seconds: float) -> bytes:
    """A loud sound without words, the same each time."""
    source = random.Random(20)  # noqa: S311 - it is to be repeatable, not secret
    return bytes(source.choice(b"\x18\x1c\x98\x9c\x20\xa0") for _ in range(round(seconds * 8000)))


@dataclass(slots=True)
class Reader:
    """Reads text back from the audio it is fed, in any pieces. `pieces` are the stretches that were spoken apart."""

    pieces: list[str] = field(default_factory=list)
    _rest: bytes = b""

    @property
    def text(self) -> str:
        return " ".join(self.pieces)

    def feed(self, ulaw: bytes) -> bool:
        """More audio; True if there was text in it."""
        audio = self._rest + ulaw
        end = 0
        for found in _HEARD.finditer(audio):
            head, nibbles = (found[1], found[2]) if found[1] else (found[3], found[4])
            if head[0] & 0xF == _OPENING or not self.pieces:
                self.pieces.append("")
            code = sum((nibble & 0xF) << 20 - 4 * place for place, nibble in enumerate(nibbles))
            self.pieces[-1] += chr(min(code, sys.maxunicode))
            end = found.end()
        self._rest = audio[max(end, len(audio) - _HOLD_BACK) :]
        return end > 0
