"""The kernel of a chapter: its Python, its fixed environment, and how it died if it did."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from domain_translation.press import observe
from domain_translation.press.book import Book

IPYTHON = """\
c.IPKernelApp.log_level = 40
c.HistoryManager.enabled = False
c.IPKernelApp.exec_lines = [
    "__import__('atexit').register(__import__('sitecustomize').end_control_thread)"
]
"""
# One thread per chapter keeps sums in one order, so results do not depend on the number of cores;
# the press runs several chapters at once instead.
FIXED = {
    "JUPYTER_PREFER_ENV_PATH": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONHASHSEED": "0",
}


def environment(book: Book, place: Path, wheel: bool, limit: float) -> dict[str, str]:
    """The kernel's environment; a wheel's kernel does not see the caller's PYTHONPATH."""
    shutil.copy(str(observe.__file__), place / "site" / "sitecustomize.py")
    for name in ("ipython_config.py", "ipython_kernel_config.py"):
        (place / "ipython" / "profile_default" / name).write_text(IPYTHON, encoding="utf-8")
    searched = [str(place / "site"), "" if wheel else os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        **FIXED,
        "IPYTHONDIR": str(place / "ipython"),
        "PYTHONPATH": os.pathsep.join(filter(None, searched)),
        observe.REPORTS: str(place / "reports"),
        observe.PACKAGE: book.package.name,
        observe.DATA: str(book.root / "data"),
        observe.LIMIT: f"{max(1.0, limit):.0f}",
    }


def manager(python: Path, variables: dict[str, str], log: Path) -> Any:
    """A class of kernel managers for this Python; `status` is how the kernel died, if it did.

    What a kernel writes past its notebook, such as the last words of a crash, goes to `log`.
    """
    from jupyter_client.manager import AsyncKernelManager

    class Kernel(AsyncKernelManager):
        status: int | None = None
        shutdown_wait_time = 120.0  # a busy machine needs a while to write the report

        def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
            return [str(python), *super().format_kernel_cmd(extra_arguments)[1:]]

        async def _async_start_kernel(self, **options: Any) -> None:
            with log.open("wb") as told:
                streams = {"stdout": told, "stderr": subprocess.STDOUT}
                await super()._async_start_kernel(**{**options, **streams, "env": variables})

        start_kernel = _async_start_kernel

        async def _async_is_alive(self) -> bool:
            if self.provisioner is not None and type(self).status is None:
                type(self).status = await self.provisioner.poll()
            return bool(await super()._async_is_alive())

        is_alive = _async_is_alive

    return Kernel


def death(status: int, limit: float) -> str:
    """Why a kernel is gone, from its exit status."""
    if status == -signal.SIGXCPU:
        return (
            f"it had computed for {limit:.0f} CPU seconds, its limit, and was ended "
            "(allow more with --limit)"
        )
    if status == -signal.SIGKILL:
        return (
            "its kernel was killed by the system, most likely because memory ran out: close other "
            "programs or run fewer chapters at once with --jobs 1"
        )
    return f"its kernel died with status {status}"
