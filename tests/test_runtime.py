"""What every run stands on: seeded blocks, devices, precision, functions of many rows in parts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from domain_translation.runtime import device, in_parts, lowered, precision, seeded


def test_parts_are_put_together_in_their_order() -> None:
    x, y = torch.randn(10, 3), torch.randn(10, 1)
    sizes: list[int] = []

    def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        sizes.append(len(a))
        return a * b

    assert torch.equal(in_parts(product, x, y, size=4), x * y)
    assert sizes == [4, 4, 2]


def test_parts_have_no_gradients_and_inputs_equally_many_rows() -> None:
    x = torch.randn(3, 2, requires_grad=True)
    assert not in_parts(torch.exp, x).requires_grad
    with pytest.raises(ValueError, match="shorter"):
        in_parts(torch.add, torch.zeros(4, 1), torch.zeros(2, 1), size=2)


def test_seeded_gives_the_global_generator_back() -> None:
    state = torch.get_rng_state()
    with seeded(3):
        a = torch.rand(2)
    with seeded(3):
        b = torch.rand(2)
    assert torch.equal(a, b)
    assert torch.equal(torch.get_rng_state(), state)

    with pytest.raises(ZeroDivisionError), seeded(3):
        torch.rand(2) / (1 // 0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("seed", [0, 3, 2**31 - 1, 2**63, -1])
def test_seeded_is_manual_seed_on_the_cpu(seed: int) -> None:
    def drawn() -> list[Tensor]:
        layers = nn.Linear(7, 5), nn.Conv2d(3, 4, 3)
        return [*(p.detach() for layer in layers for p in layer.parameters()), torch.randn(40)]

    with seeded(seed):
        ours = drawn()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        theirs = drawn()
    assert all(map(torch.equal, ours, theirs))


def test_seeded_touches_no_other_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the stream of another device was started anew")

    monkeypatch.setattr(torch, "manual_seed", refuse)
    for module in (torch.cuda, torch.mps, torch.xpu):
        for name in ("manual_seed", "manual_seed_all"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, refuse)
    with seeded(3):
        nn.Linear(2, 2)


@pytest.mark.gpu
def test_seeded_borrows_the_generator_of_one_device() -> None:
    device = torch.device("cuda")
    cpu, gpu = torch.get_rng_state(), torch.cuda.get_rng_state()
    with seeded(3):
        nn.Linear(2, 2)
    assert torch.equal(torch.cuda.get_rng_state(), gpu)
    drawn = []
    for _ in range(2):
        with seeded(3, device):
            drawn.append(torch.rand(5, device=device))
    assert torch.equal(*drawn)
    assert torch.equal(torch.cuda.get_rng_state(), gpu)
    assert torch.equal(torch.get_rng_state(), cpu)


def test_precision_is_float32_or_bfloat16() -> None:
    a = torch.ones(2, 2)
    with lowered("float32", "cpu"):
        assert (a @ a).dtype == torch.float32
    with lowered("bfloat16", "cpu"):
        assert (a @ a).dtype == torch.bfloat16
    with pytest.raises(ValueError, match="choose 'float32' or 'bfloat16'"):
        lowered("float16", "cpu")


@pytest.mark.parametrize("name", ["abacus", "cuda:77", "meta", "xpu:9", "hpu"])
def test_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(ValueError, match=f"the device '{name}' is not here; this machine has cpu"):
        device(name)
    assert device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("found", "taken"),
    [
        ({"avx512_bf16": True, "architecture": "x86_64"}, "bfloat16"),
        ({"avx512_bf16": False, "amx_bf16": True}, "bfloat16"),
        ({"bf16": True, "architecture": "aarch64"}, "bfloat16"),
        ({"avx512_bf16": False, "amx_bf16": False, "avx512_f": True}, "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_processor_multiplies_it(
    found: dict[str, object], taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    assert precision("auto", "cpu") == taken
    assert precision("auto", "mps") == "float32"


def test_auto_is_float32_where_torch_cannot_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert precision("auto", torch.device("cpu")) == "float32"


def test_a_precision_by_name_is_taken_everywhere() -> None:
    assert precision("bfloat16", "mps") == "bfloat16"
    assert precision("float32", "cpu") == "float32"
    with pytest.raises(ValueError, match="choose 'auto', 'float32' or 'bfloat16'"):
        precision("half", "cpu")
