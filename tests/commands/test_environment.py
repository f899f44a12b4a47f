"""One list of dependencies: environment.yml and constraints.txt follow pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
CONDA_TO_PYPI = {"pytorch": "torch", "matplotlib-base": "matplotlib", "python-build": "build"}


def pyproject() -> dict[str, dict[str, Requirement]]:
    """Requirements by extra ("" for the package itself) and canonical name."""
    with (ROOT / "pyproject.toml").open("rb") as f:
        project = tomllib.load(f)["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: {canonicalize_name(r.name): r for r in map(Requirement, lines)}
        for extra, lines in lists.items()
    }


def constraints() -> dict[str, str]:
    """Pinned version by canonical name."""
    text = (ROOT / "constraints.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pins = dict(line.split("==") for line in lines)
    assert len(pins) == len(lines)
    return {canonicalize_name(name): version for name, version in pins.items()}


def conda() -> dict[str, str]:
    """Version pattern of environment.yml by canonical PyPI name, e.g. ``2.14.*``."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    lines = [s for d in listed for s in (d["pip"] if isinstance(d, dict) else [d])]
    found = {}
    for line in lines:
        if line in ("pip", "-e ."):
            continue
        name, pattern = re.fullmatch(r"([\w.-]+?)={1,2}([\w.*]+)", line).groups()
        found[canonicalize_name(CONDA_TO_PYPI.get(name, name))] = pattern
    return found


def matches(pattern: str, version: str) -> bool:
    return version == pattern or (
        pattern.endswith(".*") and f"{version}.".startswith(pattern.removesuffix("*"))
    )


def test_environment_names_what_pyproject_names():
    required = pyproject()
    names = {"python"} | {n for e in ("", "book", "test", "full") for n in required[e]}
    assert set(conda()) == names


def test_environment_pins_the_releases_of_the_constraints():
    pins = constraints()
    wrong = {
        name: (pattern, pins[name])
        for name, pattern in conda().items()
        if name != "python" and not matches(pattern, pins[name])
    }
    assert wrong == {}


@pytest.mark.parametrize("extra", ["", "book", "test", "full", "hf", "onnx", "cluster"])
def test_the_constraints_pin_every_requirement_within_its_bounds(extra):
    pins = constraints()
    for name, requirement in pyproject()[extra].items():
        assert requirement.specifier.contains(pins[name], prereleases=True), name


def test_the_constraints_are_plain_pins():
    for name, version in constraints().items():
        assert Version(version).local is None, name


def test_the_package_itself_declares_lower_bounds_only():
    for name, requirement in pyproject()[""].items():
        operators = {s.operator for s in requirement.specifier}
        assert operators == {">="}, name


def test_python_is_the_same_in_the_environment_and_for_the_type_checker():
    with (ROOT / "pyproject.toml").open("rb") as f:
        settings = tomllib.load(f)
    oldest = settings["tool"]["mypy"]["python_version"]
    assert conda()["python"] == oldest
    assert settings["project"]["requires-python"] == f">={oldest}"


def test_the_repository_has_one_address():
    with (ROOT / "pyproject.toml").open("rb") as f:
        address = tomllib.load(f)["project"]["urls"]["Repository"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["repository-code"] == address
    files = (*ROOT.glob("*.md"), *ROOT.glob("*.yml"), *(ROOT / "book").rglob("*.md"))
    for file in files:
        others = set(re.findall(r"https://github\.com/[\w.-]+/[\w.-]+", file.read_text()))
        if file.name == "README.md":
            assert address in others
        assert {o for o in others if o.split("/")[3] == address.split("/")[3]} <= {address}, file
