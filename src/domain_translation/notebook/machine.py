"""Which machine computes: results differ in their last digits from one kind to another."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

# Variables that make PyTorch, oneDNN and MKL compute as an older processor would.
INSTRUCTION_SETS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")


def processor() -> str:
    """The processor's name as the system tells it."""
    return " ".join(_told("model name", "CPU implementer", "CPU part")) or (
        platform.processor() or platform.machine()
    )


def identity() -> str:
    """Processor and instruction sets: where two are equal, runs may be compared bit by bit.

    Virtual machines share a vague name and differ in what they let through, so the features count.
    """
    features = hashlib.sha256(" ".join(_told("flags", "Features")).encode()).hexdigest()[:8]
    chosen = [f"{n}={os.environ[n]}" for n in INSTRUCTION_SETS if os.environ.get(n)]
    return ", ".join([f"{processor()} (features {features})", *chosen])


def _told(*names: str) -> list[str]:
    """Values of these fields in /proc/cpuinfo, each once; none on other systems."""
    information = Path("/proc/cpuinfo")
    if not information.is_file():
        return []
    lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition(":")[::2] for line in lines)
    return list(dict.fromkeys(v.strip() for n, v in pairs if n.strip() in names))
