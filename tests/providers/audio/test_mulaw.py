from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.audio import mulaw
from tests.providers.audio.signals import samples

ALL_CODES = bytes(range(256))
ALL_SAMPLES = b"".join(value.to_bytes(2, "little", signed=True) for value in range(-32768, 32768))


def test_decode_table() -> None:
    table = "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"
    assert sha256(mulaw.decode(ALL_CODES)).hexdigest() == table


def test_encode_table() -> None:
    table = "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a"
    assert sha256(mulaw.encode(ALL_SAMPLES)).hexdigest() == table


def test_every_code_survives_the_round_trip_except_negative_zero() -> None:
    assert mulaw.encode(mulaw.decode(ALL_CODES)) == ALL_CODES.replace(b"\x7f", b"\xff")


def test_silence_is_zero() -> None:
    assert mulaw.decode(mulaw.SILENCE) == b"\0\0"
    assert mulaw.encode(b"\0\0") == mulaw.SILENCE


def pcm16_of(values: list[int]) -> bytes:
    return b"".join(value.to_bytes(2, "little", signed=True) for value in values)


@given(st.lists(st.integers(-32635, 32635)))
def test_the_error_stays_in_proportion(values: list[int]) -> None:
    decoded = samples(mulaw.decode(mulaw.encode(pcm16_of(values))))
    for before, after in zip(values, decoded, strict=True):
        assert abs(before - after) <= 8 + abs(before) / 32


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        mulaw.encode(b"\0\0\0")
