"""ImageNet classifiers as judges: how much does an image look like a zebra?

L-Cool's likeness is the probability that a classifier gives the target class
(lcool.metric.likeness), ImproveIT's accuracy the share of images whose most probable class it is
(improveit.metric.acc). `paper_judges` are the classifiers of the sources with torchvision's
weights of that time; `full_judges` are two small ones read from copies that nobody publishes.

No source says how a 256x256 translation reaches a 224x224 classifier. Here the whole image is
resized, nothing is cropped: no part of a translation goes unseen. Images that are not square are
stretched.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import interpolate

from domain_translation.data.fetch import fetch
from domain_translation.evaluation.judges.classical import Judge
from domain_translation.evaluation.judges.mobilenet import load_mobilenet
from domain_translation.evaluation.judges.squeezenet import load_squeezenet
from domain_translation.runtime import in_parts

# Classes of ImageNet-1k, counted from 0.
ZEBRA, ORANGE = 340, 950
CATS = range(281, 286)  # the five domestic cats
DOGS = range(151, 269)

# Name in the sources -> name in torchvision and side of the image in pixels. L-Cool cites ResNeXt
# and Wide ResNet for the two it calls ResNet: the name is followed, not the citation.
CLASSIFIERS = {
    "VGG16": ("vgg16", 224),
    "Inception-v3": ("inception_v3", 299),
    "ResNet-18": ("resnet18", 224),
    "ResNet-50": ("resnet50", 224),
    "ResNet-101": ("resnet101", 224),
    "DenseNet-169": ("densenet169", 224),
    "MobileNet v3": ("mobilenet_v3_small", 224),
    "SqueezeNet": ("squeezenet1_0", 224),
}
LCOOL = ("VGG16", "Inception-v3", "ResNet-50", "ResNet-101", "DenseNet-169")
IMPROVEIT = ("VGG16", "ResNet-18", "Inception-v3", "ResNet-50")
SMALL = ("MobileNet v3", "SqueezeNet")  # what anybody can get in place of `full_judges`

MOBILENET = "mobilenet_v1_075_224_imagenet.npz"
SQUEEZENET = "squeezenet_v10_deepcompression_imagenet.npz"

_PART = 32  # images at a time; bounds the memory
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels in [0, 1]
_CAFFE_MEAN = (104.0, 117.0, 123.0)  # blue, green, red in [0, 255]


class OnImages(nn.Module):
    """A network that is handed images (B, 3, H, W) in [-1, 1], of any size.

    Without gradients; each image's result is independent of the others.

    Args:
        network: (B, 3, size, size) -> (B, n).
        prepare: from images in [-1, 1] to the numbers the network was trained on.
        size: side of the network's images in pixels.
    """

    def __init__(self, network: nn.Module, prepare: Callable[[Tensor], Tensor], size: int) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.prepare, self.size = prepare, size
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != 3 or len(x) == 0:
            raise ValueError(
                f"images have shape {tuple(x.shape)}; give (B, 3, H, W) in [-1, 1], B at least 1"
            )
        return in_parts(lambda p: self.network(self.prepare(self._resized(p))), x, size=_PART)

    def _resized(self, x: Tensor) -> Tensor:
        size = (self.size, self.size)
        if x.shape[-2:] == size:
            return x
        return interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)


def class_likeness(judge: Judge, x: Tensor, *classes: int) -> Tensor:
    """Probability (B,) that a judge gives to any of `classes`, e.g. `ZEBRA` or `*CATS`.

    One class is L-Cool's likeness (lcool.metric.likeness); a kind of animal that ImageNet
    divides into breeds needs the sum over them.
    """
    return judge(x)[:, list(classes)].sum(1)


def paper_judges(names: Sequence[str] = LCOOL) -> dict[str, Judge]:
    """The classifiers of the sources: `LCOOL`, `IMPROVEIT`, `SMALL` or any of `CLASSIFIERS`.

    Each maps images (B, 3, H, W) in [-1, 1] to the probabilities (B, 1000) of ImageNet's classes.
    The weights are torchvision's first published ones (V1), downloaded on first use to where
    torchvision looks for them.

    Raises:
        ImportError: torchvision is missing, or was compiled against another torch.
        MissingData, DamagedData, OSError: of the weights, as `fetch.fetch`.
    """
    return {name: _paper_judge(name) for name in names}


def paper_network(name: str, weights: str | None = "IMAGENET1K_V1") -> nn.Module:
    """One of `CLASSIFIERS` in evaluation mode, prepared images (B, 3, size, size) -> logits.

    Args:
        name: as the sources call it.
        weights: torchvision's name of trained weights; None leaves them as initialised.

    Raises:
        ValueError: another network than those of `CLASSIFIERS`.
        ImportError, MissingData, DamagedData, OSError: see `paper_judges`.
    """
    if name not in CLASSIFIERS:
        raise ValueError(f"there is no classifier {name!r}; choose from {', '.join(CLASSIFIERS)}")
    try:
        models = importlib.import_module("torchvision.models")
    except (ImportError, RuntimeError) as error:
        raise ImportError(
            f"the classifiers of the sources come from torchvision, which cannot be imported "
            f"({error}); install it together with torch, both from one index: "
            f"pip install torch torchvision"
        ) from error
    # Inception would otherwise warn that it is slow to initialise by the paper's recipe.
    arguments = {"init_weights": False} if weights is None and name == "Inception-v3" else {}
    if weights is not None:
        fetch(CLASSIFIERS[name][0])
    network: nn.Module = models.get_model(CLASSIFIERS[name][0], weights=weights, **arguments)
    return network.eval()


def full_judges(folder: Path | str) -> dict[str, Judge]:
    """MobileNet v1 0.75 and SqueezeNet v1.0 from the two files in `folder`, as `paper_judges`.

    On a thousand pictures, one of each class, MobileNet is right 87.5 % of the time and
    SqueezeNet about 65 % (training pictures may be among them).

    Raises:
        FileNotFoundError, ValueError: see `load_mobilenet`, `load_squeezenet`.
    """
    folder = Path(folder)
    networks = load_mobilenet(folder / MOBILENET), load_squeezenet(folder / SQUEEZENET)
    return {
        "MobileNet": OnImages(nn.Sequential(networks[0], nn.Softmax(1)), _as_it_is, 224),
        "SqueezeNet": OnImages(nn.Sequential(networks[1], nn.Softmax(1)), _for_caffe, 227),
    }


def _paper_judge(name: str) -> Judge:
    network = nn.Sequential(paper_network(name), nn.Softmax(1))
    return OnImages(network, _standardised, CLASSIFIERS[name][1])


def _as_it_is(x: Tensor) -> Tensor:
    """MobileNet was trained on pixels in [-1, 1]."""
    return x


def _standardised(x: Tensor) -> Tensor:
    """torchvision's networks want mean 0 and variance 1 of ImageNet's pixels."""
    mean, std = (x.new_tensor(t).reshape(3, 1, 1) for t in (_MEAN, _STD))
    return ((x + 1) / 2 - mean) / std


def _for_caffe(x: Tensor) -> Tensor:
    """Caffe's networks want blue, green, red in [0, 255], less their means."""
    return (x.flip(1) + 1) * 127.5 - x.new_tensor(_CAFFE_MEAN).reshape(3, 1, 1)
