"""What a state dict is of, told by the names of its tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable

from domain_translation.training.state_dicts import prefix, some

# Patterns of names without what they have in common at their start; the first that is found names
# the network.
_KINDS = (
    (r"^1\.model\.", "a U-Net of pix2pix in a variant"),
    (r"\bfilt$", "a generator of CUT in a variant"),
    (r"\bconv_block\.0\.weight$", "a generator of CycleGAN without reflected borders"),
    (r"^1[369]\.conv_block\.|^model\d_\d\.", "a generator of pix2pixHD"),
    (r"\b(enc_content|enc_style|gen_a)\.", "MUNIT or UNIT, which take a style beside a picture"),
    (r"\b(DownBlock|UpBlock1_1|UpBlock2)\.", "U-GAT-IT"),
    (r"\b(from_rgb|to_rgb|shared|unshared)\.\d", "StarGAN, which takes a domain beside a picture"),
    (r"\b(synthesis|mapping|style)\.", "StyleGAN, which makes pictures from nothing"),
    (r"\b(RRDB_trunk|rdb1|conv_body|conv_up1)\b", "ESRGAN, which enlarges pictures"),
    (r"\bconv2d\.weight$", "a network of fast style transfer, whose values are in 0:255"),
    (r"\b(diffusion_model|down_blocks|time_embed\w*)\.", "a diffusion model"),
    (r"^(features\.\d|classifier\.|fc\.|layer1\.0\.)", "a classifier, which translates nothing"),
    (r"^0\.weight$", "a critic of patches (PatchGAN), which judges and translates nothing"),
)


def kind(names: Iterable[str]) -> str:
    """The network that has parameters of these names, in words, or some of the names."""
    listed = list(names)
    common = prefix(listed)
    plain = [name.removeprefix(common) for name in listed]
    for pattern, found in _KINDS:
        if any(re.search(pattern, name) for name in plain):
            return f"the weights of {found}"
    return some(listed)
