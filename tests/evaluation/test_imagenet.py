"""ImageNet judges of the full profile: the arithmetic of both networks and their images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor, nn
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, max_pool2d, pad

from domain_translation.evaluation.judges import imagenet
from domain_translation.evaluation.judges.imagenet import OnImages, class_likeness
from domain_translation.evaluation.judges.mobilenet import SamePad, load_mobilenet
from domain_translation.evaluation.judges.squeezenet import load_squeezenet

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
Arrays = dict[str, np.ndarray]


def images(n: int, size: int) -> Tensor:
    return torch.rand(n, 3, size, size, generator=Generator().manual_seed(0)) * 2 - 1


def mobilenet_arrays(classes: int = 1000) -> Arrays:
    """A narrow MobileNet with random weights, in Keras's layout."""
    draw = np.random.default_rng(0)
    arrays: Arrays = {}

    def layer(name: str, kernel: str, shape: tuple[int, ...], maps: int) -> None:
        spread = (2 / np.prod(shape[:-1] if kernel == "kernel" else shape[:2])) ** 0.5
        arrays[f"{name}__{kernel}"] = draw.normal(0, spread, shape).astype(np.float16)
        for v, low, high in (("gamma", 0.5, 1.5), ("beta", 0, 2), ("moving_mean", -1, 1)):
            arrays[f"{name}_bn__{v}"] = draw.uniform(low, high, maps).astype(np.float32)
        # As small as eps, so that a wrong eps shows.
        arrays[f"{name}_bn__moving_variance"] = draw.uniform(1e-3, 2, maps).astype(np.float32)

    layer("conv1", "kernel", (3, 3, 3, 4), 4)
    maps = 4
    for i in range(1, 14):
        layer(f"conv_dw_{i}", "depthwise_kernel", (3, 3, maps, 1), maps)
        layer(f"conv_pw_{i}", "kernel", (1, 1, maps, 4 + i), 4 + i)
        maps = 4 + i
    arrays["conv_preds__kernel"] = draw.normal(0, 1, (1, 1, maps, classes)).astype(np.float16)
    arrays["conv_preds__bias"] = draw.normal(0, 1, classes).astype(np.float32)
    return arrays


def mobilenet_by_hand(arrays: Arrays, x: Tensor) -> Tensor:
    """Unfolded: pad, convolve, normalise, clip, one after the other, for sizes divisible by 32."""
    a = {k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()}

    def step(y: Tensor, name: str, kernel: Tensor, stride: int, groups: int = 1) -> Tensor:
        if kernel.shape[-1] == 3:
            y = pad(y, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))
        y = conv2d(y, kernel, stride=stride, groups=groups)
        mean, variance, gamma, beta = (
            a[f"{name}_bn__{v}"] for v in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return batch_norm(y, mean, variance, gamma, beta, eps=1e-3).clamp(0, 6)

    x = step(x, "conv1", a["conv1__kernel"].permute(3, 2, 0, 1), 2)
    for i, stride in enumerate(STRIDES, start=1):
        kernel = a[f"conv_dw_{i}__depthwise_kernel"].permute(2, 3, 0, 1)
        x = step(x, f"conv_dw_{i}", kernel, stride, groups=x.shape[1])
        x = step(x, f"conv_pw_{i}", a[f"conv_pw_{i}__kernel"].permute(3, 2, 0, 1), 1)
    return x.mean((2, 3)) @ a["conv_preds__kernel"][0, 0] + a["conv_preds__bias"]


def squeezenet_arrays(classes: int = 1000) -> Arrays:
    draw = np.random.default_rng(1)
    arrays: Arrays = {}

    def layer(name: str, *shape: int) -> None:
        spread = (2 / np.prod(shape[1:])) ** 0.5
        arrays[f"{name}__weight"] = draw.normal(0, spread, shape).astype(np.float32)
        arrays[f"{name}__bias"] = draw.uniform(0, 0.2, shape[0]).astype(np.float32)

    layer("conv1", 6, 3, 7, 7)
    maps = 6
    for i in range(2, 10):
        layer(f"fire{i}__conv1x1_1", 3, maps, 1, 1)
        layer(f"fire{i}__conv1x1_2", 4, 3, 1, 1)
        layer(f"fire{i}__conv3x3_2", 5, 3, 3, 3)
        maps = 9
    layer("conv_final", classes, maps, 1, 1)
    return arrays


def squeezenet_by_hand(arrays: Arrays, x: Tensor) -> Tensor:
    a = {k: torch.from_numpy(v) for k, v in arrays.items()}

    def conv(y: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        weight, bias = a[f"{name}__weight"], a[f"{name}__bias"]
        return conv2d(y, weight, bias, stride=stride, padding=padding).relu()

    def pool(y: Tensor) -> Tensor:
        return max_pool2d(y, 3, 2, ceil_mode=True)

    y = pool(conv(x, "conv1", stride=2))
    for i in range(2, 10):
        s = conv(y, f"fire{i}__conv1x1_1")
        y = torch.cat([conv(s, f"fire{i}__conv1x1_2"), conv(s, f"fire{i}__conv3x3_2", 1, 1)], 1)
        y = pool(y) if i in (4, 8) else y
    last = conv(y, "conv_final", padding=1)
    return avg_pool2d(last, last.shape[-2:]).flatten(1)


def test_same_padding_as_tensorflow_does_it() -> None:
    """Sums of three neighbours, every second: 1..6 lacks one zero at the end, 1..5 one on each."""
    for size, sums in ((6, [6.0, 12.0, 11.0]), (5, [3.0, 9.0, 9.0])):
        row = torch.arange(1.0, size + 1)
        x = row.expand(1, 1, size, size)
        y = conv2d(SamePad(3, 2)(x), torch.ones(1, 1, 3, 3), stride=2)[0, 0]
        inside = y[1] / 3  # three equal rows
        assert inside.tolist() == sums
        torch.testing.assert_close(
            y.T, conv2d(SamePad(3, 2)(x.mT), torch.ones(1, 1, 3, 3), stride=2)[0, 0]
        )


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 5, 7]), st.integers(1, 3))
def test_same_padding_gives_one_output_per_started_stride(
    height: int, width: int, kernel: int, stride: int
) -> None:
    y = SamePad(kernel, stride)(torch.zeros(1, 1, height, width))
    y = conv2d(y, torch.ones(1, 1, kernel, kernel), stride=stride)
    assert y.shape[-2:] == (-(-height // stride), -(-width // stride))


def test_mobilenet_is_its_layers_with_the_normalisation_folded_in(tmp_path: Path) -> None:
    arrays, x = mobilenet_arrays(), images(3, 64)
    np.savez(tmp_path / "m.npz", **arrays)
    model = load_mobilenet(tmp_path / "m.npz")
    torch.testing.assert_close(model(x), mobilenet_by_hand(arrays, x), rtol=1e-3, atol=1e-3)
    assert model.features(x).shape == (3, 17)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in model.modules())


def test_squeezenet_is_its_layers(tmp_path: Path) -> None:
    arrays, x = squeezenet_arrays(), images(2, 67) * 100
    np.savez(tmp_path / "s.npz", **arrays)
    out = load_squeezenet(tmp_path / "s.npz")(x)
    torch.testing.assert_close(out, squeezenet_by_hand(arrays, x), rtol=1e-4, atol=1e-3)
    assert out.std() > 0.1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.savez(tmp_path / imagenet.MOBILENET, **mobilenet_arrays())
    np.savez(tmp_path / imagenet.SQUEEZENET, **squeezenet_arrays())
    return tmp_path


def test_full_judges_give_probabilities_that_do_not_depend_on_the_batch(folder: Path) -> None:
    x = images(35, 24)  # more than are handed over at a time
    for judge in imagenet.full_judges(folder).values():
        p = judge(x)
        assert p.shape == (35, 1000)
        assert not p.requires_grad
        torch.testing.assert_close(p.sum(1), torch.ones(35))
        assert p.std(0).max() > 0
        torch.testing.assert_close(judge(x[33:34]), p[33:34], rtol=1e-3, atol=1e-6)


def test_the_judges_prepare_images_as_their_networks_were_trained(folder: Path) -> None:
    judges = imagenet.full_judges(folder)
    x = images(2, 227)
    small = x[..., :224, :224]
    expected = mobilenet_by_hand(mobilenet_arrays(), small).softmax(1)
    torch.testing.assert_close(judges["MobileNet"](small), expected, rtol=1e-2, atol=1e-6)
    red, green, blue = ((x + 1) * 127.5).unbind(1)
    caffe = torch.stack([blue - 104, green - 117, red - 123], 1)
    expected = squeezenet_by_hand(squeezenet_arrays(), caffe).softmax(1)
    torch.testing.assert_close(judges["SqueezeNet"](x), expected, rtol=1e-2, atol=1e-6)


def test_likeness_sums_over_the_named_classes() -> None:
    p = torch.softmax(torch.randn(4, 1000, generator=Generator().manual_seed(0)), 1)
    x = torch.zeros(4, 3, 8, 8)
    assert torch.equal(class_likeness(lambda _: p, x, imagenet.ZEBRA), p[:, 340])
    cats = class_likeness(lambda _: p, x, *imagenet.CATS)
    torch.testing.assert_close(cats, p[:, 281:286].sum(1))
    assert len(imagenet.DOGS) == 118


def test_images_are_resized_whole_and_wrong_shapes_refused() -> None:
    seen = OnImages(nn.Flatten(), lambda y: y, 4)
    constant = torch.full((2, 3, 10, 7), 0.25)
    torch.testing.assert_close(seen(constant), torch.full((2, 48), 0.25))
    ramp = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    torch.testing.assert_close(seen(ramp).mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    for wrong in ((3, 8, 8), (2, 1, 8, 8), (0, 3, 8, 8)):
        with pytest.raises(ValueError, match=r"give \(B, 3, H, W\)"):
            seen(torch.zeros(wrong))


@pytest.mark.parametrize("load", [load_mobilenet, load_squeezenet])
@pytest.mark.parametrize(
    ("write", "error", "named"),
    [
        (lambda p: None, FileNotFoundError, "DOMAIN_TRANSLATION_DATA"),
        (lambda p: np.savez(p, other=np.ones(3)), ValueError, "holds other weights.*conv1__"),
        (lambda p: p.write_bytes(b"<html>"), ValueError, "fetch it again"),
        (lambda p: p.write_bytes(b""), ValueError, "fetch it again"),
        (
            lambda p: np.savez(
                p,
                **mobilenet_arrays() | {"conv_pw_3__kernel": np.ones((1, 1, 2, 2))},
                **squeezenet_arrays() | {"fire3__conv1x1_1__bias": np.ones(1)},
            ),
            ValueError,
            "does not hold this network",
        ),
        (
            lambda p: np.savez(p, conv1__kernel=np.array([print]), conv1__weight=np.array([print])),
            ValueError,
            "does not hold this network",
        ),
    ],
)
def test_files_without_the_network_are_refused(
    tmp_path: Path,
    load: Callable[[Path], nn.Module],
    write: Callable[[Path], None],
    error: type[Exception],
    named: str,
) -> None:
    path = tmp_path / "weights.npz"
    write(path)
    with pytest.raises(error, match=named):
        load(path)
