"""Protobuf by field numbers and nothing else, so that a fake does not share the mistakes of what it is to check."""

import struct
from collections.abc import Iterator

type Value = int | float | bytes


def message(**fields: "str | bytes | float | list[bytes]") -> bytes:
    """A message of fields named by their numbers, as `_1=…`; ints and bools are varints, floats are of 32 bits."""
    return b"".join(_field(int(name[1:]), value) for name, value in fields.items())


def fields(data: bytes) -> dict[int, list[Value]]:
    """The values of a message by the numbers of their fields; submessages and strings are bytes."""
    found: dict[int, list[Value]] = {}
    for number, value in _values(data):
        found.setdefault(number, []).append(value)
    return found


def _field(number: int, value: str | bytes | float | list[bytes]) -> bytes:
    match value:
        case list():
            return b"".join(_field(number, item) for item in value)
        case str():
            return _field(number, value.encode())
        case bytes():
            return _varint(number << 3 | 2) + _varint(len(value)) + value
        case int():
            return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 5) + struct.pack("<f", value)


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _values(data: bytes) -> Iterator[tuple[int, Value]]:
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        match key & 7:
            case 0:
                yield key >> 3, varint()
            case 2:
                size = varint()
                yield key >> 3, data[at : at + size]
                at += size
            case 5:
                yield key >> 3, struct.unpack_from("<f", data, at)[0]
                at += 4
            case other:
                raise ValueError(f"wire type {other} is not known here")
