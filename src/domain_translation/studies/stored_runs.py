"""Earlier runs of studies, stored as JSON, each in a layout of its own.

They are read as long as nobody has run the studies again, which write cards.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from domain_translation.files import data_file


@functools.cache
def read(name: str) -> Mapping[str, Any]:
    """The stored file `results/full/<name>.json`.

    Raises FileNotFoundError: it does not come with this installation.
    """
    text = data_file(f"results/full/{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
