"""What scripts and shells want of the commands: JSON, the version, completion, examples."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import ownpictures as own
import pytest

from domain_translation import __version__, cli
from domain_translation.commands import completion


def test_json_is_one_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    own.folder(tmp_path / "in", 3)
    Path("in/2.png").write_bytes(b"")
    Path("in/a.txt").write_bytes(b"")
    own.translator_file(tmp_path / "g.safetensors")
    train = ["train-denoiser", "in", "--out", "d.safetensors", "--crop", "16", "--crops", "8"]
    assert cli.main([*train, "--width", "4", "--steps", "2", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == "d.safetensors"
    assert told["card"]["sigma"] == 0.3
    assert set(told["card"]["score_rms"]) == {"50 %", "80 %", "95 %"}
    assert (set(told["skipped"]), told["passed"]) == ({"2.png"}, {".txt": 1})
    given = ["cool", "in", "out", "--translator", "g.safetensors", "--denoiser", "d.safetensors"]
    for earlier in (0, 2):
        assert cli.main([*given, "--steps", "1", "--json"]) == 3
        told = json.loads(capsys.readouterr().out)
        counts = {k: told[k] for k in ("pictures", "done", "done_earlier", "cooled", "spared")}
        assert counts == {
            "pictures": 3, "done": 2, "done_earlier": earlier, "cooled": 2, "spared": 0
        }  # fmt: skip
        assert told["steps"] == 1
        assert told["psnr"] > 0
        assert told["skipped"]["2.png"]["status"] == "broken"
    assert cli.main([*given[:2], "out2", *given[3:], "--threshold", "999", "--json"]) == 3
    spared = json.loads(capsys.readouterr().out)
    assert (spared["spared"], spared["psnr"], spared["steps"]) == (2, None, None)
    assert spared["score_before"] == pytest.approx(spared["score_after"], rel=1e-3)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"domain-translation {__version__}\n"


@pytest.mark.parametrize("command", ["cool", "train-denoiser", "train-translator", "shift"])
def test_examples_in_the_help_are_commands(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every example is taken by the parser."""
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    told = capsys.readouterr().out.partition("examples:")[2].replace("\\\n", " ")
    found = re.findall(rf"domain-translation ({command} .*)", told)
    assert len(found) >= 3
    for example in found:
        options = cli._parser().parse_args(example.partition(" >")[0].split())
        assert options.command == command


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_completion_knows_every_command_and_option(
    shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("train-denoiser", "cool-text", "completion", "step-size", "version", "reference",
                 "train-translator", "batch-weights", "shift", "clusters"):  # fmt: skip
        assert re.search(rf"(?<![\w-])(--)?{word}(?![\w-])", script), word
    if program := shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run([program, "-n", str(tmp_path / "script")], check=True)


def completed(tmp_path: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    (tmp_path / "script").write_text(completion.script(cli._parser(), "bash"))
    code = (
        f"source {tmp_path / 'script'}; COMP_WORDS=(domain-translation {' '.join(words)}); "
        f"COMP_CWORD={len(words)}; _domain_translation; echo ${{COMPREPLY[@]}}"
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes(tmp_path: Path) -> None:
    assert completed(tmp_path, "cool") == ["cool", "cool-text"]
    assert completed(tmp_path, "cool", "--st") == ["--step-size", "--steps"]
    assert completed(tmp_path, "train-denoiser", "--st") == ["--steps"]
    assert completed(tmp_path, "cool", "in") == []  # files
