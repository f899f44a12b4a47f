"""The built HTML, read without a browser. Needs `make book`."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from domain_translation.press import launch
from domain_translation.press.book import Book

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"

pytestmark = [
    pytest.mark.book,
    pytest.mark.skipif(
        not (HTML / "index.html").is_file(), reason="no built book: run `make book`"
    ),
]


def documents():
    """Names of the book's pages, as in the table of contents."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [c["file"] for part in toc["parts"] for c in part["chapters"]]
    return [toc["root"], *chapters]


class Page(HTMLParser):
    """Elements of a page, by what the tests ask for."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.in_article = [], 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.in_article += tag == "article"
        self.elements.append((tag, dict(attrs), bool(self.in_article)))

    def handle_endtag(self, tag):
        self.in_article -= tag == "article"

    def all(self, *tags):
        return [(attrs, inside) for tag, attrs, inside in self.elements if tag in tags]

    @property
    def ids(self):
        return [a["id"] for _, a, _ in self.elements if a.get("id")]


@cache
def parsed(path):
    return Page(path)


@pytest.fixture(params=documents())
def page(request):
    return parsed(HTML / f"{request.param}.html"), request.param


def test_every_picture_has_a_text_alternative(page):
    read, name = page
    pictures = [a for a, inside in read.all("img") if inside]
    assert not [a["src"] for a in pictures if len(a.get("alt") or "") < 8], name


def test_every_figure_has_a_caption_and_a_class(page):
    read, name = page
    figures, captions = read.all("figure"), read.all("figcaption")
    assert len(figures) == len(captions), name
    drawn = [a for a, inside in read.all("img") if inside]
    assert not [a["src"] for a in drawn if not {"ink", "photo"} & set(a.get("class", "").split())]


def test_internal_links_and_anchors_resolve(page):
    read, name = page
    here = HTML / f"{name}.html"
    broken = []
    for attrs, _ in read.all("a", "link", "img", "script"):
        url = attrs.get("href") or attrs.get("src") or ""
        parts = urlsplit(url)
        if parts.scheme or parts.netloc or not url or url == "#":
            continue
        target = (here.parent / unquote(parts.path)).resolve() if parts.path else here
        anchored = parts.fragment and target.suffix == ".html"
        if not target.is_file() or (
            anchored and target.is_file() and unquote(parts.fragment) not in parsed(target).ids
        ):
            broken.append(url)
    assert not broken


def test_nothing_is_loaded_from_elsewhere(page):
    read, _ = page
    for attrs, _ in read.all("script", "img", "iframe", "link", "source"):
        url = attrs.get("src") or attrs.get("href") or ""
        assert not urlsplit(url).scheme, url
        assert not url.startswith("//"), url


def test_style_sheets_load_nothing_from_elsewhere():
    for sheet in (HTML / "_static").rglob("*.css"):
        for url in re.findall(r"url\(([^)]+)\)", sheet.read_text(encoding="utf-8")):
            assert not url.strip("\"'").startswith(("http", "//")), (sheet, url)


def test_ids_are_unique(page):
    read, name = page
    # sphinx-proof gives all proofs of a page one id
    ids = [i for i in read.ids if i not in {"proof", "proof-content"}]
    assert not {i for i in ids if ids.count(i) > 1}, name


def test_pages_have_a_language_and_one_heading(page):
    read, name = page
    assert read.all("html")[0][0]["lang"] == "en"
    assert len([1 for _, inside in read.all("h1") if inside]) == 1, name


def prose(path):
    """A page's article as text, without mathematics and code."""
    article = re.search(r"<article.*?</article>", path.read_text(encoding="utf-8"), re.DOTALL)
    text = article[0]
    for typeset in (
        r'<div class="math.*?</div>',
        r'<span class="math.*?</span>',
        r"<pre.*?</pre>",
        r"<code.*?</code>",
    ):
        text = re.sub(typeset, " ", text, flags=re.DOTALL)
    return re.sub(r"<[^>]*>", " ", text)


@pytest.mark.parametrize("name", [n for n in documents() if "/record/" not in n])
def test_no_formula_is_left_as_its_source(name):
    # The record quotes the sources, damaged formulas included; a chapter has none.
    assert re.findall(r"\\[A-Za-z]{3,}|\$\$", prose(HTML / f"{name}.html")) == []


def test_launch_link_opens_the_notebook_of_the_page(page):
    read, name = page
    book = Book(ROOT)
    found = {a["href"] for a, _ in read.all("a") if "colab.research" in a.get("href", "")}
    chapter = name.removeprefix("book/")
    if launch.published(book) and chapter in {c.name for c in book.chapters}:
        assert found == {launch.colab_address(book, chapter)}
    else:
        assert not found


def test_no_page_leads_to_an_address_that_is_not_published(page):
    read, _ = page
    book = Book(ROOT)
    links = [a.get("href", "") for a, _ in read.all("a")]
    assert launch.published(book) or not [h for h in links if h.startswith(book.repository)]


def test_the_site_is_small_and_holds_no_sources():
    assert not (HTML / "_sources").exists()
    assert sum(p.stat().st_size for p in HTML.rglob("*") if p.is_file()) < 100e6


def test_the_ledger_page_lists_every_row():
    from domain_translation.notebook import ledger

    ids = set(parsed(HTML / "book" / "record" / "ledger.html").ids)
    assert (
        not {"row-" + re.sub(r"[^a-z0-9]+", "-", row.lower()) for row in ledger.inventory()} - ids
    )
