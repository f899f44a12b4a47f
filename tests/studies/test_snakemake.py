"""The jobs of `workflow/Snakefile`: what would run, and a study that does."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from domain_translation.notebook import card_files

ROOT = Path(__file__).resolve().parents[2]
SNAKEMAKE = shutil.which("snakemake")
needed = pytest.mark.skipif(
    SNAKEMAKE is None, reason="needs snakemake: pip install '.[cluster]' and put it on the PATH"
)
# `domain-translation` as it would be with one small study.
COMMAND = """#!{python}
import sys, torch
from pathlib import Path
from domain_translation.cli import main
from domain_translation.studies import cards, registry
from domain_translation.studies.study import Study, measures

def run(settings, seed, folder):
    return {{"x": torch.tensor(float(settings + seed))}}

def measure(settings, seed, found):
    return measures({{"sum": float(found["x"])}})

def data_file(name):
    if not (Path("data") / name).is_file():
        raise FileNotFoundError(name)
    return Path("data") / name

cards.data_file = data_file
study = Study("part/toy", {{"an arm": 1}}, range(2), run, measure, trains=True)
registry.find = lambda name: study
sys.exit(main())
"""


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert SNAKEMAKE is not None
    command = [SNAKEMAKE, "-s", str(ROOT / "workflow/Snakefile"), "--directory", str(folder)]
    # Its sources lie beside it, wherever the tests may write.
    own = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}
    return subprocess.run([*command, *arguments], capture_output=True, text=True, env=own)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/registry.toml").touch()
    command = tmp_path / "toy-command"
    command.write_text(COMMAND.format(python=sys.executable))
    command.chmod(0o755)
    return tmp_path


@needed
@pytest.mark.slow
def test_a_study_runs_as_jobs_and_a_run_in_the_card_is_none(checkout: Path) -> None:
    wanted = ["--cores", "2", "--config", f"command={checkout}/toy-command", "study=part/toy"]
    plan = snakemake(checkout, *wanted, "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "an-arm-1.safetensors" in plan.stdout + plan.stderr
    assert not (checkout / "runs").exists()
    done = snakemake(checkout, *wanted)
    assert done.returncode == 0, done.stderr
    file = checkout / "data/cards/studies/part/toy.json"
    assert card_files.read(file.read_text(), "toy").values("sum") == {0: 1.0, 1: 2.0}
    shutil.rmtree(checkout / "runs")
    again = snakemake(checkout, *wanted)
    assert again.returncode == 0, again.stderr
    assert "Nothing to be done" in again.stdout + again.stderr
    assert not list((checkout / "runs").rglob("*.safetensors"))


@needed
@pytest.mark.slow
def test_a_study_that_does_not_exist_is_named(checkout: Path) -> None:
    command = Path(sys.executable).with_name("domain-translation")
    done = snakemake(checkout, "-n", "--config", f"command={command}", "study=energies/none")
    assert done.returncode
    assert "there is no study 'energies/none'" in done.stdout + done.stderr


@needed
@pytest.mark.slow
def test_recipes_and_chapters_are_jobs_too(checkout: Path) -> None:
    names = ["recipe=animals/cyclegan,shift/weights", "chapter=cooling/toy"]
    plan = snakemake(checkout, "--dry-run", "--printshellcmds", "--config", *names)
    said = plan.stdout + plan.stderr
    assert plan.returncode == 0, said
    for recipe in ("animals/cyclegan", "shift/weights"):
        assert f"{recipe} --out data/pretrained --checkpoint runs/recipes/{recipe}" in said
    assert "book --only cooling/toy" in said


@pytest.mark.parametrize("name", ["default", "slurm", "kubernetes"])
def test_profiles_run_one_press_at_a_time(name: str) -> None:
    profile = yaml.safe_load((ROOT / f"workflow/profiles/{name}/config.yaml").read_text())
    assert profile["resources"] == ["press=1"]
    assert ("cores" in profile) != ("jobs" in profile)


@needed
@pytest.mark.slow
@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_the_same_file_is_planned_for_a_cluster(checkout: Path, name: str) -> None:
    plugin = f"snakemake_executor_plugin_{name}"
    assert SNAKEMAKE is not None
    own = next(Path(SNAKEMAKE).parents[1].glob(f"lib/python*/site-packages/{plugin}"), None)
    if own is None and importlib.util.find_spec(plugin) is None:
        pytest.skip(f"needs {plugin}: pip install '.[cluster]'")
    wanted = ["--config", f"command={checkout}/toy-command", "study=part/toy"]
    profile = ["--workflow-profile", str(ROOT / "workflow/profiles" / name)]
    plan = snakemake(checkout, "--dry-run", *profile, *wanted)
    assert plan.returncode == 0, plan.stderr
    assert "an-arm-1.safetensors" in plan.stdout + plan.stderr
