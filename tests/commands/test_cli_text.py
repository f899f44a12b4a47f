"""The two commands for one's own sentences: tables, references, models of both kinds, bad files."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pretend
import pytest
import torch
from torch import Tensor

from domain_translation import cli, runtime
from domain_translation.commands import text as command
from domain_translation.cooling.text import cool_text
from domain_translation.cooling.text_files import (
    RequestError,
    UserError,
    cool_file,
    load_denoiser,
    load_translator,
    run,
    table,
    train_denoiser_on_text,
)
from domain_translation.cooling.text_files.chunks import noise_id
from domain_translation.denoising.networks import UNetDenoiser
from domain_translation.denoising.sequences import SequenceDenoiser, sequence_score
from domain_translation.evaluation.text import paired_bleu, paired_chrf
from domain_translation.language import model_file
from domain_translation.language.vocabulary import SUBWORDS, Vocabulary
from domain_translation.language.xlm import XLM, XLMConfig
from domain_translation.training.model_files import load_model, save_model

FRENCH = ["Anna lit.", "Le chien dort.", "Le chien lit le livre.", "Anna dort dans la maison."]
ENGLISH = ["Anna reads.", "The dog sleeps.", "The dog reads the book.", "Anna sleeps at home."]
GERMAN = ["Anna liest.", "Der Hund schläft.", "Der Hund liest das Buch."]
WORDS = Vocabulary.train({"en": ENGLISH, "fr": FRENCH, "de": GERMAN}, 330)
LINES = ["Anna reads.", "The dog sleeps at home.", "The dog reads.", "Été <mask> </s>", "dog"] * 2
NETWORKS = ["--translator", "t.safetensors", "--source", "en", "--denoiser", "d.safetensors"]
FAST = ["--steps", "3", "--step-size", "0.2", "--temperature", "0.01"]


def network(dim: int = 16, vocabulary: Vocabulary = WORDS) -> XLM:
    """An untrained translator whose words and code are far enough apart to make different lines."""
    config = XLMConfig(
        len(vocabulary), vocabulary.languages, dim=dim, heads=2, layers=1, positions=40
    )
    with runtime.seeded(0):
        model = XLM(config)
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1 and "norm" not in name:
                torch.nn.init.normal_(parameter, std=0.5)
    model.source.bias.data[:SUBWORDS] = -20.0  # long lines of letters
    return model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a translator and the denoisers of both of its spaces."""
    folder = tmp_path_factory.mktemp("models")
    model_file.save(folder / "t.safetensors", network(), WORDS, {"directions": ["en-fr", "fr-en"]})
    (folder / "train.en").write_text("\n".join(f"{s} {i}" for i in range(9) for s in ENGLISH))
    loaded = load_translator(folder / "t.safetensors", "en")
    for space, file in (("feature", "d.safetensors"), ("input", "i.safetensors")):
        train_denoiser_on_text(
            [folder / "train.en"], folder / file, loaded, space=space, steps=2, tokens=50, heads=2
        )
    return folder


@pytest.fixture(autouse=True)
def _here(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in models.iterdir():
        shutil.copy(file, tmp_path)
    write("in.en", LINES)


def write(name: str, lines: list[str]) -> None:
    Path(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def cool(*more: str, target: str = "fr", source: str = "in.en") -> int:
    return cli.main(["cool-text", source, "out.tsv", *NETWORKS, "--target", target, *FAST, *more])


def rows(name: str = "out.tsv") -> list[dict[str, str]]:
    head, *lines = [line.split("\t") for line in Path(name).read_text("utf-8").split("\n")[:-1]]
    assert head == ["line", "plain", "cooled", "score", "moved", "changed", "reason"]
    assert [line[0] for line in lines] == [str(i) for i in range(1, len(lines) + 1)]
    return [dict(zip(head, line, strict=True)) for line in lines]


# The table


@pytest.mark.parametrize("space", ["feature", "input"])
def test_the_table_is_what_cool_text_says(space: str) -> None:
    denoiser = "d.safetensors" if space == "feature" else "i.safetensors"
    assert cool("--denoiser", denoiser, "--space", space, "--seed", "5") == 0
    loaded = load_translator("t.safetensors", "en", "fr")
    found = cool_text(
        loaded.translator,
        sequence_score(load_denoiser(denoiser, loaded).network),
        LINES,
        space=space,
        step_size=0.2,
        temperature=0.01,
        steps=3,
        seed=5,
        ids=[noise_id(line) for line in LINES],
    )
    made = rows()
    assert [row["plain"].split() for row in made] == [line.split() for line in found.plain]
    assert [row["cooled"].split() for row in made] == [line.split() for line in found.cooled]
    assert [float(row["score"]) for row in made] == pytest.approx(found.score_rms, rel=1e-4)
    assert [float(row["moved"]) for row in made] == pytest.approx(found.moved, rel=1e-4)
    assert [row["changed"] == "yes" for row in made] == found.changed.tolist()
    assert {row["reason"] for row in made} == {""}
    for first, again in zip(made[:5], made[5:], strict=True):  # the same sentences once more
        assert (first["plain"], first["cooled"]) == (again["plain"], again["cooled"])
        assert float(first["moved"]) == pytest.approx(float(again["moved"]), rel=1e-4)
    assert not Path("out.tsv.part").exists()


@pytest.mark.parametrize("option", ["--share", "--threshold"])
def test_only_the_fringe_is_cooled(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    write("in.en", [*LINES[:5], ""])
    assert cool() == 0
    whole = rows()
    scores = sorted(float(row["score"]) for row in whole[:5])
    Path("out.tsv").unlink()
    value = "0.4" if option == "--share" else str((scores[2] + scores[3]) / 2)
    assert cool(option, value) == 0
    for before, row in zip(whole[:5], rows()[:5], strict=True):
        assert (row["plain"], row["score"]) == (before["plain"], before["score"])
        inside = float(row["score"]) > scores[2]
        assert row["cooled"] == before["cooled" if inside else "plain"]
        assert (float(row["moved"]) > 0) == inside
    assert "5 of 6 lines translated, 1 empty; 2 cooled, 3 spared" in capsys.readouterr().out


def test_files_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    """A mark of the byte order, ends of lines of Windows, accents apart, blank lines: kept."""
    plain = ["Été dog", "", "  ", "Anna reads.", "▁dog"]
    write("in.en", plain)
    assert cool() == 0
    whole = rows()
    content = "\ufeff" + "\r\n".join(["E\u0301te\u0301 dog", *plain[1:]])
    Path("odd.en").write_bytes(content.encode())
    Path("out.tsv").unlink()
    assert cool(source="odd.en") == 0
    assert rows() == whole
    assert [bool(row["plain"]) for row in whole] == [True, False, False, True, True]
    assert whole[1] == {**dict.fromkeys(whole[1], ""), "line": "2"}
    assert "3 of 5 lines translated, 2 empty" in capsys.readouterr().out


def test_a_line_that_fails_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    bad = [b"dog \xe9t\xe9", b"dog \0", b"The dog " * 30, b"x" * 10_001]
    Path("in.en").write_bytes(b"\n".join([b"Anna reads.", *bad, b"dog"]))
    assert cool() == 3
    made = rows()
    reasons = ["", "is not UTF-8", "NUL byte", "it has 6. tokens; this model takes at most 40",
               "10001 characters", ""]  # fmt: skip
    for row, reason in zip(made, reasons, strict=True):
        assert re.search(reason, row["reason"]) if reason else not row["reason"]
        assert bool(row["cooled"]) == (not reason)
    said = capsys.readouterr()
    assert "2 of 6 lines translated, 4 skipped" in said.out
    assert said.err.count("skipped line") == 4
    write("in.en", ["Anna reads.", "dog"])
    Path("out.tsv").rename("with.tsv")
    assert cool() == 0
    alone = rows()
    assert [made[0], {**made[5], "line": "2"}] == alone


def test_a_network_that_gives_up_on_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a chunk failed as a whole: its other lines are done one by one."""
    forward = SequenceDenoiser.forward

    def failing(self: SequenceDenoiser, x: Tensor) -> Tensor:
        if x.shape[1] == len(WORDS.encode([LINES[1]])[0]):
            raise RuntimeError("out of memory\nand more")
        return forward(self, x)

    write("in.en", LINES[:3])
    monkeypatch.setattr(SequenceDenoiser, "forward", failing)
    assert cool() == 3
    assert [row["reason"] for row in rows()] == ["", "out of memory", ""]
    assert rows()[0]["cooled"]
    write("in.en", [LINES[1]] * 2)
    Path("out.tsv").unlink()
    assert cool() == 1
    assert not list(Path().glob("out.tsv*"))


# References


def test_references(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines count that have a sentence, a translation and a reference."""
    Path("in.en").write_bytes("\n".join(LINES[:4]).encode() + b"\n\ndog \0\ndog\n")
    assert cool() == 3
    made = rows()
    wanted = [row["plain"] or "a b" for row in made[:6]]
    write("ref.fr", [*wanted, ""])
    Path("out.tsv").unlink()
    capsys.readouterr()
    assert cool("--reference", "ref.fr") == 3
    said = capsys.readouterr().out
    assert "chrF of 4 lines: plain 100.00" in said
    used = [(row["plain"], row["cooled"], ref) for row, ref in zip(made, wanted, strict=False)][:4]
    for name, paired in (("BLEU", paired_bleu), ("chrF", paired_chrf)):
        plain, cooled, refs = ([*column] for column in zip(*used, strict=True))
        score = paired(plain, cooled, refs)
        assert (
            f"{name} of 4 lines: plain {score.plain:.2f}, cooled {score.cooled:.2f}, difference "
            f"{score.difference:+.2f} [{score.low:+.2f}, {score.high:+.2f}], p = {score.p:.3f} "
            f"({score.signature})" in said
        )


def test_tokenised_references_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    write("in.en", ["dog", "Anna"])
    write("ref.fr", ["Le chien .", "Anna ."])
    assert cool("--reference", "ref.fr") == 0
    assert "2 of 2 references end in ' .', as tokenised text does" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("references", "said"),
    [
        (["a"] * 9, "in.en has 10 lines and the reference ref.fr 9; give one reference for each"),
        (["a"] * 9 + ["a\tb"], "ref.fr, line 10 holds a list of references; give one reference a"),
        (['["a", "b"]'] + ["[a]"] * 9, "ref.fr, line 1 holds a list of references"),
        ([""] * 10, "ref.fr holds no sentence"),
    ],
)
def test_references_that_do_not_fit(
    references: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write("ref.fr", references)
    assert cool("--reference", "ref.fr") in (1, 2)
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(Path().glob("out.tsv*"))


# Requests


@pytest.mark.parametrize(
    ("more", "said", "status"),
    [
        (["--target", "en"], "source and target are both 'en'; give two languages", 2),
        (["--target", "es"], "unknown language 'es'; this model has en, fr, de", 2),
        (["--source", "xx"], "unknown language 'xx'", 2),
        (["--target", "de"], "no step of the training of t.safetensors went from en to de; it was "
         "trained en to fr, fr to en", 2),
        (["--temperature", "1"], "give 0 <= temperature < 1", 2),
        (["--step-size", "0"], "step", 2),
        (["--share", "0"], "in (0, 1]", 2),
        (["--threshold", "-1"], "0 or larger", 2),
        (["--beam", "0"], "beam is 0", 2),
        (["--seed", "-1"], "seed -1", 2),
        (["--device", "abacus"], "'abacus'", 2),
        (["--prefix", "x"], "a prefix is for models of Hugging Face", 2),
        (["--space", "input"], "was trained in the feature space, and the input space is to be", 2),
        (["--denoiser", "nothing"], "no checkpoint at nothing", 1),
        (["--denoiser", "t.safetensors"], "cannot be built as its card says", 1),
        (["--denoiser", "u.safetensors"], "holds a UNetDenoiser and no denoiser of sentences", 2),
        (["--denoiser", "other.safetensors"], "of another language fr (this one has en)", 2),
        (["--translator", "Helsinki-NLP/opus-mt-en-fr"], "nothing is downloaded by name", 2),
        (["--translator", "d.safetensors"], "holds no translator of sentences", 1),
        (["--translator", "wide.safetensors"], "takes points of 16 numbers, and this translator's "
         "have 24", 2),
        (["--translator", "retrained.safetensors"], "on the points of another translator;", 2),
        (["--translator", "renamed.safetensors"], "on the points of another vocabulary;", 2),
    ],
)  # fmt: skip
def test_requests_that_cannot_be_met(
    more: list[str], said: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model("u.safetensors", UNetDenoiser(3, 4))
    denoiser, card = load_model("d.safetensors")
    save_model("other.safetensors", denoiser, card | {"language": "fr"})
    model_file.save("wide.safetensors", network(24), WORDS)
    retrained = network()
    retrained.source.bias.data += 1
    model_file.save("retrained.safetensors", retrained, WORDS)
    renamed = Vocabulary(WORDS._model, {**WORDS._seen, "fr": WORDS.allowed("en")})
    model_file.save("renamed.safetensors", network(), renamed)
    assert cool(*more) == status
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("domain-translation: ")
    assert error.count("\n") == 1
    assert not list(Path().glob("out.tsv*"))


def test_a_translator_of_half_the_size_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    model_file.save("half.safetensors", network(), WORDS, dtype=torch.float16)
    assert cool("--translator", "half.safetensors") == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "in.en holds no sentence; give a text file"),
        (b"\n \n", ""),
        ("dog\n".encode("utf-16"), "in.en is UTF-16; save it as UTF-8"),
        (None, "No such file"),
    ],
)
def test_files_without_sentences(
    content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in.en").unlink() if content is None else Path("in.en").write_bytes(content)
    assert cool() == (1 if said else 0)
    assert said in capsys.readouterr().err


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    assert cool() == 0
    before = Path("out.tsv").read_bytes()
    assert cool() == 2
    assert "out.tsv exists and is not overwritten" in capsys.readouterr().err
    assert Path("out.tsv").read_bytes() == before
    Path("out.tsv").unlink()
    Path("out.tsv.part").write_text("my notes\n")
    assert cool() == 2
    assert "is no unfinished table of this command" in capsys.readouterr().err
    assert Path("out.tsv.part").read_text() == "my notes\n"


def test_an_output_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cool-text", "in.en", "no/out.tsv", *NETWORKS, "--target", "fr"]) == 1
    assert "cannot write no/out.tsv.part: No such file" in capsys.readouterr().err


def test_missing_languages(capsys: pytest.CaptureFixture[str]) -> None:
    some = ["cool-text", "in.en", "out.tsv", "--translator", "t.safetensors", "--denoiser", "d"]
    assert cli.main(some) == 2
    assert "give the source language; t.safetensors has en, fr, de" in capsys.readouterr().err
    assert cli.main([*some, "--source", "en"]) == 2
    assert "give --target" in capsys.readouterr().err


# Training


def test_training(capsys: pytest.CaptureFixture[str]) -> None:
    """The same arguments give the same file; bad lines are told of, equal ones count once."""
    Path("more.en").write_bytes(b"dog\r\n\ndog\nAnna \xff\n" + b"The dog " * 60)
    some = ["train-text-denoiser", "train.en", "more.en", *NETWORKS[:4], "--heads", "2"]
    some += ["--steps", "3", "--tokens", "40", "--space", "input", "--sentences", "20"]
    assert cli.main([*some, "--out", "a.safetensors"]) == 3
    said = capsys.readouterr()
    assert "skipped more.en, line 4: byte 6 is not UTF-8" in said.err
    denoiser, card = load_model("a.safetensors")
    assert isinstance(denoiser, SequenceDenoiser)
    assert denoiser.space == "input"
    # Of the points held out; those of the training, which decide, differ by their few tokens.
    assert denoiser.sigma**2 == pytest.approx(0.1 * card["variance"], rel=0.3)
    assert card["sigma"] == denoiser.sigma
    assert f"sigma {denoiser.sigma:.3g}; its square is" in said.out
    assert "drowns" not in said.err
    assert cli.main([*some, "--out", "c.safetensors", "--sigma", "30"]) == 3
    assert "this noise drowns the points" in capsys.readouterr().err
    assert (card["language"], card["sentences"] + card["held_out"]) == ("en", 20)
    assert f"a.safetensors: trained on {card['sentences']} sentences" in said.out
    assert cli.main([*some, "--out", "b.safetensors"]) == 3
    assert Path("a.safetensors").read_bytes() == Path("b.safetensors").read_bytes()
    assert not list(Path().glob("*.part"))
    assert cli.main([*some, "--out", "a.safetensors"]) == 2
    assert "a.safetensors exists and is not overwritten" in capsys.readouterr().err


def test_by_default_all_steps_together_pull_by_a_quarter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = load_translator("t.safetensors", "en", "fr")
    denoiser = load_denoiser("d.safetensors", loaded)
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(run.cooling, "cool", lambda score, x, **chain: asked.append(chain))
    run._chain(denoiser, None, 1e-3, 5, 0)
    run._chain(denoiser, None, 1e-3, 50, 0)
    run._chain(denoiser, 0.3, 1e-3, 5, 0)
    pulls = [c["step_size"] * c["steps"] / denoiser.network.sigma**2 for c in asked]
    assert pulls[:2] == pytest.approx([0.25, 0.25])
    assert asked[2]["step_size"] == 0.3


def test_sentences_of_the_training_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    write("in.en", ["Anna reads. 3", "the dog  SLEEPS. 4", "new", "", "Anna reads. 0"])
    assert cool() == 0
    # "Anna reads. 0" was held out of the training.
    assert (
        "2 of 4 sentences were among those the denoiser was trained on" in capsys.readouterr().err
    )
    write("new.en", ["new", "newer"])
    Path("out.tsv").unlink()
    assert cool(source="new.en") == 0
    assert "trained on" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"space": "words"}, RequestError, "the space is 'words'; choose one of feature, input"),
        ({"steps": 0}, RequestError, "steps 0"),
        ({"sigma": -1.0}, RequestError, "sigma -1.0"),
        ({"heads": 3}, RequestError, "3 heads for 16 dimensions"),
        ({"files": ["blank"]}, UserError, "blank holds no sentence"),
        (
            {"files": ["long"]},
            UserError,
            "none of the sentences in long can be used; long, line 1: it has 62 tokens",
        ),
    ],
)
def test_trainings_that_cannot_be(more: dict[str, Any], error: type[Exception], said: str) -> None:
    write("blank", [""])
    write("long", ["x" * 60])
    loaded = load_translator("t.safetensors", "en")
    files = more.pop("files", ["train.en"])
    with pytest.raises(error, match=said):
        train_denoiser_on_text(files, "x.safetensors", loaded, **more)


# Models of Hugging Face


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A random encoder-decoder of seven words, as `save_pretrained` writes it."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = ["<s>", "<pad>", "</s>", "<unk>", "the", "cat", "dog"]
    raw = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    signs = {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=raw, **signs)
    one = {f"{part}_{what}": 2 for part in ("encoder", "decoder") for what in ("layers", "ffn_dim")}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "d_model": 16}
    config = transformers.BartConfig(
        vocab_size=7, max_position_embeddings=20, decoder_start_token_id=2, pad_token_id=1,
        forced_eos_token_id=None, eos_token_id=2, bos_token_id=0, **one, **heads,
    )  # fmt: skip
    with runtime.seeded(1):
        model = transformers.BartForConditionalGeneration(config)
    model.save_pretrained(tmp_path / "bart")
    tokenizer.save_pretrained(tmp_path / "bart")
    return tmp_path / "bart"


def test_a_local_folder_of_hugging_face(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own signs are refused in text: its tokenizer would take them for what they say."""
    write("words.en", ["the cat", "the dog", "cat dog", "the", "dog", "dog the cat"])
    train = ["train-text-denoiser", "words.en", "--translator", str(folder), "--out", "h.st"]
    assert cli.main([*train, "--steps", "2", "--tokens", "20", "--heads", "2"]) == 0
    write("in.en", ["the cat", "", "the </s> cat", "dog " * 30, "the dog"])
    run = ["cool-text", "in.en", "out.tsv", "--translator", str(folder), "--denoiser", "h.st"]
    assert cli.main([*run, *FAST]) == 3
    made = rows()
    assert "it holds '</s>', which this tokenizer takes for a sign" in made[2]["reason"]
    assert "it has 31 tokens; this model takes at most 20" in made[3]["reason"]
    assert float(made[0]["moved"]) > 0
    capsys.readouterr()
    assert cli.main([*run, "--source", "en", "--target", "fr"]) == 1
    assert "this tokenizer knows no languages" in capsys.readouterr().err
    (folder / "config.json").unlink()
    assert cli.main(run) == 1
    assert "holds no encoder-decoder with its tokenizer" in capsys.readouterr().err


# Interruption


# The command in a process of its own, which waits to be stopped after its first chunk is written,
# with the beginning of the next one.
STOPPED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from domain_translation import cli
from domain_translation.cooling.text_files import table
from domain_translation.cooling.text_files.table import Part

table.CHUNK = 4
add = Part.add

def stopping(self, rows):
    if self.rows:
        with self.path.open("ab") as file:
            file.write((rows[0].text() + rows[1].text()[:7]).encode())
        print("waiting", flush=True)
        while True:  # a signal just before one long sleep would not end it
            time.sleep(0.1)
    add(self, rows)

Part.add = stopping
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_ends_as_if_it_were_not(
    how: signal.Signals, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "CHUNK", 4)
    write("in.en", [f"dog {i % 7} {'Anna ' * (i % 3)}" for i in range(11)])
    request = [*NETWORKS, "--target", "fr", *FAST, "--share", "0.5"]
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, "cool-text", "in.en", "out.tsv", *request],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    process.send_signal(how)
    _, error = process.communicate(timeout=120)
    assert said == "waiting\n", error
    assert process.returncode == (130 if how == signal.SIGINT else -9)
    assert not Path("out.tsv").exists()
    assert cool("--share", "0.4") == 2
    assert "run with other settings (share 0.5, now 0.4)" in capsys.readouterr().err
    assert cool("--share", "0.5") == 0
    assert "11 of 11 lines translated (4 by an earlier run)" in capsys.readouterr().out
    assert cli.main(["cool-text", "in.en", "whole.tsv", *request]) == 0
    assert Path("out.tsv").read_bytes() == Path("whole.tsv").read_bytes()
    assert not Path("out.tsv.part").exists()


def test_an_unfinished_table_goes_on_after_whole_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "CHUNK", 2)
    made = [table.Row(i, f"p {i}", f"c {i}", "1", "0", "no") for i in range(1, 6)]
    table.Part(Path("t.tsv"), {"seed": 0}).add(made[:3])
    with Path("t.tsv.part").open("a") as file:
        file.write(made[3].text()[:5])
    again = table.Part(Path("t.tsv"), {"seed": 0})
    assert again.rows == made[:2]
    again.add(made[2:])
    assert table.Part(Path("t.tsv"), {"seed": 0}).rows == made[:4]
    again.finish()
    assert Path("t.tsv").read_text() == table.HEAD + "".join(row.text() for row in made)
    assert not Path("t.tsv.part").exists()


# The command line


def test_options_are_documented_as_they_are() -> None:
    """Every number named in the help is the default of the function behind it."""
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    (subparsers,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    functions: dict[str, Callable[..., Any]] = {
        "cool-text": cool_file,
        "train-text-denoiser": train_denoiser_on_text,
    }
    for name, function in functions.items():
        defaults = function.__kwdefaults__ or {}
        told = 0
        for action in subparsers.choices[name]._actions:
            found = re.search(r"\(default: ([0-9.]+)\)", action.help or "")
            if found:
                told += 1
                assert float(found.group(1)) == {"beam": 1, **defaults}[action.dest]
        assert told >= 2
        assert set(defaults) - {"tell"} <= {a.dest for a in subparsers.choices[name]._actions}


def test_help_needs_no_torch() -> None:
    code = (
        "import sys\nfrom domain_translation import cli\n"
        "try: cli.main(sys.argv[1:])\nexcept SystemExit as end: print(end.code)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "cool-text", "--help"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-2:] == ["0", "False"]


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("domain_translation.cooling.text_files.cool_file", fault)
    with pytest.raises(RuntimeError, match="a fault"):
        cool()


def test_another_device_writes_the_table_of_the_cpu() -> None:
    train = ["train-text-denoiser", "train.en", *NETWORKS[:4], "--steps", "2", "--tokens", "50"]
    found = []
    for device in (pretend.NAME, "cpu"):
        new = f"{device.replace(':', '')}.safetensors"
        with pretend.accelerator(float64=False):
            assert cli.main([*train, "--out", new, "--heads", "2", "--device", device]) == 0
            assert cool("--denoiser", new, "--share", "0.5", "--device", device) == 0
        found.append(rows())
        Path("out.tsv").unlink()
    # Not their parameters: the bias of a key has no gradient but what rounding makes of 0, and Adam
    # takes a whole step of that.
    for there, here in zip(*found, strict=True):
        assert (there["plain"], there["cooled"]) == (here["plain"], here["cooled"])
        assert float(there["moved"]) == pytest.approx(float(here["moved"]), rel=1e-3)


def test_columns_never_hold_their_ends() -> None:
    row = table.Row(3, "a\tb\nc", "d\u2028e\r")
    assert row.text() == "3\ta b c\td e\t\t\t\t\n"
    assert json.loads(json.dumps(row.text())).count("\n") == 1
