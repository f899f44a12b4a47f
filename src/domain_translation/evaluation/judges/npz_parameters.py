"""Networks built from the named arrays of an `.npz` file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from torch import nn

from domain_translation.training.trained import freeze

Network = TypeVar("Network", bound=nn.Module)


def read_arrays(path: Path | str, build: Callable[[Mapping[str, np.ndarray]], Network]) -> Network:
    """Hand the arrays in `path` to `build`; the network, in evaluation mode, without gradients.

    Arrays only: pickled objects in the file are refused, not run.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, lacks an array, or arrays do not fit together.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"no weights at {path}; fetch {path.name} with the data of the full profile and name "
            f"their folder in DOMAIN_TRANSLATION_DATA"
        )
    try:
        with np.load(path) as file:
            network = build(file)
    except KeyError as error:
        raise ValueError(f"{path} holds other weights than were asked for: {error}") from error
    except (ValueError, RuntimeError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} does not hold this network ({error}); fetch it again") from error
    return freeze(network)
