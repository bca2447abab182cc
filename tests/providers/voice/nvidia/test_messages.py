"""The generated messages are those of `speech.proto`: after a change there, run `make protobuf`."""

import re
from pathlib import Path

from providers.voice.nvidia import speech_pb2

SOURCE = (Path(speech_pb2.__file__).parent / "speech.proto").read_text()


def test_the_generated_messages_are_those_of_the_source() -> None:
    written = {
        name: {(field, int(number)) for field, number in re.findall(r"(\w+) = (\d+);", body)}
        for name, body in re.findall(r"^message (\w+) {\n(.*?)^}", SOURCE, re.MULTILINE | re.DOTALL)
    }
    generated = {
        name: {(field.name, field.number) for field in message.fields}
        for name, message in speech_pb2.DESCRIPTOR.message_types_by_name.items()
    }
    assert written == generated
