"""The generated pages, from a synthetic executed notebook."""

import base64
import dataclasses
import io
import tomllib
from html.parser import HTMLParser

import nbformat
import pytest
from nbformat import v4
from PIL import Image

from domain_translation import ledger
from domain_translation.errata import entries as errata
from domain_translation.press import pages
from domain_translation.press.pages import cards, collect, html, symbols
from domain_translation.press.run import Run

CHAPTER = "cooling/temperature"
NASTY = 'a <b>bold</b> & "quoted" claim with $x < y$ and `p < q`'


def png(width: int = 900) -> str:
    out = io.BytesIO()
    Image.new("RGBA", (width, 300), (0, 0, 0, 0)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def claim(**changes):
    record = {
        "rows": ["lcool.thm1"],
        "statement": NASTY,
        "source": "0.25",
        "ours": "as the source",
        "verdict": ledger.CONFIRMED,
        "aspect": "",
        "measured": {"<i>variance</i>": 0.250412345, "steps": 100000, "all": [0.1, 0.25]},
        "note": "",
        **changes,
    }
    return v4.new_output(
        "display_data", {"text/plain": "plain"}, metadata={ledger.METADATA_KEY: record}
    )


@pytest.fixture
def book(tmp_path):
    """A stage with one executed chapter and one that failed; returns the folder and the runs."""
    figure = {
        "figure": {"name": "fig-one", "caption": "A caption\nwith $x$."},
        "image": {"alt": "A [line] drawing.", "classes": "ink"},
    }
    nb = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("(temperature)=\n# Temperature\n\nFirst words."),
            v4.new_code_cell(
                "# NBVAL_CHECK_OUTPUT\nledger.claim(...)",
                outputs=[
                    claim(),
                    claim(verdict=ledger.NOT_CONFIRMED, rows=["lcool.fig3", "lcool.fig10"]),
                    claim(verdict=ledger.REDUCED, aspect="toy"),
                    claim(verdict=ledger.NOT_RUN, rows=["lcool.fig7"], ours="needs maps"),
                ],
            ),
            v4.new_code_cell("check()", metadata={"tags": ["solution"]}),
            v4.new_code_cell(
                "plot()",
                metadata={"tags": ["hide-input"], "rows": ["lcool.fig3"], "mystnb": figure},
                outputs=[v4.new_output("display_data", {"image/png": png()})],
            ),
            v4.new_code_cell(
                "show()",
                outputs=[
                    v4.new_output(
                        "display_data",
                        {"text/markdown": "plain"},
                        metadata={errata.METADATA_KEY: "lcool.limit"},
                    )
                ],
            ),
        ]
    )
    executed = tmp_path / "executed.ipynb"
    nbformat.write(nb, executed)
    stage = tmp_path / "stage"
    (stage / "book" / "cooling").mkdir(parents=True)
    nbformat.write(nb, stage / "book" / f"{CHAPTER}.ipynb")
    bare = v4.new_notebook(cells=[v4.new_markdown_cell("# Toy"), v4.new_code_cell("1/0")])
    nbformat.write(bare, stage / "book" / "cooling" / "toy.ipynb")
    runs = [
        Run(CHAPTER, "Temperature & <noise>", "ran", "text changed", "ab" * 32, 12.34, 410.6,
            executed, {"torch": "2.14.1", "python": "3.11.2"}),
        Run("cooling/toy", "Toy", "failed", "new", "", 0.0, 0.0, None,
            error="ZeroDivisionError: <division> by zero"),
    ]  # fmt: skip
    pages.write(stage, runs)
    return stage, runs


def text(stage, page):
    return (stage / "book" / "record" / f"{page}.md").read_text(encoding="utf-8")


def dressed(stage):
    return nbformat.read(stage / "book" / f"{CHAPTER}.ipynb", 4).cells


class Balance(HTMLParser):
    """Fails on tags that do not close in order, and gathers ids and links."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [v for k, v in attrs if k == "id"]
        self.links += [v for k, v in attrs if k == "href"]
        if tag not in {"img", "input", "br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.open)


def parse(markup):
    parser = Balance()
    parser.feed(markup)
    parser.close()
    assert not parser.open
    return parser


def blocks(page):
    """The raw HTML blocks of a MyST page, joined."""
    parts = page.split("``````{raw} html\n")[1:]
    return "\n".join(p.split("\n``````")[0] for p in parts)


# ---- pieces


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("$x<y$", r'<span class="math notranslate nohighlight">\(x&lt;y\)</span>'),
        ("`a<b`", "<code>a&lt;b</code>"),
        ("to $ 96 a barrel | past $ 96 a barrel", "to $ 96 a barrel | past $ 96 a barrel"),
        ("from 5$ to 6$", "from 5$ to 6$"),
    ],
)
def test_rich_text(line, shown):
    assert html.rich(line) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.250412345, "0.2504"), (100000, "100,000"), (True, "yes"), ([0.1, 2], "0.1, 2"), ("a", "a")],
)
def test_numbers_are_shown_short(value, shown):
    assert html.number(value) == shown


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([], "open"),
        ([ledger.NOT_RUN], ledger.NOT_RUN),
        ([ledger.CONFIRMED, ledger.NOT_RUN], ledger.CONFIRMED),
        ([ledger.CONFIRMED, ledger.REDUCED], ledger.REDUCED),
        ([ledger.REDUCED, ledger.NOT_CONFIRMED, ledger.CONFIRMED], ledger.NOT_CONFIRMED),
    ],
)
def test_a_row_gets_its_least_favourable_verdict(verdicts, whole):
    assert html.row_verdict(verdicts) == whole


def test_links_are_relative_to_the_page():
    assert html.link("cooling/toy", "record/ledger", "row-a") == "../record/ledger.html#row-a"
    assert html.link("record/status", "record/ledger") == "ledger.html"
    assert html.link("intro", "record/ledger") == "record/ledger.html"


def test_every_verdict_has_its_own_mark_and_class():
    badges = {html.badge(v).replace(v, "") for v in html.VERDICTS}
    assert len(badges) == len(html.VERDICTS) == 5


# ---- the ledger


def test_the_ledger_has_every_row_once_and_closes_every_tag(book):
    stage, _ = book
    page = parse(blocks(text(stage, "ledger")))
    rows = [i for i in page.ids if i.startswith("row-")]
    assert sorted(rows) == sorted(html.row_anchor(r) for r in ledger.inventory())
    assert len(rows) == 305
    assert len(page.ids) == len(set(page.ids))


def test_the_ledger_links_a_claim_to_its_card(book):
    stage, runs = book
    page = parse(blocks(text(stage, "ledger")))
    anchors = [p.anchor for p in collect.collect(runs[0]).claims]
    assert anchors == [
        "claim-lcool-thm1", "claim-lcool-fig3", "claim-lcool-thm1-toy", "claim-lcool-fig7",
    ]  # fmt: skip
    for anchor in anchors:
        assert f"../cooling/temperature.html#{anchor}" in page.links


def test_the_ledger_escapes_titles_and_counts_verdicts(book):
    stage, _ = book
    page = text(stage, "ledger")
    assert "Temperature &amp; &lt;noise&gt;" in page
    assert "<b>" not in page
    assert page.count('data-verdict="open"') == 305 - 4
    assert page.count('data-verdict="reduced"') == 1  # lcool.thm1: confirmed, and reduced
    assert page.count('data-verdict="not-confirmed"') == 2


def test_without_runs_all_rows_are_open(tmp_path):
    pages.write(tmp_path, [])
    assert text(tmp_path, "ledger").count('data-verdict="open"') == 305
    assert "No chapter with figures" in text(tmp_path, "figures")


# ---- cards


def test_a_claim_becomes_an_escaped_card(book):
    stage, _ = book
    outputs = dressed(stage)[1].outputs
    card = outputs[0].data["text/html"]
    page = parse(card)
    assert page.ids == ["claim-lcool-thm1"]
    assert page.links == ["../record/ledger.html#row-lcool-thm1"]
    assert "b" not in page.tags
    assert "i" not in page.tags
    assert r"\(x &lt; y\)" in card
    assert "0.2504" in card
    assert "100,000" in card
    assert outputs[0].data["text/plain"] == "plain"
    assert "v-not-confirmed" in outputs[1].data["text/html"]
    assert ">Needs</dt><dd>maps<" in outputs[3].data["text/html"]


def test_measured_numbers_stand_in_natural_order(book):
    _, runs = book
    placed = collect.collect(runs[0]).claims[0]
    measured = {"share 10 %": 1.0, "share 25 %": 2.0, "share 5 %": 3.0, "share 0.5 %": 4.0}
    card = cards.claim_card(dataclasses.replace(placed.claim, measured=measured), CHAPTER, "here")
    assert [card.index(f"share {n} %") for n in ("0.5", "5", "10", "25")] == sorted(
        card.index(f"share {n} %") for n in ("0.5", "5", "10", "25")
    )


def test_claim_and_solution_cells_are_folded(book):
    stage, _ = book
    cells = dressed(stage)
    assert cells[1].metadata.tags == ["claim", "hide-input"]
    assert "NBVAL" not in cells[1].source
    assert cells[2].metadata.tags == ["solution", "hide-cell"]
    assert cells[2].metadata.mystnb.code_prompt_show == "Show the solution's code"
    assert cells[3].metadata.tags == ["hide-input"]


def test_the_chapter_card_stands_below_the_title(book):
    stage, _ = book
    source = dressed(stage)[0].source
    assert source.index("# Temperature") < source.index("chapter-card")
    assert source.index("chapter-card") < source.index("First words.")
    page = parse(blocks(source))
    assert len(page.links) == 4
    assert "12.3 s, 411 MiB at most" in source
    assert "L-Cool" in source


def test_a_chapter_that_did_not_run_says_so(book):
    stage, _ = book
    toy = nbformat.read(stage / "book" / "cooling" / "toy.ipynb", 4)
    assert "not executed in this build" in toy.cells[0].source


def test_an_erratum_gets_a_label_and_links(book):
    stage, _ = book
    box = dressed(stage)[4].outputs[0].data["text/markdown"]
    assert box.startswith("(erratum-lcool-limit)=\n")
    assert '../record/ledger.html#row-lcool-thm1"' in box


# ---- figures, status, symbols


def test_the_figure_index_has_small_thumbnails_with_alt_text(book):
    stage, _ = book
    page = text(stage, "figures")
    assert "![A (line) drawing.](thumbnails/fig-one.png){.ink}" in page
    assert "{numref}`fig-one`" in page
    assert "A caption with $x$." in page
    assert "ledger.html#row-lcool-fig3" in page
    with Image.open(stage / "book" / "record" / "thumbnails" / "fig-one.png") as image:
        assert image.width == 640
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_status_shows_cost_and_failure(book):
    stage, _ = book
    page = text(stage, "status")
    parse(blocks(page))
    for words in ("12.3 s", "411 MiB", "2 of 3", "abababab", "2.14.1", "failed", "Cores"):
        assert words in page
    assert "ZeroDivisionError: &lt;division&gt; by zero" in page


def test_the_same_runs_give_the_same_pages(book, tmp_path):
    stage, runs = book
    again = tmp_path / "again"
    (again / "book" / "cooling").mkdir(parents=True)
    for run, source in zip(runs, (runs[0].notebook, None), strict=True):
        nb = nbformat.read(source, 4) if source else v4.new_notebook(cells=[])
        nbformat.write(nb, again / "book" / f"{run.chapter}.ipynb")
    pages.write(again, runs)
    for page in ("ledger", "figures", "symbols", "status"):
        assert text(again, page) == text(stage, page)


def test_symbols_are_complete_and_closed(book):
    stage, _ = book
    page = text(stage, "symbols")
    parse(blocks(page))
    table = tomllib.loads(ledger.data_file("symbols.toml").read_text(encoding="utf-8"))
    allowed = {"symbol", "meaning", "code", *symbols.PAPERS}
    seen = []
    for group in table["group"]:
        for symbol in group["symbol"]:
            assert set(symbol) <= allowed
            seen.append(symbol["symbol"])
    assert len(seen) == len(set(seen))
    for letter in (r"$\alpha$", r"$\delta$", "$T$", r"$\sigma$", r"$\xi$", r"$\gamma$"):
        assert letter in seen
