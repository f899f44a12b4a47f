"""Train a translator between two folders of pictures that are not paired."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from domain_translation import runtime
from domain_translation.cooling.errors import (
    RequestError,
    UserError,
    as_request,
    differing,
    out_of_memory,
)
from domain_translation.cooling.pictures.codec import to_image
from domain_translation.cooling.pictures.denoisers import RANGE
from domain_translation.cooling.pictures.domains import Domain, find_domains, read_domains
from domain_translation.cooling.pictures.estimate import estimate
from domain_translation.cooling.pictures.folders import write, written
from domain_translation.cooling.pictures.games import Config, Game, configure, game
from domain_translation.cooling.pictures.sheet import Line, contact_sheet
from domain_translation.reweighting.config import ImageConfig
from domain_translation.sampling.inputs import evaluating
from domain_translation.training import checkpoints, fit
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.model_files import save_model
from domain_translation.training.trained import freeze

COLUMNS = ("A", "A to B", "B", "B to A")
SHOWN = 6  # pictures of each domain on the preview
PREVIEW_EVERY = 30.0  # seconds
_LAST = 10  # the card's losses are means over the last of so many parts of the training


class Files(NamedTuple):
    """What a training writes: both directions, where it goes on from, and what it can do so far."""

    out: Path
    back: Path
    part: Path
    preview: Path

    @classmethod
    def of(cls, out: Path) -> Files:
        """The names beside `out`, the file of the translator from A to B."""
        return cls(
            out,
            out.with_name(f"{out.stem}.back{out.suffix}"),
            out.with_name(f"{out.name}.part"),
            out.with_name(f"{out.stem}.preview.png"),
        )


class TranslatorTraining(NamedTuple):
    """What a training did.

    Attributes:
        card: of the files that were written.
        files: their names.
        skipped: pictures that could not be read, and why.
        passed: of either folder, how many files of which suffix were passed over.
        earlier: whether a run before this one had finished it.
    """

    card: dict[str, Any]
    files: Files
    skipped: dict[str, str]
    passed: tuple[dict[str, int], dict[str, int]]
    earlier: bool


def train_translator_on_folders(
    a: Path | str,
    b: Path | str,
    out_file: Path | str,
    *,
    batch_weights: bool = False,
    size: int = 64,
    steps: int | None = None,
    batch: int | None = None,
    width: int | None = None,
    learning_rate: float | None = None,
    mirrored: bool = True,
    seed: int = 0,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda sentence: None,
) -> TranslatorTraining:
    """Train translators A to B and B to A on the pictures of two folders, which need no pairs.

    CycleGAN, or JD-BW (a joint discriminator, and weights that are learnt) for domains whose
    classes are out of balance. The same arguments give the same files, bit for bit on a CPU. A run
    that was stopped leaves `out_file`.part and goes on from it; one that is finished is not run
    again. While it runs, a contact sheet beside `out_file` shows what it can do.

    Args:
        a, b: the two domains; pictures that cannot be read are skipped.
        out_file: of the translator from A to B, by convention ``*.safetensors``; the one from B to
            A becomes ``*.back.safetensors``.
        batch_weights: JD-BW.
        size: side of the square to which the middle of each picture is scaled, 64 to 256.
        steps, batch, width, learning_rate: None are the preset's, see `games.configure`.
        mirrored: show mirror images, too; not for letters.
        seed: of weights and minibatches.
        device: "cpu", "cuda" ...
        tell: hears the estimate before the training begins.

    Raises:
        RequestError: a setting out of range, a device that is not there, two folders that are one
            or hold the same pictures, or files of a training with other settings.
        UserError: fewer than two pictures in a folder, not enough memory, or a disk that refuses.
        TrainingError: a loss is not finite.
    """
    config = configure(size, batch_weights, steps=steps, batch=batch, width=width,
                       learning_rate=learning_rate, mirrored=mirrored)  # fmt: skip
    if not 0 <= seed < 2**63:
        raise RequestError(f"seed is {seed}; give a whole number from 0 on, below 2**63")
    with as_request():
        where = runtime.device(device)
    if not Path(out_file).name:
        raise RequestError(f"the file to write is {str(out_file)!r}; give it a name")
    files = Files.of(Path(out_file))
    found = find_domains(a, b)
    written(lambda: None, files.out)
    domains = read_domains(a, b, found, size)
    x, y = (domain.pixels.to(where) for domain in domains)
    settings = _settings(config, mirrored, seed, where, (x, y))
    skipped, passed = domains[0].skipped | domains[1].skipped, (found[0].passed, found[1].passed)
    if finished := _earlier(files, settings):
        return TranslatorTraining(finished, files, skipped, passed, True)
    with _memory(config):

        def make() -> Game:
            return game(x, y, config, seed, mirrored)

        names, sentence = estimate(make, config.steps, files.out.parent, (x, y))
        tell(f"{sentence}; {files.preview.name} shows what it can do so far")
        played = make()
        losses = _train(played, config, settings, files, domains)
    last = losses[-max(1, len(losses) // _LAST) :].mean(0).tolist()
    card = settings | {"losses": dict(zip(names, last, strict=True))}
    return TranslatorTraining(_save(played, card, domains, files), files, skipped, passed, False)


def _settings(
    config: Config, mirrored: bool, seed: int, device: torch.device, data: tuple[Tensor, Tensor]
) -> dict[str, Any]:
    """What decides the result, in types that JSON knows."""
    return {
        "method": "JD-BW" if isinstance(config, ImageConfig) else "CycleGAN",
        **asdict(config),
        "mirrored": mirrored,
        "seed": seed,
        "device": device.type,
        "a_sha256": checkpoints.digest(data[0]),
        "b_sha256": checkpoints.digest(data[1]),
    }


def _earlier(files: Files, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The card of a training with these settings that is finished; None: it is to be done.

    Raises:
        RequestError: the files that stand there are of other settings, or of another origin.
    """
    wanted = json.loads(json.dumps(settings))
    for path in (files.part, files.back, files.out):
        if not path.exists():
            continue
        try:
            card = checkpoints.load(path).card
        except (OSError, CheckpointError):
            raise RequestError(
                f"{path} exists and is no file of such a training; choose another name"
            ) from None
        before = card.get("run", card)
        if named := differing({k: before.get(k) for k in wanted}, wanted):
            raise RequestError(
                f"{path} is of a training with other settings ({named}); give these again, or "
                f"another name"
            )
        if path == files.out:
            return card
    return None


@contextmanager
def _memory(config: Config) -> Iterator[None]:
    """A block in which running out of memory is the caller's to mend."""
    try:
        yield
    except CheckpointError as error:
        raise UserError(str(error)) from error
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise UserError(
            f"not enough memory to train on {config.batch} pictures of {config.size}x{config.size} "
            f"at a time in networks of width {config.width}; give a smaller --batch, --size or "
            f"--width"
        ) from error


def _train(
    game: Game,
    config: Config,
    settings: Mapping[str, Any],
    files: Files,
    domains: tuple[Domain, Domain],
) -> Tensor:
    """Run the game from where it was left, drawing previews; its losses (steps, losses)."""
    drawn = time.monotonic()

    def watch() -> None:
        nonlocal drawn
        if time.monotonic() - drawn >= PREVIEW_EVERY:
            write(files.preview, preview(game, domains))
            drawn = time.monotonic()

    losses = fit(
        game.step,
        game.players,
        game.batches,
        config.steps,
        state=game.state,
        watch=watch,
        seed=settings["seed"],
        schedule=game.schedule,
        checkpoint=files.part,
        card=settings,
        label=settings["method"],
    )
    write(files.preview, preview(game, domains))
    return losses


def preview(game: Game, domains: tuple[Domain, Domain]) -> bytes:
    """A contact sheet of the first pictures of both domains and their translations, as PNG.

    Networks are in evaluation mode: in training, spectral normalisation changes with every look.
    """
    device = next(game.translators[0].parameters()).device
    shown = [domain.pixels[:SHOWN].to(device) for domain in domains]
    with torch.no_grad(), evaluating(*game.translators):
        made = [f(x) for f, x in zip(game.translators, shown, strict=True)]
    pairs = zip(shown[0], made[0], shown[1], made[1], strict=False)
    names = zip(domains[0].names, domains[1].names, strict=False)
    return contact_sheet(
        [
            Line([to_image(x) for x in row], "; ".join(name))
            for row, name in zip(pairs, names, strict=False)
        ],
        COLUMNS,
    )


def _save(
    game: Game, card: dict[str, Any], domains: tuple[Domain, Domain], files: Files
) -> dict[str, Any]:
    """Write both translators, A to B last: where it stands, the training is finished."""
    a, b = (len(domain.names) for domain in domains)
    card |= {"pictures": {"a": a, "b": b}, "range": RANGE, "versions": runtime.versions()}
    both = freeze(game.stored)
    try:
        save_model(files.back, both[1].cpu(), card | {"direction": "B to A"})
        save_model(files.out, both[0].cpu(), card | {"direction": "A to B"})
    except CheckpointError as error:
        raise UserError(str(error)) from error
    files.part.unlink(missing_ok=True)
    return checkpoints.load(files.out).card
