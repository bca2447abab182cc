"""G.711 μ-law, the telephone's own encoding: one byte a sample, 8000 samples a second."""

import audioop

RATE_HZ = 8000
SILENCE = b"\xff"  # one sample of positive zero; a line at rest may as well carry 0x7F


def encode(pcm16: bytes) -> bytes:
    """PCM16 little-endian to μ-law, half as many bytes. Raises `ValueError` for half a sample.

    The encoder is CPython's: it drops two bits arithmetically before it encodes, so that 381 of the negative inputs
    round to the neighbour of the code that the tables of ITU-T G.711 give.
    """
    if len(pcm16) % 2:
        raise ValueError(f"{len(pcm16)} bytes are not a whole number of 16-bit samples")
    return audioop.lin2ulaw(pcm16, 2)


def decode(ulaw: bytes) -> bytes:
    """μ-law to PCM16 little-endian, twice as many bytes; every byte has a meaning (ITU-T G.711)."""
    return audioop.ulaw2lin(ulaw, 2)
