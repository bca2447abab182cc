"""YAML files made into pydantic models, with errors that name the file, the line and the field."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, SequenceNode

from providers.errors import OffhookError

_Loader: type[yaml.BaseLoader] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""libyaml's, where PyYAML was built with it: twenty times as quick."""


class InvalidFile(OffhookError, ValueError):  # noqa: N818 - it names what was given
    """A file that cannot be read as what it should hold. `problems` has all that was found, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def load_yaml[M: BaseModel](model: type[M], path: Path, context: object = None) -> M:
    """Read a file as `model`, whose validators are given `context`. Raises `InvalidFile`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile([f"cannot read {path}: {error}"]) from error
    return parse_yaml(model, text, str(path), context)


def parse_yaml[M: BaseModel](model: type[M], text: str, source: str, context: object = None) -> M:
    """As `load_yaml`, from the text of the file; `source` is its name in errors. Raises `InvalidFile`.

    Every scalar stays text until its field says otherwise: YAML's own guesses turn +39… into a number and `no` into
    a truth value.
    """
    try:
        node, value = _read(text)
    except (yaml.YAMLError, UnicodeEncodeError) as error:  # the latter of text with half a character in it
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InvalidFile([f"{source}{line}: {getattr(error, 'problem', error)}"]) from None
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        raise InvalidFile([_problem(detail, node, source) for detail in error.errors()]) from None


def _read(text: str) -> tuple[Node | None, object]:
    """The document as it stands in the file, with its lines, and its value, made of str, list and dict only."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _problem(detail: Mapping[str, object], node: Node | None, source: str) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    location = detail["loc"]
    assert isinstance(location, tuple)  # noqa: S101 - pydantic's own type is wider than what it gives
    if node is None:
        return f"{source}: {message}"
    line, path = node.start_mark.line + 1, list[int | str]()
    for depth, (part, found) in enumerate(_walk(node, location), start=1):
        line = found or line
        if found or depth == len(location):  # pydantic also names the member of a union, which is no field
            path.append(part)
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    place = f"{source}, line {line}"
    return f"{place}: {field}: {message}" if field else f"{place}: {message}"


def _walk(node: Node, location: tuple[int | str, ...]) -> Iterator[tuple[int | str, int | None]]:
    """The parts of `location`, each with its line, counted from 1, or None for what the file does not have."""
    for part in location:
        found: tuple[Node, Node] | None = None
        if isinstance(node, MappingNode):
            found = next((pair for pair in node.value if pair[0].value == part), None)
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = (node.value[part], node.value[part])
        if found is None:
            yield part, None
        else:
            node = found[1]
            yield part, found[0].start_mark.line + 1
