"""The generated pages, from a synthetic executed notebook."""

import base64
import dataclasses
import io
import json
import re
import shutil
import tomllib
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from PIL import Image

from domain_translation.files import data_file
from domain_translation.notebook import criteria, ledger, machine
from domain_translation.notebook.cards import Card, Row
from domain_translation.notebook.errata import entries as errata
from domain_translation.notebook.rows import every_row
from domain_translation.press import pages
from domain_translation.press.book import Book
from domain_translation.press.files import PressError
from domain_translation.press.pages import (
    cards,
    collect,
    failed,
    figures,
    html,
    landing,
    statements,
    status,
    symbols,
)
from domain_translation.press.pages import ledger as ledger_page
from domain_translation.press.pages.drawn import Drawn
from domain_translation.press.run import Run

BOOK = Book(Path(__file__).resolve().parents[2])
ERROR = """\
cell 3 failed:
    model["`lost`"]
---------------------------------------------
KeyError           Traceback (most recent call last)
KeyError: '`lost` <b>'"""
CHAPTER = "cooling/temperature"
HELD = {
    "sentence": "at <least> one",
    "said": criteria.HOLDS,
    "low": 1.0,
    "numbers": [
        {
            "value": 2.5,
            "low": 2.25,
            "high": 2.75,
            "n": 10,
            "seeds": 10,
            "card": "cooling/digits",
            "origin": "2026-11-29, a processor",
        }
    ],
}
STATEMENTS = """
[[claim]]
rows = ["lcool.thm1"]
statement = 'a <b>bold</b> & "quoted" claim with $x < y$ and `p < q`'
source = "0.25"
"""
NASTY = 'a <b>bold</b> & "quoted" claim with $x < y$ and `p < q`'


def png(width: int = 900) -> str:
    out = io.BytesIO()
    Image.new("RGBA", (width, 300), (0, 0, 0, 0)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def claim(**changes):
    record = {
        "rows": ["lcool.thm1"],
        "verdict": criteria.CONFIRMED,
        "aspect": "",
        "scale": ledger.AS_STATED,
        "criteria": [HELD],
        "given": [],
        "needs": "more <b>seeds</b>",
        "measured": {"<i>variance</i>": 0.250412345, "steps": 100000, "all": [0.1, 0.25]},
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
                    claim(
                        verdict=criteria.CONTRADICTED,
                        rows=["lcool.fig3", "lcool.fig10"],
                        scale="8x8 <digits>",
                    ),
                    claim(verdict=criteria.REDUCED, aspect="toy", scale="8x8"),
                    claim(
                        verdict=criteria.NOT_RUN,
                        rows=["lcool.fig7"],
                        needs="maps",
                        criteria=[],
                        scale="",
                    ),
                    claim(verdict=criteria.RECORDED, rows=["lcool.eq8"], criteria=[], scale=""),
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
    (stage / "book" / "cooling" / "claims").mkdir(parents=True)
    (stage / "book" / "cooling" / "claims" / "temperature.toml").write_text(STATEMENTS)
    nbformat.write(nb, stage / "book" / f"{CHAPTER}.ipynb")
    bare = v4.new_notebook(cells=[v4.new_markdown_cell("# Toy"), v4.new_code_cell("1/0")])
    nbformat.write(bare, stage / "book" / "cooling" / "toy.ipynb")
    runs = [
        Run(CHAPTER, "Temperature & <noise>", "ran", "text changed", "ab" * 32, 12.34, 20.0, 410.6,
            executed, {"torch": "2.14.1", "python": "3.11.2"}),
        Run("cooling/toy", "Toy", "failed", "new", error=ERROR),
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
        self.open, self.ids, self.links, self.tags, self.classes = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [v for k, v in attrs if k == "id"]
        self.links += [v for k, v in attrs if k == "href"]
        self.classes += [v for k, v in attrs if k == "class"]
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
        ([criteria.NOT_RUN], criteria.NOT_RUN),
        ([criteria.RECORDED], criteria.RECORDED),
        ([criteria.RECORDED, criteria.CONFIRMED], criteria.CONFIRMED),
        ([criteria.CONFIRMED, criteria.NOT_RUN], criteria.CONFIRMED),
        ([criteria.CONFIRMED, criteria.REDUCED], criteria.REDUCED),
        ([criteria.REDUCED, criteria.CONTRADICTED, criteria.CONFIRMED], html.PARTLY),
        ([criteria.UNDECIDED, criteria.CONFIRMED], html.PARTLY),
        ([criteria.UNDECIDED, criteria.CONTRADICTED], criteria.CONTRADICTED),
        ([criteria.UNDECIDED, criteria.NOT_RUN], criteria.UNDECIDED),
    ],
)
def test_a_row_gets_one_word_for_its_pattern(verdicts, whole):
    assert html.row_verdict(verdicts) == whole


def test_a_pattern_counts_every_verdict():
    said = [criteria.UNDECIDED, criteria.CONFIRMED, criteria.UNDECIDED]
    assert html.pattern(said) == "1 confirmed, 2 undecided"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.5, None, "≥ 0.5"), (None, 0, "≤ 0"), (-1, 1, "-1 to 1"), (None, None, "")],
)
def test_the_threshold_of_a_criterion_in_words(low, high, said):
    assert html.wanted(ledger.Mark("", criteria.HOLDS, low=low, high=high)) == said


def test_links_are_relative_to_the_page():
    assert html.link("cooling/toy", "record/ledger", "row-a") == "../record/ledger.html#row-a"
    assert html.link("record/status", "record/ledger") == "ledger.html"
    assert html.link("intro", "record/ledger") == "record/ledger.html"


def test_every_verdict_has_its_own_mark_and_class():
    tally = dict.fromkeys(html.VERDICTS, 1)
    bar = parse(html.render("counts.html", tally=Counter(tally)))
    assert len({c for c in bar.classes if c.startswith("verdict ")}) == len(html.VERDICTS)
    assert len({html._KNOWN[v][0] for v in html.VERDICTS}) == len(html.VERDICTS)


# ---- the ledger


def test_the_ledger_has_every_row_once_and_closes_every_tag(book):
    stage, _ = book
    page = parse(blocks(text(stage, "ledger")))
    rows = [i for i in page.ids if i.startswith("row-")]
    assert sorted(rows) == sorted(html.row_anchor(r) for r in every_row())
    assert len(rows) == 305 + len(ledger.findings())
    assert len(page.ids) == len(set(page.ids))


def test_the_ledger_links_a_claim_to_its_card(book):
    stage, runs = book
    page = parse(blocks(text(stage, "ledger")))
    anchors = [p.anchor for p in collect.collect(runs[0], {}).claims]
    assert anchors == [
        "claim-lcool-thm1", "claim-lcool-fig3", "claim-lcool-thm1-toy", "claim-lcool-fig7",
        "claim-lcool-eq8",
    ]  # fmt: skip
    for anchor in anchors:
        assert f"../cooling/temperature.html#{anchor}" in page.links


def test_the_ledger_escapes_titles_and_counts_verdicts(book):
    stage, _ = book
    page = text(stage, "ledger")
    assert "Temperature &amp; &lt;noise&gt;" in page
    assert "<b>" not in page
    assert page.count('data-verdict="open"') == len(every_row()) - 5
    assert page.count('data-verdict="reduced"') == 1  # lcool.thm1: confirmed, and reduced
    assert "<small>1 confirmed, 1 confirmed at reduced scale</small>" in page
    assert page.count('data-verdict="contradicted"') == 2
    assert page.count('data-verdict="recorded"') == 1


def test_the_ledger_shows_scale_and_evidence_of_every_claim(book):
    page = text(book[0], "ledger")
    assert "contradicted; 8x8 &lt;digits&gt;" in page
    assert "given that" not in page
    assert "at &lt;least&gt; one" in page
    found = "2.5 [2.25, 2.75], wanted ≥ 1; 10 units, 10 trainings; card cooling/digits, 20"
    assert found in page
    assert "<em>Needs:</em> maps" in page


def test_the_ledger_marks_a_card_whose_code_has_changed(book):
    chapters = [collect.collect(book[1][0], {})]
    for stale, said in (({"cooling/digits"}, True), (set(), False)):
        page = ledger_page.page(chapters, stale, {"levels": {}})
        assert ("a processor; its code has changed since" in page) == said


def test_the_ledger_says_under_how_many_instruction_sets_a_claim_came_out_the_same(book):
    entry = {"crash": "", "other": ["lcool.fig3, lcool.fig10"]}
    levels = {"default": {CHAPTER: entry}, "native": {CHAPTER: {**entry, "other": []}}}
    page = ledger_page.page([collect.collect(book[1][0], {})], set(), {"levels": levels})
    assert "confirmed; as stated; 2 of 2 runs agree" in page
    assert "contradicted; 8x8 &lt;digits&gt;; 1 of 2 runs agree" in page


def test_the_ledger_counts_claims_by_scale(book):
    tally = ledger_page.scales([collect.collect(r, {}) for r in book[1]])
    assert tally[ledger.AS_STATED] == Counter({criteria.CONFIRMED: 1})
    assert tally["reduced scale"] == Counter({criteria.CONTRADICTED: 1, criteria.REDUCED: 1})


def test_what_no_source_states_is_counted_apart():
    tally = ledger_page.totals([])
    own = {r.id for r in ledger.inventory().values() if r.ours}
    assert "lcool.arch.thm1_exact" in own
    assert "cfebm.fig14" not in own  # its derivatives are the source's
    assert tally[ledger_page.ALL].total() == 305 - len(own)
    assert tally[ledger_page.DERIVED].total() == len(own)
    assert tally[ledger_page.BOOK].total() == len(ledger.findings())


def test_without_runs_all_rows_are_open(tmp_path):
    pages.write(tmp_path, [])
    assert text(tmp_path, "ledger").count('data-verdict="open"') == len(every_row())
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
    assert "≥ 1" in card
    assert "Needs" not in card  # decided
    assert "at &lt;least&gt; one" in card
    assert "v-contradicted" in outputs[1].data["text/html"]
    assert ">Needs</dt><dd>maps<" in outputs[3].data["text/html"]


DAMAGED = {
    "not toml at all [": "is damaged: ",
    '[[claim]]\nrows = ["a.b"]\nstatement = "s"': "is damaged: 'source'",
    '[[claim]]\nrows = ["a.b"]\nstatement = "s"\nsource = ""\n' * 2: "has two claims a.b; give",
}


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_statements_are_one_sentence(content, tmp_path):
    file = tmp_path / "part" / "claims" / "one.toml"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(
        PressError, match=re.escape(f"book/part/claims/one.toml {DAMAGED[content]}")
    ):
        statements.read(tmp_path, "part/one")


def test_measured_numbers_stand_in_natural_order(book):
    _, runs = book
    placed = collect.collect(runs[0], {}).claims[0]
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
    assert len(page.links) == 5
    assert "12.3 CPU s, 411 MiB at most" in source
    assert "L-Cool" in source


@pytest.mark.parametrize(("profile", "whose"), [("quick", ""), ("full", ", and the verdicts are")])
def test_the_chapter_card_says_where_the_run_lies_among_ten_seeds(book, profile, whose):
    rows = tuple(Row("", s, "gain", 1.0 + 0.1 * (s % 3)) for s in range(10))
    told = (["", "gain", 1.1, [], 0.0], ["", "loss", 1.1, [], 0.0])
    run = dataclasses.replace(book[1][0], measured=told, profile=profile)
    page = cards.chapter_card(collect.collect(run, {}, Card(CHAPTER, "quick", rows)))
    assert f"ten seeds; 1 of 2 numbers of this run lie where they expect them{whose}" in page
    assert "ten seeds" not in cards.chapter_card(collect.collect(run, {}))


def test_findings_of_our_own_stand_in_no_section():
    found = cards._sections({"lcool.fig12": "supported", "book.language.permutation": "supported"})
    assert list(found) == ["L-Cool"]
    assert all(found.values())


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
    assert machine.processor() in page
    # What failed stands above everything else, and leads to the traceback.
    assert page.index("One chapter failed") < page.index("Every chapter is a program")
    assert "{ref}`Toy <failed-cooling-toy>`: `` KeyError: '`lost` <b>' `` in cell 3" in page
    assert f"(failed-cooling-toy)=\n## What failed in cooling/toy\n\n```text\n{ERROR}\n```" in page


def test_status_marks_dear_chapters_and_adds_up():
    runs = [
        Run(n, n, "ran", cpu_seconds=s, notebook=Path("there"))
        for n, s in (("a", 44.9), ("b", 45.2))
    ]
    page = status.page([collect.Chapter(run, (), ()) for run in runs])
    assert page.count('class="dear"') == 1
    assert 'class="dear">45.2 s<' in page
    assert ">90.1 s<" in page
    assert "failed" not in page


# ---- chapters that failed


def staged(stage, run):
    """The source of the first cell of a chapter's page, dressed for `run`."""
    target = stage / "book" / f"{run.chapter}.ipynb"
    target.parent.mkdir(parents=True)
    cells = [
        v4.new_markdown_cell("<span>An Exception</span>", metadata={"tags": [cards.PAPERMILL]}),
        v4.new_markdown_cell("# Toy\n\nFirst words."),
        v4.new_code_cell("1/0", outputs=[v4.new_output("error", ename="E", evalue="e")]),
    ]
    target.write_text(json.dumps(v4.new_notebook(cells=cells)))
    pages.write(stage, [run])
    return nbformat.read(target, 4).cells


@pytest.mark.parametrize(
    ("good", "partial", "words"),
    [
        (True, True, "its last good run, of 14 November 2023, from an older state"),
        (False, True, "its text, with what it computed before it failed"),
        (False, False, "It computed nothing"),
    ],
)
def test_the_page_of_a_failed_chapter_says_so_below_its_title(book, tmp_path, good, partial, words):
    _, runs = book
    executed = runs[0].notebook
    run = dataclasses.replace(
        runs[1],
        notebook=executed if good else None,
        partial=executed if partial else None,
        stale=good,
        finished=1.7e9 if good else 0.0,
    )
    cells = staged(tmp_path / "again", run)
    page = cells[0].source
    order = ["# Toy", "This chapter failed in this build", words, ERROR, "chapter-card", "First"]
    assert [page.index(o) for o in order] == sorted(page.index(o) for o in order)
    assert "It failed with `` KeyError: '`lost` <b>' `` in cell 3." in page
    # The traceback is folded: not among the outputs, not in papermill's own cell.
    assert len(cells) == 2
    assert cells[1].outputs == []
    found = collect.collect(run, {}).claims
    assert len(found) == (5 if good else 0)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ValueError: no", "` ValueError: no `"),
        ("Kernel died\ncell 5 failed:\n    f()\n(not finished)", "` Kernel died ` in cell 5"),
        ("", "no message"),
    ],
)
def test_a_failure_in_one_line(error, words):
    assert failed.failure(Run("a", "A", "failed", error=error)) == words


def test_a_traceback_with_fences_stays_one_block():
    assert failed.notice(Run("a", "A", "failed", error="```\nE: x")).count("````") == 2


def test_the_navigation_marks_what_failed():
    toc = {
        "root": "book/intro",
        "parts": [{"chapters": [{"file": "book/a/one"}, {"file": "book/a/two.md"}]}],
    }
    runs = [Run("a/one", "One", "ran"), Run("a/two", "Two", "failed")]
    one, two = failed.mark_navigation(toc, runs)["parts"][0]["chapters"]
    assert one == {"file": "book/a/one"}
    assert two == {"file": "book/a/two.md", "title": "Two (failed)"}
    assert toc["parts"][0]["chapters"][1] == {"file": "book/a/two.md"}
    assert failed.mark_navigation(toc, runs[:1]) == toc


def test_the_ledger_says_which_answers_come_from_an_older_run(book):
    _, runs = book
    chapter = collect.collect(dataclasses.replace(runs[0], stale=True), {})
    assert "confirmed; as stated; an older run" in ledger_page.page(
        [chapter], set(), {"levels": {}}
    )


# ---- the landing page


def test_the_landing_page_counts_what_the_ledger_counts(book):
    stage, runs = book
    counts = (stage / "book" / "landing" / "counts.html").read_text(encoding="utf-8")
    parse(counts)
    tally = ledger_page.totals([collect.collect(r, {}) for r in runs])[ledger_page.ALL]
    assert tally[criteria.CONTRADICTED] == 2
    for verdict in html.VERDICTS:
        if tally[verdict]:
            assert f"<strong>{tally[verdict]}</strong>" in counts


def test_every_chapter_and_nothing_else_has_a_question_and_an_answer():
    entries = landing.questions(BOOK.root / "book" / "questions.toml")
    assert set(entries) == {c.name for c in BOOK.chapters}
    for name, entry in entries.items():
        assert set(entry) == {"question", "answer"}, name
        assert entry["question"].endswith("?"), name
        assert entry["answer"].endswith("."), name
        assert max(map(len, entry.values())) < 200, name


def test_the_landing_page_shows_a_figure_of_a_chapter(book, monkeypatch):
    stage, runs = book
    assert not (stage / "book" / "landing" / "cooling.png").exists()
    monkeypatch.setattr(landing, "PICTURE", "fig-one")
    landing.write(stage / "book", [collect.collect(run, {}) for run in runs])
    shown = (stage / "book" / "landing" / "cooling.png").read_bytes()
    assert shown == base64.b64decode(png())


def test_the_figure_of_the_landing_page_exists():
    assert any(f"name: {landing.PICTURE}" in chapter.text for chapter in BOOK.chapters)


def test_the_questions_link_to_their_chapters(tmp_path):
    (tmp_path / "questions.toml").write_text(
        '["cooling/toy"]\nquestion = "Is $a<b$?"\nanswer = "No."\n', encoding="utf-8"
    )
    runs = [Run("cooling/toy", "Toy & co", "not run"), Run("cooling/new", "New", "not run")]
    chapters = [collect.collect(run, {}) for run in runs]
    landing.write(tmp_path, chapters)
    table = (tmp_path / "landing" / "questions.html").read_text(encoding="utf-8")
    assert parse(table).links == ["cooling/toy.html"]
    assert "Toy &amp; co" in table
    assert r"\(a&lt;b\)" in table


def test_pictures_are_drawn_once_and_forgotten_when_unused(tmp_path):
    drawn, asked = Drawn(tmp_path), []

    def draw():
        asked.append(1)
        return b"PNG"

    assert [drawn.get(b"a", draw), drawn.get(b"a", draw), drawn.get(b"b", draw)] == [b"PNG"] * 3
    assert len(asked) == 2
    later = Drawn(tmp_path)
    later.get(b"b", draw)
    later.forget_others()
    assert len(asked) == 2
    assert len(list(tmp_path.iterdir())) == 1


def test_thumbnails_are_made_once(book, monkeypatch):
    stage, runs = book

    def again(png):
        raise AssertionError("a thumbnail was made twice")

    monkeypatch.setattr(figures, "thumbnail", again)
    nbformat.write(nbformat.read(runs[0].notebook, 4), stage / "book" / f"{CHAPTER}.ipynb")
    pages.write(stage, runs)


def test_the_same_runs_give_the_same_pages(book, tmp_path):
    stage, runs = book
    again = tmp_path / "again"
    (again / "book" / "cooling").mkdir(parents=True)
    for run, source in zip(runs, (runs[0].notebook, None), strict=True):
        nb = nbformat.read(source, 4) if source else v4.new_notebook(cells=[])
        nbformat.write(nb, again / "book" / f"{run.chapter}.ipynb")
    shutil.copytree(stage / "book/cooling/claims", again / "book/cooling/claims")
    pages.write(again, runs)
    for page in ("ledger", "figures", "symbols", "status"):
        assert text(again, page) == text(stage, page)


def test_symbols_are_complete_and_closed(book):
    stage, _ = book
    page = text(stage, "symbols")
    parse(blocks(page))
    table = tomllib.loads(data_file("symbols.toml").read_text(encoding="utf-8"))
    allowed = {"symbol", "meaning", "code", *symbols.PAPERS}
    seen = []
    for group in table["group"]:
        for symbol in group["symbol"]:
            assert set(symbol) <= allowed
            seen.append(symbol["symbol"])
    assert len(seen) == len(set(seen))
    for letter in (r"$\alpha$", r"$\delta$", "$T$", r"$\sigma$", r"$\xi$", r"$\gamma$"):
        assert letter in seen
