"""What each chapter costs: writes ``book.md`` from the kept quick runs of this checkout.

Run it after `domain-translation book --force`. CPU seconds grow by up to a half on a machine that
is busy with other things. The press reads the table on a fresh clone, so that the dearest chapters
start first.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from tabulate import tabulate

from domain_translation.notebook import machine
from domain_translation.press import cache
from domain_translation.press.book import Book
from domain_translation.press.run import DEAR

BOOK = Book(Path(__file__).resolve().parents[1])


def main() -> None:
    here = machine.identity()
    kept = {
        c.name: [k for k in cache.cards(BOOK, "quick", c.name) if k.ingredients["machine"] == here]
        for c in BOOK.chapters
    }
    lacking = [name for name, cards in kept.items() if not cards]
    if lacking:
        raise SystemExit(f"never run: {', '.join(lacking)}; run domain-translation book --force")
    rows = sorted(
        ((name, cards[0].cpu_seconds, cards[0].peak_mib) for name, cards in kept.items()),
        key=lambda row: -row[1],
    )
    total, above = sum(r[1] for r in rows), [r[0] for r in rows if r[1] > DEAR]
    day = datetime.datetime.fromtimestamp(max(c[0].finished for c in kept.values()), datetime.UTC)
    table = tabulate(rows, ("chapter", "CPU s", "peak MiB"), tablefmt="github", floatfmt=".0f")
    text = f"""# What the book costs

CPU seconds of each chapter's kernel, start-up included, profile quick, two chapters at a time on
two cores: {machine.processor()}, {day:%d %B %Y}. Together {total:.0f} CPU s; chapters above
{DEAR:.0f} CPU s: {", ".join(above) or "none"}.

{table}
"""
    (BOOK.root / "benchmarks" / "book.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
