"""What a chapter used: written as ``sitecustomize.py`` where the chapter's Python looks first.

Every Python process of a chapter, the kernel and whatever it starts, writes a file when it ends:
the modules of the package that it imported, the data files that it was handed or opened, what it
measured, its processor time and its peak memory. The same file sets the limit on processor time.

This file imports nothing of the package: it runs before everything else.
"""

import atexit
import json
import os
import resource
import signal
import sys

REPORTS = "BOOK_REPORTS"  # folder of the reports; it also marks every process of the chapter
PACKAGE = "BOOK_PACKAGE"  # name of the package to look for
DATA = "BOOK_DATA"  # the checkout's data folder; a wheel carries its own
LIMIT = "BOOK_CPU_SECONDS"  # after which the system ends the process


def used_modules(package: str) -> tuple[str, list[str]]:
    """The package's folder and the files below it that are imported now."""
    top = getattr(sys.modules.get(package), "__file__", None)
    if not top:
        return "", []
    root = os.path.dirname(top) + os.sep
    files = (getattr(m, "__file__", None) or "" for m in list(sys.modules.values()))
    return root, sorted({f[len(root) :] for f in files if f.startswith(root)})


def observe(reports: str, package: str, data: str) -> None:
    """Begin to watch; the report is written when this process ends."""
    named: set[str] = set()
    opened: set[str] = set()
    measured: list[tuple[object, ...]] = []
    lost: list[tuple[object, ...]] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "domain_translation.data_file":
            named.add(str(arguments[0]))
        elif event == "domain_translation.measure":
            measured.append(arguments)
        elif event == "domain_translation.lost":
            lost.append(arguments)
        elif event == "open" and isinstance(arguments[0], str):
            for folder in (data + os.sep, f"{os.sep}{package}{os.sep}_data{os.sep}"):
                _, found, name = arguments[0].partition(folder)
                if found:
                    opened.add(name)

    def report() -> None:
        # A kernel is interrupted before it is asked to end, and the signal may come late.
        for _ in range(3):
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                write()
            except KeyboardInterrupt:
                continue
            return

    def write() -> None:
        root, modules = used_modules(package)
        uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        told = {
            "root": root,
            "modules": modules,
            "data": sorted(named | opened),
            "measured": measured,
            "lost": lost,
            "cpu_seconds": sum(u.ru_utime + u.ru_stime for u in uses),
            # Linux counts KiB, macOS bytes.
            "peak_mib": uses[0].ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10),
        }
        path = os.path.join(reports, f"{os.getpid()}.json")
        text = json.dumps(told)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    sys.addaudithook(watch)
    atexit.register(report)


def end_control_thread() -> None:
    """Let the kernel answer the request to end before it closes what the answer goes through.

    ipykernel closes the thread of its output first and then waits for the control thread, which
    may still be writing to it: for ten seconds, or for ever. The kernel registers this function
    once it stands, so that it runs before ipykernel's own end.
    """
    from ipykernel.kernelapp import IPKernelApp

    thread = IPKernelApp.instance().control_thread
    if thread is not None and thread.is_alive():
        thread.stop()
        thread.join(timeout=5.0)


if REPORTS in os.environ:
    observe(os.environ[REPORTS], os.environ[PACKAGE], os.environ[DATA])
    if LIMIT in os.environ:
        seconds = int(float(os.environ[LIMIT]))
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))
