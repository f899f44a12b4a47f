"""ImageNet classifiers of the sources, from torchvision: sizes, preparation, missing parts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn
from torchvision import models

from domain_translation.data import fetch
from domain_translation.data.fetch import MissingData
from domain_translation.data.registry import lookup
from domain_translation.evaluation.judges import imagenet
from domain_translation.evaluation.judges.imagenet import OnImages, class_likeness


def images(n: int, size: int) -> Tensor:
    return torch.rand(n, 3, size, size, generator=Generator().manual_seed(0)) * 2 - 1


# torchvision's own counts; Inception's with the auxiliary head that it trains with.
COUNTS = {
    "VGG16": 138_357_544,
    "Inception-v3": 27_161_264,
    "ResNet-18": 11_689_512,
    "ResNet-50": 25_557_032,
    "ResNet-101": 44_549_160,
    "DenseNet-169": 14_149_480,
    "MobileNet v3": 2_542_856,
    "SqueezeNet": 1_248_424,
}


@pytest.mark.parametrize("name", imagenet.CLASSIFIERS)
def test_classifiers_of_the_sources_have_their_published_sizes(name: str) -> None:
    with torch.device("meta"):
        network = imagenet.paper_network(name, weights=None)
    assert sum(p.numel() for p in network.parameters()) == COUNTS[name]
    published, size = imagenet.CLASSIFIERS[name]
    preset = models.get_model_weights(published).IMAGENET1K_V1.transforms()
    assert preset.crop_size == [size]
    x = images(1, size)
    judge = OnImages(nn.Identity(), imagenet._standardised, size)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (preset.mean, preset.std))
    torch.testing.assert_close(judge(x), ((x + 1) / 2 - mean) / std)


def test_the_lists_of_the_sources() -> None:
    used = {*imagenet.LCOOL, *imagenet.IMPROVEIT, *imagenet.SMALL}
    assert used == set(imagenet.CLASSIFIERS) == set(COUNTS)
    assert (len(imagenet.LCOOL), len(imagenet.IMPROVEIT)) == (5, 4)
    with pytest.raises(ValueError, match=r"no classifier 'AlexNet'; choose from VGG16"):
        imagenet.paper_network("AlexNet")


def test_a_missing_torchvision_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(ImportError, match="both from one index: pip install torch torchvision"):
        imagenet.paper_judges()


def test_a_torchvision_of_another_torch_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(imagenet.importlib, "import_module", broken)
    with pytest.raises(ImportError, match=r"imported \(operator torchvision::nms.*one index"):
        imagenet.paper_judges()


def test_a_missing_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(fetch.OFFLINE, "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        MissingData, match=r"vgg16-397923af.pth .*about 553 MB.* download https://.*TORCH_HOME"
    ):
        imagenet.paper_judges()


def test_damaged_weights_are_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(fetch.OFFLINE, "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    file.parent.mkdir(parents=True)
    torch.save(models.resnet18(weights=None).state_dict(), file)
    with pytest.raises(MissingData, match=r"resnet18-f37072fd\.pth"):
        imagenet.paper_judges(["ResNet-18"])


@pytest.mark.parametrize("name", imagenet.CLASSIFIERS)
def test_the_registry_has_the_files_that_torchvision_reads(name: str) -> None:
    published = imagenet.CLASSIFIERS[name][0]
    (file,) = lookup(published).files
    weights = models.get_model_weights(published).IMAGENET1K_V1
    assert file.urls == (weights.url,)
    assert weights.url.endswith(f"-{file.sha256}.pth")
    assert float(file.about.split()[0]) == pytest.approx(weights.meta["_file_size"] * 1.05, rel=0.1)


def test_cached_weights_need_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", None)
    monkeypatch.setattr(imagenet, "fetch", lambda name: ())  # other weights, of another sha256
    network = models.resnet18(weights=None).eval()
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(
        network.state_dict(), cache / models.ResNet18_Weights.IMAGENET1K_V1.url.split("/")[-1]
    )
    x = images(2, 224)
    judge = imagenet.paper_judges(["ResNet-18"])["ResNet-18"]
    with torch.no_grad():
        expected = network(imagenet._standardised(x)).softmax(1)
    torch.testing.assert_close(judge(x), expected, rtol=1e-3, atol=1e-7)
    assert class_likeness(judge, x, imagenet.ZEBRA).shape == (2,)
