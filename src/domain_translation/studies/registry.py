"""The studies by name. A study is imported when it is asked for, not before."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path

from domain_translation.studies.study import Study, StudyError


def names() -> list[str]:
    """All studies: the modules of the parts that have a `STUDY`."""
    folder = Path(__file__).parent
    modules = [p.relative_to(folder).with_suffix("") for p in sorted(folder.glob("*/*.py"))]
    texts = {m.as_posix(): (folder / m).with_suffix(".py").read_text("utf-8") for m in modules}
    return [name for name, text in texts.items() if "\nSTUDY = " in text]


def find(name: str) -> Study:
    """The study of this name.

    Raises:
        StudyError: there is none.
    """
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=3) or names()
        raise StudyError(f"there is no study {name!r}; there is {', '.join(near)}")
    study = importlib.import_module(f"domain_translation.studies.{name.replace('/', '.')}").STUDY
    assert isinstance(study, Study)
    return study
