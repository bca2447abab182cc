"""From Whisper's tokens to text: the byte-level alphabet of GPT-2's tokenizer, undone."""

from collections.abc import Iterable


def text_of(tokens: Iterable[str]) -> str:
    """The text of tokens as the vocabulary spells them; special ones (`<|…|>`) are left out.

    Bytes that are not UTF-8, as at the end of a cut sequence, become U+FFFD.
    """
    spelled = "".join(token for token in tokens if not (token.startswith("<|") and token.endswith("|>")))
    return b"".join(_BYTES.get(letter, letter.encode()) for letter in spelled).decode("utf-8", "replace").strip()


def _alphabet() -> dict[str, bytes]:
    """GPT-2 writes printable Latin-1 bytes as themselves, the others as the code points from 256 up, in order."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in printable)
    return {chr(byte): bytes([byte]) for byte in printable} | {
        chr(256 + index): bytes([byte]) for index, byte in enumerate(others)
    }


_BYTES = _alphabet()
