"""Sentences found in streams, however the stream is cut, and thoughts taken out of it."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sentences import FIRST_CLAUSE, LONGEST, SentenceSplitter, ThoughtFilter

# Text with more than its share of everything that makes sentences hard to find.
WORDS = ["Dr.", "St.", "p.m.", "e.g.", "etc.", "J.", "3.50", "1.", "No.", "...", "Yes.", "why?", "so!", "(or)", '"Hi."']
WORDS += [
    "we",
    "Open,",
    "at:",
    "—",
    "https://a.com/x.y?z=1",
    "**Bold.**",
    "最高。はい",
    "\n",
    "- ",
    "😊",
    "supercalifragilistic",
]
texts = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join) | st.text(max_size=600)


def split(tokens: Iterable[str]) -> list[str]:
    splitter = SentenceSplitter()
    return [piece for token in tokens for piece in splitter.feed(token)] + splitter.finish()


def chunks(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["We are open.", "Come in!", "Will you?", "Yes."],
        ["Ask Dr. Smith or Mrs. Jones.", "They know."],
        ["We close at 10 p.m. on Sundays.", "Come at 7 p.m.", "We wait."],
        ["It costs $3.50, e.g. on Mondays.", "Yes."],
        ["Well... let me see.", "Yes."],
        ["J. R. Smith is in.", "He waits at St. Mary's."],
        ["See https://a.com/menu.html?day=1 for more.", "Bye."],
        ['She said "Stop."', "He did (at once.)", "**Good.**", "So?!", "Yes."],
        ["Take no. 5, not no. 6.", "Oh no.", "We do not."],
        ["1. Pizza", "2. Pasta", "- Wine", "That is all."],
        ["It is on Main St. near us."],
        ["最高。", "はい！", "Yes."],
    ],
)
def test_sentences_are_found(sentences: list[str]) -> None:
    joined = "\n".join(sentences) if sentences[0].startswith("1.") else " ".join(sentences)
    assert split([joined]) == sentences


def test_a_sentence_comes_with_the_space_after_it() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("We are open.") == []
    assert splitter.feed(" ") == ["We are open."]
    assert splitter.finish() == []


def test_the_first_piece_may_be_a_clause_and_no_other() -> None:
    clause = "We are open from noon until ten at night,"
    assert len(clause) >= FIRST_CLAUSE
    assert split([f"{clause} {clause} yes."]) == [clause, f"{clause} yes."]
    assert split(["Yes, we are."]) == ["Yes, we are."]


def test_text_without_marks_is_cut_at_words_and_clauses() -> None:
    assert all(piece.split() == ["word"] * len(piece.split()) for piece in split(["word " * 200]))
    pieces = split(["Yes. " + "word " * 20 + "word, " + "word " * 60])
    assert pieces[1].endswith("word,")
    assert [len(piece) for piece in split(["x" * (LONGEST + 10)])] == [LONGEST, 10]


@given(texts, st.lists(st.integers(0, 10_000), max_size=30))
def test_how_the_stream_is_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    assert split(chunks(text, cuts)) == split([text])


@given(texts)
def test_nothing_is_lost_and_nothing_is_long(text: str) -> None:
    pieces = split([text])
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(piece == piece.strip() and 0 < len(piece) <= LONGEST for piece in pieces)


def test_a_splitter_can_be_used_again() -> None:
    splitter = SentenceSplitter()
    splitter.feed("We are")
    assert splitter.finish() == ["We are"]
    clause = "We are open from noon until ten at night,"
    assert splitter.feed(clause + " ") == [clause]


def said(tokens: Iterable[str]) -> str:
    thoughts = ThoughtFilter()
    return "".join([thoughts.feed(token) for token in tokens]) + thoughts.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>Hm.</think>Yes.", "Yes."),
        ("No. <think>Or?</think> Yes.<think></think>", "No.  Yes."),
        ("<think>Never to end", ""),
        ("a < b <thin", "a < b <thin"),
        ("<<think>x</think>>", "<>"),
        ("</think>", "</think>"),
    ],
)
def test_thoughts_are_taken_out(text: str, expected: str) -> None:
    assert said([text]) == said(text) == expected


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<", "th", ">", " a"])).map("".join), st.lists(st.integers(0, 99))
)
def test_how_thoughts_are_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    assert said(chunks(text, cuts)) == said([text])


def test_words_are_not_held_back() -> None:
    thoughts = ThoughtFilter()
    assert thoughts.feed("Yes <") == "Yes "
    assert thoughts.feed("3") == "<3"
