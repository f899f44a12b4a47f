"""The built HTML in Chromium, opened from disk as a reader would. Needs `make book`.

Each page is loaded once, and looked at in the same tab wide, narrow, light and dark: setting the
formulas of a page takes longer than all that is asked of it.
"""

import os
import shutil

import pytest
from test_book_html import HTML, documents

from domain_translation.notebook.rows import every_row, inventory

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (HTML / "index.html").is_file(), reason="no built book: run `make book`"
    ),
]

# Contrast of an element's text with the first opaque colour behind it, as WCAG defines it.
CONTRAST = """selectors => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return Array.from(pen.getImageData(0, 0, 1, 1).data);
  };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(
      v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let n = node; n; n = n.parentElement) {
      const c = rgba(getComputedStyle(n).backgroundColor);
      if (c[3] > 250) return c;
    }
    return [255, 255, 255, 255];
  };
  const poor = [];
  for (const selector of selectors) for (const node of document.querySelectorAll(selector)) {
    const own = Array.from(node.childNodes).some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.getClientRects().length) continue;
    const [a, b] = [light(rgba(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const text = node.textContent.trim().slice(0, 40);
    if (ratio < 4.5) poor.push(`${selector}: ${text} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
TEXT = [
    ".bd-article p", ".bd-article li", ".bd-article a", ".bd-article h1", ".bd-article h2",
    ".bd-article figcaption span", ".bd-article pre", ".bd-article pre span", ".bd-article code",
    ".claim-card *", ".chapter-card *", ".verdict", ".bd-article td", ".bd-article th",
    ".bd-article dt", ".bd-article dd", ".bd-article small", ".bd-article summary",
    ".bd-article .admonition-title", ".bd-links a", ".bd-toc-nav a", ".ledger-filter *",
]  # fmt: skip


# What reaches beyond the window when all that folds is unfolded.
WIDE = """width => document.documentElement.scrollWidth <= width ? [] :
  Array.from(document.querySelectorAll(".bd-main *"))
    .filter(n => n.getBoundingClientRect().right > width + 1)
    .map(n => n.tagName + "." + n.className).slice(0, 8)"""
# The article itself may not be cut off either: what is wide scrolls inside itself.
CUT_OFF = """() => { const a = document.querySelector(".bd-article");
                     return a.scrollWidth > a.clientWidth + 1; }"""
# Nor may code, a table or a box hide a part of itself, or show it only to who scrolls sideways.
HIDDEN = """() => {
  const shown = selector => Array.from(document.querySelectorAll(selector))
    .filter(n => n.getClientRects().length);
  const boxes =
    ".admonition, .proof, .claim-card, .chapter-card, figure, .sd-card, .cell_output > *";
  const wide = shown(`.bd-article :is(pre, table, ${boxes})`).filter(
    n => n.scrollWidth > n.clientWidth + 1 && getComputedStyle(n).display !== "inline");
  const out = shown(".bd-article table").filter(n => {
    const right = n.getBoundingClientRect().right;
    return right > n.parentElement.getBoundingClientRect().right + 1 || right > innerWidth;
  });
  return [...wide, ...out].map(n => n.tagName + "." + n.className + " " + n.scrollWidth + " > "
    + n.clientWidth + ": " + n.textContent.trim().slice(0, 40));
}"""
PATIENCE = 300_000  # milliseconds; a busy machine only takes longer
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
UNFOLDED = "() => document.querySelectorAll('details').forEach(d => { d.open = true; })"
FILTERS = "nodes => nodes.map(n => getComputedStyle(n).filter)"


def _missing(what):
    """A machine of one's own may lack a browser; the one that says whether a change is good may
    not, or these tests would never run."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"{what}; CI must run the browser tests")
    pytest.skip(what)


@pytest.fixture(scope="module")
def browser():
    try:
        from playwright import sync_api
    except ImportError:
        _missing("playwright is not installed")
    if CHROMIUM is None:
        _missing("no Chromium found: install Debian's chromium, or Chrome")
    with sync_api.sync_playwright() as p:
        chromium = p.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """A function that opens a page of the book and waits until its formulas are set."""
    contexts = []

    def opened(document, watch=None):
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce"
        )
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE)
        if watch is not None:
            tab.on("console", lambda m: watch.append(m.text) if m.type == "error" else None)
            tab.on("pageerror", lambda e: watch.append(str(e)))
            tab.on("requestfailed", lambda r: watch.append(f"failed: {r.url}"))
            tab.on("request", lambda r: None if _local(r.url) else watch.append(r.url))
        tab.goto((HTML / f"{document}.html").as_uri())
        if tab.locator("span.math, div.math").count():
            tab.wait_for_function("window.MathJax?.startup?.promise !== undefined")
            tab.evaluate("async () => { await MathJax.startup.promise; }")
        return tab

    yield opened
    for context in contexts:
        context.close()


def _local(url):
    return url.startswith(("file:", "data:", "blob:"))


@pytest.mark.parametrize("document", documents())
def test_a_page_loads_whole_and_can_be_read_everywhere(open_page, document):
    trouble, found = [], {}
    tab = open_page(document, trouble)
    formulas = tab.locator("span.math, div.math").count()
    found["formulas left as text"] = formulas > tab.locator("mjx-container").count()
    found["broken formulas"] = tab.locator("mjx-merror, mjx-container [data-mjx-error]").count()
    tab.evaluate(UNFOLDED)
    # A colour on its way from one theme to the other is neither.
    tab.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        tab.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
        found[f"hard to read, {scheme}"] = tab.evaluate(CONTRAST, TEXT)
    # Still in the dark: line drawings are inverted there, photographs are not.
    ink, photo = (
        tab.locator(f".bd-article img.{kind}").evaluate_all(FILTERS) for kind in ("ink", "photo")
    )
    found["drawings not inverted"] = sum("invert(1)" not in f for f in ink)
    found["photographs inverted"] = sum("invert" in f for f in photo)
    for width in (1280, 390):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.evaluate(SETTLED)
        found[f"hidden at {width} pixels"] = tab.evaluate(HIDDEN)
    tab.set_viewport_size({"width": 375, "height": 900})
    found["wider than a phone"] = tab.evaluate(WIDE, 375)
    found["cut off on a phone"] = tab.evaluate(CUT_OFF)
    found["errors and requests"] = trouble
    assert not {what: value for what, value in found.items() if value}


def test_the_search_finds_a_word_from_disk(open_page):
    tab = open_page("search")
    tab.goto((HTML / "search.html").as_uri() + "?q=temperature")
    tab.wait_for_selector("#search-results ul.search li a")
    assert tab.locator("#search-results ul.search li").count() >= 2


def test_the_ledger_filter(open_page):
    tab = open_page("book/record/ledger")
    rows = tab.locator("table.ledger tbody tr")
    form = tab.locator("#ledger-filter")
    assert form.is_visible()
    assert rows.count() == len(every_row())
    form.locator("select[name=source]").select_option("jd-bw")
    shown = tab.locator("table.ledger tbody tr:visible")
    assert shown.count() == sum(r.source == "JD-BW" and not r.ours for r in inventory().values())
    assert tab.locator("section#l-cool").is_hidden()
    form.locator("select[name=kind]").select_option("algorithm")
    assert shown.count() == 2
    form.locator("input[name=words]").fill("one-sided")
    assert shown.count() == 1
    assert form.locator("output").inner_text() == "1 row"
    # A link to a hidden row shows it again.
    tab.evaluate("location.hash = '#row-lcool-thm1'")
    tab.wait_for_function("document.querySelector('#row-lcool-thm1').checkVisibility()")
    assert shown.count() == len(every_row())


def test_the_ledger_reads_without_scripts(browser):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto((HTML / "book" / "record" / "ledger.html").as_uri())
    assert tab.locator("#ledger-filter").is_hidden()
    assert tab.locator("table.ledger tbody tr:visible").count() == len(every_row())
    context.close()


def test_the_reader_can_switch_the_theme(open_page):
    tab = open_page("book/record/symbols")
    before = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(3):
        tab.locator(".theme-switch-button:visible").first.click()
        if tab.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != before
