"""Any encoder-decoder of Hugging Face's transformers, opened for cooling (the extra `hf`).

Its `generate` takes an encoder's output as well as a sentence, and what an embedding layer says can
be replaced: two places to cool, whatever the architecture. Points that nobody moved give the very
translation that `model.generate` gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain_translation.language.batches import by_length
from domain_translation.language.translator import Points
from domain_translation.sampling.inputs import evaluating


class HuggingFaceTranslator:
    """A translator made of a model and its tokenizer. A blank line stays blank.

    The model is used as it is, in evaluation mode, and left as it was. Points are float32 whatever
    the model's precision.

    Args:
        model: an encoder-decoder (Marian, M2M100, NLLB, BART, T5, ...).
        tokenizer: its tokenizer.
        source, target: languages, in the words of a tokenizer of many ("en", "eng_Latn"); leave
            them out for a model of one direction.
        prefix: what every sentence starts with, e.g. "translate English to French: " for T5.
        beam: prefixes kept in the search; 1 is the greedy one.
        limit: most tokens of a translation; None is 10 + 1.5 times its sentence.
        options: of `generate`, beyond these, e.g. ``length_penalty=0.6``.

    Raises:
        ValueError: no encoder-decoder, a beam or limit below 1, a language that the tokenizer does
            not know.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        source: str | None = None,
        target: str | None = None,
        *,
        prefix: str = "",
        beam: int = 1,
        limit: int | None = None,
        **options: Any,
    ) -> None:
        if not getattr(model.config, "is_encoder_decoder", False):
            raise ValueError(
                f"a {type(model).__name__} has no encoder to cool after; give an encoder-decoder "
                f"such as Marian, M2M100, BART or T5"
            )
        if beam < 1 or (limit is not None and limit < 1):
            raise ValueError(f"beam {beam} and limit {limit} tokens; give 1 or more")
        self.model, self.tokenizer, self.source, self.prefix = model, tokenizer, source, prefix
        self.limit = limit
        self.options = {"do_sample": False, "num_beams": beam, **options}
        if source is not None:
            _language_id(tokenizer, source)
        if target is not None:
            self.options["forced_bos_token_id"] = _language_id(tokenizer, target)

    def embed(self, sentences: Sequence[str]) -> list[Points]:
        """Word embeddings (B, n, d) of sentences of n tokens, n increasing: L-Cool-Input's space.

        Raises ValueError for a sentence that is too long, by its number.
        """
        ids, most = self._encode(sentences), _positions(self.model.config)
        for i, row in enumerate(ids):
            if most is not None and len(row) > most:
                raise ValueError(
                    f"sentence {i + 1} has {len(row)} tokens; this model takes at most {most}: "
                    f"split it"
                )
        with torch.no_grad(), evaluating(self.model):
            return [
                Points(self._words(torch.tensor([ids[i] for i in rows])), rows)
                for _, rows in sorted(by_length(ids).items())
            ]

    def code(self, points: Points) -> Points:
        """The encoder's output (B, n, d) for word embeddings (B, n, d): L-Cool-Feature's space.

        What the model does to its embeddings (scale, positions, normalisation) is still done.
        """
        encoder, x = self.model.get_encoder(), points.x.to(self._like)
        # Some models scale embeddings only if they looked them up themselves, so they do: ids that
        # stand for nothing but "no padding", and an embedding layer that answers with the points.
        ids = torch.full(x.shape[:2], int(self.model.config.pad_token_id == 0), device=x.device)
        told = encoder.get_input_embeddings().register_forward_hook(lambda *_: x)
        try:
            with torch.no_grad(), evaluating(self.model):
                states = encoder(input_ids=ids, attention_mask=torch.ones_like(ids))
        finally:
            told.remove()
        return points._replace(x=states.last_hidden_state.float())

    def decode(self, codes: Sequence[Points]) -> list[str]:
        """The translations of all sentences, in the order of the text."""
        lines = [""] * sum(len(group.rows) for group in codes)
        for group in codes:
            found = self.tokenizer.batch_decode(self._generate(group), skip_special_tokens=True)
            for row, line in zip(group.rows, found, strict=True):
                lines[row] = line
        return lines

    def translate(self, sentences: Sequence[str]) -> list[str]:
        """A translation of every sentence; see `embed` for what is refused."""
        full = [i for i, sentence in enumerate(sentences) if sentence.strip()]
        groups = self.embed([sentences[i] for i in full]) if full else []
        found = dict(zip(full, self.decode([self.code(group) for group in groups]), strict=True))
        return [found.get(i, "") for i in range(len(sentences))]

    def nll(self, codes: Points) -> Tensor:
        """-log p of the translation of each sentence, in nats per token that is not forced (B,)."""
        ids = self._generate(codes)
        with torch.no_grad(), evaluating(self.model):
            logits = self.model(**self._encoded(codes), decoder_input_ids=ids[:, :-1]).logits
        log_p = logits.float().log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
        ends = torch.isin(ids[:, 1:], torch.tensor(self._ends(), device=ids.device))
        real = ends.cumsum(1) - ends.long() == 0  # up to the first end mark, and with it
        default = self.model.generation_config.forced_bos_token_id
        if self.options.get("forced_bos_token_id", default) is not None:
            real[:, 0] = False
        return -(log_p * real).sum(1) / real.sum(1)

    @property
    def _like(self) -> Tensor:
        """A parameter of the device and precision that the model works in."""
        return next(self.model.parameters())

    def _words(self, ids: Tensor) -> Tensor:
        words = self.model.get_encoder().get_input_embeddings()
        return words(ids.to(self._like.device)).float()

    def _encode(self, sentences: Sequence[str]) -> list[list[int]]:
        lines = [self.prefix + sentence for sentence in sentences]
        with _source(self.tokenizer, self.source):
            return [list(row) for row in self.tokenizer(lines)["input_ids"]]

    def _encoded(self, codes: Points) -> dict[str, Any]:
        """What stands for a sentence that the encoder has read."""
        outputs = _transformers().modeling_outputs.BaseModelOutput(codes.x.to(self._like))
        mask = torch.ones(codes.x.shape[:2], dtype=torch.long, device=self._like.device)
        return {"encoder_outputs": outputs, "attention_mask": mask}

    def _generate(self, codes: Points) -> Tensor:
        n = codes.x.shape[1]
        limit = 10 + n + n // 2 if self.limit is None else self.limit
        with torch.no_grad(), evaluating(self.model):
            return self.model.generate(
                **self._encoded(codes), **{"max_new_tokens": limit, **self.options}
            )

    def _ends(self) -> list[int]:
        end = self.model.config.eos_token_id
        return list(end) if isinstance(end, list) else [end]


def load_huggingface(folder: Path | str, *languages: str, **settings: Any) -> HuggingFaceTranslator:
    """The translator in a local folder, as `save_pretrained` writes it; nothing is downloaded.

    Args:
        folder: with the model and its tokenizer.
        languages, settings: see `HuggingFaceTranslator`.

    Raises:
        ValueError: no such folder, or no encoder-decoder and tokenizer in it.
        ImportError: transformers is not installed.
    """
    path = Path(folder)
    if not path.is_dir():
        raise ValueError(
            f"{str(folder)!r} is no folder; models are read from a local folder, written by "
            f"save_pretrained, and never downloaded by their name"
        )
    library = _transformers()
    try:
        model = library.AutoModelForSeq2SeqLM.from_pretrained(path, local_files_only=True)
        tokenizer = library.AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} holds no encoder-decoder with its tokenizer: {reason}") from error
    return HuggingFaceTranslator(model, tokenizer, *languages, **settings)


def _transformers() -> Any:
    """The library, which takes seconds to import: only where it is needed."""
    try:
        import transformers
        import transformers.modeling_outputs
    except ImportError as error:
        raise ImportError(
            "models of Hugging Face need the package transformers: "
            "pip install 'domain-translation[hf]'"
        ) from error
    return transformers


@contextmanager
def _source(tokenizer: Any, language: str | None) -> Iterator[None]:
    """A tokenizer that reads `language` for a while."""
    if language is None:
        yield
        return
    before = tokenizer.src_lang
    tokenizer.src_lang = language
    try:
        yield
    finally:
        tokenizer.src_lang = before


def _language_id(tokenizer: Any, language: str) -> int:
    """The token of a language, in a tokenizer of many languages."""
    if not hasattr(tokenizer, "src_lang"):
        raise ValueError(
            f"this tokenizer knows no languages, but {language!r} was given; leave languages out "
            f"for a model of one direction"
        )
    try:
        if hasattr(tokenizer, "get_lang_id"):
            return int(tokenizer.get_lang_id(language))
        found = int(tokenizer.convert_tokens_to_ids(language))
    except KeyError:
        found = tokenizer.unk_token_id
    if found == tokenizer.unk_token_id:
        raise ValueError(f"the tokenizer does not know the language {language!r}")
    return found


def _positions(config: Any) -> int | None:
    """Tokens of the longest sentence; None where positions have no end (T5)."""
    most = getattr(config, "max_position_embeddings", None)
    return None if most is None else int(most)
