"""ONNX files, run by onnxruntime where that is installed (extra `onnx`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from domain_translation.cooling.errors import RequestError

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


class OnnxNetwork:
    """A network of one picture in and one out, on the CPU.

    Takes (B, 3, H, W) and gives what the network gives, as (B, C, H, W). Networks that count the
    channels last, those for greys, and those for one picture at a time are served as well.

    Args:
        content: of the file; weights stored beside it cannot be read.

    Raises:
        RequestError: onnxruntime is not installed, or a network with another input.
        Exception: as onnxruntime raises it for what it cannot read.
    """

    def __init__(self, content: bytes) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise RequestError(
                "the translator is an ONNX file, and onnxruntime, which runs those, is not "
                "installed; install it: pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4  # what matters is raised
        self._session: Any = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        inputs = self._session.get_inputs()
        wanted = inputs[0]
        if len(inputs) != 1 or len(wanted.shape) != 4 or wanted.type not in _TYPES:
            told = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs)
            raise RequestError(
                f"the ONNX network takes {told}; one input is expected, a batch of pictures as "
                f"floating-point numbers"
            )
        self._name, self._type = wanted.name, _TYPES[wanted.type]
        self._last = wanted.shape[3] in (1, 3) and wanted.shape[1] not in (1, 3)
        batch, *rest = wanted.shape
        channels, *sides = (rest[2], *rest[:2]) if self._last else rest
        self._single, self._grey = batch == 1, channels == 1
        fixed = all(isinstance(side, int) for side in sides)
        self.accepts: tuple[int, int] | None = (sides[0], sides[1]) if fixed else None

    def __call__(self, x: Tensor) -> Tensor:
        shown = x.mean(1, keepdim=True) if self._grey else x
        parts = torch.split(shown, 1) if self._single else (shown,)
        return torch.cat([self._run(part) for part in parts]).to(x)

    def _run(self, x: Tensor) -> Tensor:
        array = x.movedim(1, 3) if self._last else x
        given = np.ascontiguousarray(array.detach().cpu().numpy().astype(self._type))
        answer = torch.from_numpy(np.asarray(self._session.run(None, {self._name: given})[0]))
        return answer.movedim(3, 1) if self._last and answer.ndim == 4 else answer
