"""Are the classes of two folders of pictures out of balance?"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from domain_translation import runtime
from domain_translation.cooling.errors import RequestError, UserError
from domain_translation.cooling.pictures.domains import Domain, find_domains, read_domains
from domain_translation.reweighting import groups
from domain_translation.reweighting.balance import (
    REGROUPED,
    Balance,
    Labels,
    of_groups,
    of_labels,
)

FOLDERS = "folders"  # the labels are the names of sub-folders
_APART = 0.9  # shift beyond which groups tell the folders apart rather than their classes
_EXAMPLES = 6  # pictures of a class of a domain, for the figure


class Shift(NamedTuple):
    """The classes of two folders.

    Attributes:
        classes: their names, in order; clusters, the largest first.
        counts: pictures (2, K) of each.
        balance: shares, total variation, weights.
        how: where the classes come from, in words.
        examples: a few pictures of each class of A, and of B.
        skipped: pictures without a class, and why.
        passed: of either folder, how many files of which suffix were passed over.
        notes: what is odd, in sentences.
    """

    classes: list[str]
    counts: Tensor
    balance: Balance
    how: str
    examples: list[tuple[Tensor, Tensor]]
    skipped: dict[str, str]
    passed: tuple[dict[str, int], dict[str, int]]
    notes: list[str]


def shift_between_folders(
    a: Path | str,
    b: Path | str,
    *,
    labels: Path | str | None = None,
    clusters: int | None = None,
    draws: int = REGROUPED,
    seed: int = 0,
) -> Shift:
    """Shares of the classes of two folders, how far they differ, and the weights that mend it.

    Args:
        a, b: the two domains; pictures that cannot be read are skipped.
        labels: "folders" (sub-folders are classes) or a CSV file with a name and a label a line,
            names as below the folder, or with the folder's own name before. None: sub-folders
            where all pictures lie in some, else clusters.
        clusters: so many clusters, whatever the sub-folders; None: where there are no labels, the
            number of `groups.choose_count`.
        draws: of the bootstrap of clusters.
        seed: of clusters and bootstrap.

    Raises:
        RequestError: labels and clusters both, a setting out of range, two folders that are one.
        UserError: fewer than two pictures of a folder that can be used, one class only, or a
            table that cannot be read.
    """
    if labels is not None and clusters is not None:
        raise RequestError("labels and clusters are both given; give one of them")
    if not 2 <= draws <= 10_000 or not 0 <= seed < 2**31:
        raise RequestError(
            f"draws is {draws} and seed {seed}; give 2 to 10000 draws, a seed from 0"
        )
    found = find_domains(a, b)
    pairs = read_domains(a, b, found, groups.SIDE)
    skipped = pairs[0].skipped | pairs[1].skipped
    passed = found[0].passed, found[1].passed
    if labels is None and clusters is None and all(_in_folders(d) for d in pairs):
        labels = FOLDERS
    if labels is None:
        classes, sides, balance, how = _grouped(pairs, clusters, draws, seed)
    else:
        folders = Path(a), Path(b)
        named, how = _named(pairs, folders, labels, skipped)
        pairs = _only_named(pairs[0], named[0]), _only_named(pairs[1], named[1])
        for folder, domain in zip(folders, pairs, strict=True):
            if not domain.names:
                raise UserError(f"no picture of {folder} has a label ({how}); give labels for both")
        classes, sides = _numbered(named)
        if len(classes) < 2:
            raise UserError(
                f"all pictures are of one class, {classes[0]!r}; nothing can be out of balance"
            )
        balance = of_labels(*sides, len(classes), seed=seed)
    counts = torch.stack([torch.from_numpy(np.bincount(s, minlength=len(classes))) for s in sides])
    examples = [
        (_some(pairs[0], sides[0], k), _some(pairs[1], sides[1], k)) for k in range(len(classes))
    ]
    notes = _notes(classes, counts, balance, labels is None)
    return Shift(classes, counts, balance, how, examples, skipped, passed, notes)


def _in_folders(domain: Domain) -> bool:
    return all("/" in name for name in domain.names)


def _some(domain: Domain, side: Labels, k: int) -> Tensor:
    return domain.pixels[torch.from_numpy(np.flatnonzero(side == k)[:_EXAMPLES])]


def _grouped(
    pairs: tuple[Domain, Domain], count: int | None, draws: int, seed: int
) -> tuple[list[str], tuple[Labels, Labels], Balance, str]:
    """Clusters of the pictures of both domains, the largest first."""
    n, m = (len(domain.names) for domain in pairs)
    if count is not None and not 2 <= count <= (n + m) // 2:
        raise RequestError(
            f"clusters is {count}; give 2 to {(n + m) // 2}, half as many as there are pictures"
        )
    with runtime.progress(total=n + m, desc="features") as bar:
        raw = groups.features(torch.cat([domain.pixels for domain in pairs]), bar.update)
    values = groups.reduced(raw, seed)
    if np.ptp(values, axis=0).max() < 1e-6:
        raise UserError("all pictures look alike, so that there are no clusters; give --labels")
    x, y = values[:n], values[n:]
    rule = f"{count} as given" if count else ""
    if count is None:
        with runtime.progress(total=groups.MOST - 1, desc="clusters") as bar:
            count = groups.choose_count(x, y, seed, bar.update)
        rule = f"{count}, the number of 2 to {groups.MOST} with the largest silhouette"
    sides = _by_size(groups.groups(x, y, count, seed), count)
    with runtime.progress(total=draws, desc="bootstrap") as bar:
        balance = of_groups(
            *sides,
            count,
            lambda i, j, s: groups.groups(x[i], y[j], count, s),
            draws=draws,
            seed=seed,
            each=bar.update,
        )
    names = [f"cluster {k + 1}" for k in range(count)]
    return names, sides, balance, f"clusters of contours and coarse colours: {rule}"


def _by_size(sides: tuple[Labels, Labels], count: int) -> tuple[Labels, Labels]:
    order = np.argsort(-np.bincount(np.concatenate(sides), minlength=count), kind="stable")
    rank = np.argsort(order)
    return rank[sides[0]], rank[sides[1]]


def _numbered(named: Sequence[dict[str, str]]) -> tuple[list[str], tuple[Labels, Labels]]:
    """The classes in order of their names, and the pictures' numbers of them."""
    classes = sorted({label for side in named for label in side.values()})
    number = {label: k for k, label in enumerate(classes)}
    sides = [np.array([number[v] for v in side.values()], dtype=np.int64) for side in named]
    return classes, (sides[0], sides[1])


def _named(
    pairs: tuple[Domain, Domain],
    folders: tuple[Path, Path],
    labels: Path | str,
    skipped: dict[str, str],
) -> tuple[list[dict[str, str]], str]:
    """The label of each picture that has one; the others are entered in `skipped`."""
    table = None if labels == FOLDERS else _table(Path(labels))
    named: list[dict[str, str]] = []
    for domain, folder in zip(pairs, folders, strict=True):
        own: dict[str, str] = {}
        for name in domain.names:
            if table is None:
                first, slash, _ = name.partition("/")
                label = first if slash else None
            else:
                label = table.get(f"{folder.resolve().name}/{name}", table.get(name))
            if label:
                own[name] = label
            else:
                where = "it lies in no sub-folder" if table is None else f"not in {labels}"
                skipped[str(folder / name)] = f"without a label: {where}"
        named.append(own)
    return named, "labels from sub-folders" if table is None else f"labels from {labels}"


def _only_named(domain: Domain, named: dict[str, str]) -> Domain:
    rows = [i for i, name in enumerate(domain.names) if name in named]
    return domain._replace(
        pixels=domain.pixels[rows],
        names=[domain.names[i] for i in rows],
        digests=[domain.digests[i] for i in rows],
    )


def _table(path: Path) -> dict[str, str]:
    """Labels by name; a first line whose label is the word "label" is a heading.

    Raises:
        UserError: it cannot be read, has other columns, or gives a name two labels.
    """
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except OSError as error:
        raise UserError(f"cannot read the labels {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no CSV file in UTF-8 ({error})") from error
    found: dict[str, str] = {}
    for line, row in enumerate(rows, 1):
        if not row or (line == 1 and row[-1].strip().lower() == "label"):
            continue
        if len(row) != 2 or not row[1].strip():
            raise UserError(f"line {line} of {path} is {','.join(row)!r}; give name,label")
        name, label = PurePosixPath(row[0].strip()).as_posix(), row[1].strip()
        if found.setdefault(name, label) != label:
            raise UserError(f"{path} gives {name} the labels {found[name]} and {label}; give one")
    if not found:
        raise UserError(f"{path} holds no labels; give a line name,label for each picture")
    return found


def _notes(classes: list[str], counts: Tensor, balance: Balance, grouped: bool) -> list[str]:
    notes = []
    if grouped:
        notes.append(
            "clusters of folders that look different can see a shift where there is none: of 100 "
            "pairs with equal masses 20 did; labels decide"
        )
    if grouped and balance.shift.value > _APART:
        notes.append(
            "nearly every cluster belongs to one of the folders: the clusters tell the folders "
            "apart and not their classes; give --labels"
        )
    for side, letter in enumerate("AB"):
        lacking = [name for name, n in zip(classes, counts[side].tolist(), strict=True) if n == 0]
        if lacking and not grouped:
            notes.append(
                f"{letter} has no picture of {', '.join(lacking)}: no weights make up for that"
            )
    return notes


def rows(shift: Shift) -> list[dict[str, Any]]:
    """A line for each class: pictures, shares with intervals, and weights; None: no weight."""
    found = []
    for k, name in enumerate(shift.classes):
        row: dict[str, Any] = {"class": name}
        for side, letter in enumerate("ab"):
            share = (shift.balance.p, shift.balance.q)[side][k]
            weight = float(shift.balance.weights[k, side])
            row |= {
                f"pictures_{letter}": int(shift.counts[side, k]),
                f"share_{letter}": share.value,
                f"low_{letter}": share.low,
                f"high_{letter}": share.high,
                f"weight_{letter}": None if math.isnan(weight) else weight,
            }
        found.append(row)
    return found
