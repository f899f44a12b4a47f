"""The workflows parse, are bounded, and name files, options and versions that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain_translation.notebook.machine import INSTRUCTION_SETS

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(name: str) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())


def commands(job: dict[str, Any]) -> str:
    return "\n".join(step["run"] for step in job["steps"] if "run" in step)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_a_workflow_is_bounded_and_names_files_that_exist(path):
    jobs = yaml.safe_load(path.read_text())["jobs"]
    for name, job in jobs.items():
        assert 0 < job["timeout-minutes"] <= 360, name
        for file in re.findall(r"\.ci/run|tests/\w+\.py|\b[\w]+\.txt\b", commands(job)):
            assert (ROOT / file).is_file(), file
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            assert "uses" not in step or re.search(r"@v\d+$", step["uses"])


def test_the_book_is_tested_with_its_cache_and_without_wheels_for_gpus():
    job = workflow("book")["jobs"]["test"]
    assert job["env"]["PIP_EXTRA_INDEX_URL"] == "https://download.pytorch.org/whl/cpu"
    (cache,) = (s["with"] for s in job["steps"] if s.get("uses", "").startswith("actions/cache@"))
    assert cache["path"] == "_build/cache"
    assert cache["key"].startswith(cache["restore-keys"])
    for part in ("constraints.txt", "book/**/*.md", "src/**", "data/**"):
        assert f"'{part}'" in cache["key"]
    assert commands(job) == ".ci/run"


def test_every_chapter_runs_weekly_on_old_and_new_versions_as_laptops_compute():
    weekly = workflow("weekly")
    assert weekly["env"]["UV_TORCH_BACKEND"] == "cpu"
    job = weekly["jobs"]["chapters"]
    assert job["env"] == dict(zip(INSTRUCTION_SETS, ("avx2", "AVX2", "AVX2"), strict=True))
    assert "tests/press/test_chapters.py --weekly" in commands(job)
    assert "--resolution ${{ matrix.resolution }}" in commands(job)
    tried = {(m["python"], m["resolution"]) for m in job["strategy"]["matrix"]["include"]}
    with (ROOT / "pyproject.toml").open("rb") as f:
        oldest = tomllib.load(f)["project"]["requires-python"].removeprefix(">=")
    assert (oldest, "lowest-direct") in tried
    assert {p for p, r in tried if r == "highest"} == {"3.11", "3.12", "3.13"}
    assert job["strategy"]["fail-fast"] is False


def test_every_recipe_is_run_weekly():
    assert "tests/pretrained/test_recipes.py --weekly" in commands(
        workflow("weekly")["jobs"]["recipes"]
    )


def test_a_failing_week_opens_an_issue_only_if_none_is_open():
    jobs = workflow("weekly")["jobs"]
    report = jobs["report"]
    assert report["if"] == "failure()"
    assert set(report["needs"]) == set(jobs) - {"report"}
    assert report["permissions"] == {"issues": "write"}
    said = commands(report)
    label = re.search(r"gh label create (\w+) --force", said)[1]
    asked = said.index(f"gh issue list --label {label} --state open")
    assert asked < said.index('[ "$open" -eq 0 ]') < said.index("gh issue create --label " + label)
