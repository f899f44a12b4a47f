"""Text becomes tokens and text again, and nothing that stands in it is taken for a command."""

from __future__ import annotations

import unicodedata

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from domain_translation.language.vocabulary import (
    BOS,
    EOS,
    MASK,
    PAD,
    SPECIAL,
    SUBWORDS,
    UNK,
    Vocabulary,
    normalised,
)

TEXT = {
    "en": ["Anna reads the book in the garden.", "The hungry dogs sleep in the house."] * 5,
    "fr": ["Anna lit le livre dans le jardin.", "L'été, les chiens dorment à la maison."] * 5,
}
WORDS = Vocabulary.train(TEXT, 330)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_any_text_comes_back(sentence: str) -> None:
    (ids,) = WORDS.encode([sentence])
    assert ids[-1] == EOS
    assert all(i >= SPECIAL for i in ids[:-1])
    assert WORDS.decode([ids]) == normalised([sentence])


@pytest.mark.parametrize("symbol", ["<mask>", "</s>", "<s>", "<pad>", "<unk>", "<0x41>"])
def test_symbols_in_a_text_are_text(symbol: str) -> None:
    (ids,) = WORDS.encode([f"Anna {symbol} reads"])
    assert not {PAD, BOS, UNK, MASK} & set(ids)
    assert ids.count(EOS) == 1
    assert WORDS.decode([ids]) == [f"Anna {symbol} reads"]


def test_control_symbols_have_no_text() -> None:
    (ids,) = WORDS.encode(["Anna reads"])
    assert WORDS.decode([[BOS, *ids, PAD, PAD], [EOS], []]) == ["Anna reads", "", ""]


def test_an_empty_line_is_an_end() -> None:
    assert WORDS.encode([""]) == [[EOS]]


def test_text_is_composed_and_has_no_byte_order_mark() -> None:
    decomposed = unicodedata.normalize("NFD", TEXT["fr"][1])
    assert decomposed != TEXT["fr"][1]
    ids = WORDS.encode(["\ufeff" + decomposed])
    assert ids == WORDS.encode(TEXT["fr"][1:2])
    assert WORDS.decode(ids) == TEXT["fr"][1:2]


def test_words_of_the_text_are_shorter_than_their_letters() -> None:
    (ids,) = WORDS.encode(TEXT["en"][:1])
    assert len(ids) < len(TEXT["en"][0])
    assert all(i >= SUBWORDS for i in ids[:-1])  # no byte is needed


def test_words_begin_where_spaces_are() -> None:
    (ids,) = WORDS.encode(["The hungry dogs read"])
    assert int(WORDS.starts()[torch.tensor(ids)].sum()) == 4
    assert "".join(WORDS.pieces(ids[:-1])) == "▁The▁hungry▁dogs▁read"


def test_a_language_may_write_its_tokens_bytes_and_the_end() -> None:
    for language, other in (("en", "fr"), ("fr", "en")):
        may = WORDS.allowed(language)
        own = torch.tensor(sorted({i for row in WORDS.encode(TEXT[language]) for i in row}))
        foreign = torch.tensor(sorted({i for row in WORDS.encode(TEXT[other]) for i in row}))
        assert may[own].all()
        assert not may[foreign].all()
        assert may[SPECIAL + 32 : SUBWORDS].all()
        assert may[EOS]
        assert not may[[PAD, BOS, UNK, MASK]].any()
        assert not may[SPECIAL + ord("\n")]
        assert int(may[SUBWORDS:].sum()) == int((own >= SUBWORDS).sum())


def test_the_same_text_gives_the_same_vocabulary() -> None:
    again, other = Vocabulary.train(TEXT, 330), Vocabulary.train(TEXT, 331)
    assert again.digest() == WORDS.digest() != other.digest()
    assert len(WORDS) == 330
    assert len(Vocabulary.train(TEXT, 5000)) < 1000  # there is not more to learn


def test_a_vocabulary_is_stored_whole() -> None:
    stored = WORDS.to_bytes()
    assert stored.dtype == torch.uint8
    back = Vocabulary.from_bytes(stored)
    assert back.digest() == WORDS.digest()
    assert back.languages == ("en", "fr")
    assert back.encode(TEXT["fr"]) == WORDS.encode(TEXT["fr"])
    for language in WORDS.languages:
        assert torch.equal(back.allowed(language), WORDS.allowed(language))


@pytest.mark.parametrize("content", [b"", b"1234567", b"\x02" + b"\x00" * 7 + b"{}nothing"])
def test_other_bytes_are_no_vocabulary(content: bytes) -> None:
    with pytest.raises(ValueError, match="are no vocabulary"):
        Vocabulary.from_bytes(torch.tensor(list(content), dtype=torch.uint8))


def test_bad_text_is_refused_in_a_sentence() -> None:
    half = b"caf\xe9".decode("utf-8", "surrogateescape")
    with pytest.raises(ValueError, match=r"sentence 2 holds .* convert the text to UTF-8"):
        WORDS.encode(["Anna", half])
    with pytest.raises(ValueError, match="give a list of sentences"):
        WORDS.encode("Anna")
    with pytest.raises(ValueError, match="unknown language 'de'; this vocabulary has en, fr"):
        WORDS.allowed("de")
    with pytest.raises(ValueError, match="no text to learn from in fr"):
        Vocabulary.train({"en": TEXT["en"], "fr": [""]}, 330)
    with pytest.raises(ValueError, match="no text to learn from in any language"):
        Vocabulary.train({}, 330)
    with pytest.raises(ValueError, match="no vocabulary of 262 tokens"):
        Vocabulary.train(TEXT, 262)
