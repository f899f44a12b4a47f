"""Words for a network: one vocabulary of subwords for all languages (byte-pair encoding).

The subwords are learned by SentencePiece on the text of all languages together, so that names,
numbers and cognates share them: this is what anchors the languages to each other in XLM. Whatever
is no learned subword is spelled in bytes, so that no text is unknown. Control symbols (`<mask>`,
`</s>`, ...) never come from text: a sentence that holds these letters holds just letters.
"""

from __future__ import annotations

import hashlib
import io
import json
import unicodedata
from collections.abc import Mapping, Sequence

import sentencepiece
import torch
from torch import Tensor

PAD, BOS, EOS, UNK, MASK = range(5)  # ids of the control symbols
SPECIAL = 5  # the ids from here on stand for text: first the 256 bytes, then subwords
SUBWORDS = SPECIAL + 256


class Vocabulary:
    """Subwords of several languages; see `Vocabulary.train`.

    Attributes:
        languages: their names, in the order of training.
    """

    def __init__(self, pieces: bytes, seen: Mapping[str, Tensor]) -> None:
        """Take a SentencePiece model, and the tokens (V,) that occur in each language's text."""
        self.languages: tuple[str, ...] = tuple(seen)
        self._model, self._seen = pieces, dict(seen)
        self._pieces = sentencepiece.SentencePieceProcessor(model_proto=pieces)

    @classmethod
    def train(cls, sentences: Mapping[str, Sequence[str]], size: int) -> Vocabulary:
        """Learn at most `size` tokens on text of several languages; the same text, the same tokens.

        Args:
            sentences: language -> its sentences. Give the languages about equally much text.
            size: of the vocabulary, control symbols and bytes included; small text fills less.

        Raises:
            ValueError: no text, text that is not Unicode, or a size too small for its letters.
        """
        text = {language: normalised(lines) for language, lines in sentences.items()}
        empty = [language for language, lines in text.items() if not any(lines)]
        if empty or not text:
            raise ValueError(
                f"there is no text to learn from in {', '.join(empty) or 'any language'}; "
                f"give at least one sentence of every language"
            )
        model = _learn([line for lines in text.values() for line in lines], size)
        raw = cls(model, {language: torch.empty(0) for language in text})
        return cls(model, {language: raw._occurring(lines) for language, lines in text.items()})

    def __len__(self) -> int:
        return self._pieces.get_piece_size()

    def encode(self, sentences: Sequence[str]) -> list[list[int]]:
        """Token ids of every sentence: no BOS, EOS last, so that an empty line is [EOS].

        `decode` undoes it, up to `normalised`.

        Raises ValueError for text that is not Unicode.
        """
        pieces = self._pieces.encode(normalised(sentences), num_threads=1)
        return [[*row, EOS] for row in pieces]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """The text of token ids; control symbols have none, bytes beside UTF-8 give U+FFFD."""
        return [self._pieces.decode(list(row)) for row in ids]

    def allowed(self, language: str) -> Tensor:
        """Tokens (V,) that a text of `language` may hold: those of its own text, bytes and EOS.

        Control characters among the bytes (a line feed would end a line) count only if seen.

        Raises ValueError for an unknown language.
        """
        if language not in self._seen:
            raise ValueError(
                f"unknown language {language!r}; this vocabulary has {', '.join(self.languages)}"
            )
        found = self._seen[language].clone()
        found[SPECIAL + 32 : SUBWORDS] = True
        found[EOS] = True
        return found

    def starts(self) -> Tensor:
        """Tokens (V,) that begin a word."""
        pieces = [self._pieces.id_to_piece(i) for i in range(len(self))]
        return torch.tensor([piece.startswith("▁") for piece in pieces])

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """How the tokens are written, the beginning of a word marked by ▁."""
        return [self._pieces.id_to_piece(int(i)) for i in ids]

    def to_bytes(self) -> Tensor:
        """All of it as a uint8 tensor, to be stored beside a model's weights."""
        seen = {
            k: [i for i, known in enumerate(v.tolist()) if known] for k, v in self._seen.items()
        }
        head = json.dumps(seen).encode()
        content = len(head).to_bytes(8, "little") + head + self._model
        return torch.frombuffer(bytearray(content), dtype=torch.uint8)

    @classmethod
    def from_bytes(cls, content: Tensor) -> Vocabulary:
        """The vocabulary that `to_bytes` stored.

        Raises ValueError if it is none.
        """
        raw = content.cpu().numpy().tobytes()
        end = 8 + int.from_bytes(raw[:8], "little")
        try:
            seen, model = json.loads(raw[8:end]), raw[end:]
            size = sentencepiece.SentencePieceProcessor(model_proto=model).get_piece_size()
            return cls(model, {language: _mask(ids, size) for language, ids in seen.items()})
        except (ValueError, RuntimeError, AttributeError, IndexError) as error:
            raise ValueError(
                f"these {len(raw)} bytes are no vocabulary; store what Vocabulary.to_bytes gives"
            ) from error

    def digest(self) -> str:
        """SHA-256 (hex) that tells this vocabulary from any other one."""
        return hashlib.sha256(self.to_bytes().numpy().tobytes()).hexdigest()

    def _occurring(self, sentences: Sequence[str]) -> Tensor:
        rows = self._pieces.encode(list(sentences), num_threads=1)
        return _mask(sorted({i for row in rows for i in row}), len(self))


def normalised(sentences: Sequence[str]) -> list[str]:
    """Sentences in Unicode's composed form (NFC), without a byte order mark.

    The sign ▁, by which subwords mark the beginning of a word, becomes the space it stands for.

    Raises ValueError for a sentence with half a character (a file that was not read as UTF-8).
    """
    if isinstance(sentences, str):
        raise ValueError(f"{sentences[:20]!r} is one sentence; give a list of sentences")
    for i, sentence in enumerate(sentences):
        try:
            sentence.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"sentence {i + 1} holds {sentence[error.start]!r}, which is no character; "
                f"convert the text to UTF-8"
            ) from error
    plain = (s.removeprefix("\ufeff").replace("▁", " ") for s in sentences)
    return [unicodedata.normalize("NFC", s) for s in plain]


def _learn(sentences: Sequence[str], size: int) -> bytes:
    """A SentencePiece model: byte-pair encoding that leaves the text as it is."""
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=model,
            vocab_size=size,
            hard_vocab_limit=False,
            model_type="bpe",
            normalization_rule_name="identity",  # the default one rewrites text, and is 240 KB
            remove_extra_whitespaces=False,
            byte_fallback=True,
            control_symbols=["<mask>"],  # as a user-defined symbol it would be found in text
            pad_id=PAD,
            bos_id=BOS,
            eos_id=EOS,
            unk_id=UNK,
            max_sentence_length=1 << 20,  # bytes; longer ones are left out
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise ValueError(
            f"no vocabulary of {size} tokens can be learned from this text: control symbols and "
            f"bytes take {SUBWORDS}, then every common letter takes one; ask for more"
        ) from error
    return model.getvalue()


def _mask(ids: Sequence[int], size: int) -> Tensor:
    mask = torch.zeros(size, dtype=torch.bool)
    mask[torch.tensor(ids, dtype=torch.long)] = True
    return mask
