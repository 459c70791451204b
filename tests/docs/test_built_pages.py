"""The pages that ``make docs`` has built: whole, readable on any screen, and of use offline."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.evenkeel.test_page import contrast, sized

PAGES = Path(__file__).parents[2] / "out" / "docs"

# A page of each kind.
KINDS = (
    "index.html",
    "start.html",
    "proved.html",
    "tutorials/theorist.html",
    "tutorials/student.html",
    "theory/index.html",
    "theory/step.full-refill-gap.html",
    "theory/threshold.two-sided.html",
    "gallery/index.html",
    "gallery/plot_05_theorem_bites.html",
    "notebooks/bound.html",
    "cli.html",
    "formats.html",
    "api.html",
    "glossary.html",
)


@pytest.fixture(scope="module")
def pages():
    if not (PAGES / "index.html").is_file():
        pytest.skip("no pages in out/docs: make docs builds them")
    return PAGES


@pytest.fixture(scope="module")
def wait(browser):
    """Waits until a function of the browser is true; returns what it found."""
    from selenium.webdriver.support.wait import WebDriverWait

    return WebDriverWait(browser, 60).until


class Page(HTMLParser):
    """Ids, links, images and scripts of a page, and the text that it shows outside of code."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loads, self.words = set(), [], [], []
        self.quiet = 0
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.quiet += tag in ("script", "style", "pre", "code")
        self.ids.add(given.get("id"))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        self.loads += [given[key] for key in ("src",) if given.get(key)]
        if tag == "link" and "stylesheet" in given.get("rel", ""):
            self.loads.append(given["href"])

    def handle_endtag(self, tag):
        self.quiet -= tag in ("script", "style", "pre", "code")

    def handle_data(self, data):
        if not self.quiet:
            self.words.append(data)


def test_every_link_and_every_picture_is_there(pages):
    """On all pages, by their texts: the file, and the place in it that the link names."""
    read = {path: Page(path) for path in pages.rglob("*.html") if "_static" not in path.parts}
    assert len(read) > 150
    missing = []
    for path, page in read.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                missing.append(f"{path.relative_to(pages)}: {link}")
            elif parts.fragment and target in read:
                place = unquote(parts.fragment)
                if place not in read[target].ids and link not in ("#", "#top"):
                    missing.append(f"{path.relative_to(pages)}: {link}: no such place")
    assert not missing, "\n".join(sorted(missing)[:40])


def test_no_page_shows_the_source_of_its_maths(pages):
    """Formulas are MathML, which needs no script; what TeX or Markdown left would be seen."""
    shown = {}
    for path in (pages / "theory").glob("*.html"):
        page = Page(path)
        found = re.search(r"\\\(|\\\[|\$\$|\\frac|\{math\}|\{doc\}|\]\(", " ".join(page.words))
        if found:
            shown[path.name] = found[0]
    assert not shown
    assert "<math" in (pages / "theory" / "step.full-refill-gap.html").read_text("utf-8")
    everything = "".join(path.read_text("utf-8") for path in pages.rglob("*.html"))
    assert "mathjax" not in everything.lower()


GROUND = """
const ground = e => {
  for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if (!c.startsWith('rgba')) return c;  // a tint changes little
  }
  return getComputedStyle(document.body).backgroundColor;
};
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_and_are_read(browser, pages, width, scheme):
    """Nothing scrolls sideways, texts have contrast, pictures load, and no error is logged."""
    sized(browser, width, prefers_color_scheme=scheme)
    faults = []
    for name in KINDS:
        browser.get((pages / name).as_uri())
        scroll, client = browser.execute_script(
            "const e = document.documentElement; return [e.scrollWidth, e.clientWidth]"
        )
        if scroll > client:
            wide = browser.execute_script(
                "return [...document.querySelectorAll('article *')].filter(e => "
                "e.getBoundingClientRect().right > innerWidth + 1)"
                ".map(e => e.tagName + '.' + e.className).slice(0, 5)"
            )
            faults.append(f"{name}: {scroll} wide on a screen of {client}: {wide}")
        faults += [f"{name}: {entry['message']}" for entry in browser.get_log("browser")]
        texts = browser.execute_script(
            GROUND
            + "return [...document.querySelectorAll('article :is(h1, h2, h3, p, a, td, li)')]"
            ".filter(e => e.checkVisibility() && e.textContent.trim())"
            ".map(e => [getComputedStyle(e).color, ground(e), e.tagName + ' ' + e.textContent])"
        )
        assert texts, name
        faults += {
            f"{name}: contrast {contrast(colour, ground):.1f}: {text[:60]!r}"
            for colour, ground, text in texts
            if contrast(colour, ground) < 4.5
        }
        head = browser.execute_script(
            "const e = document.querySelector('h1'), b = e.getBoundingClientRect();"
            "return [b.left, b.right, e.scrollWidth - e.clientWidth, b.height]"
        )
        if head[0] < 0 or head[1] > width or head[2] > 1 or head[3] < 20:
            faults.append(f"{name}: heading {head}")
        empty = browser.execute_script(
            "return [...document.images].filter(e => { e.loading = 'eager';"
            " return e.complete && !e.naturalWidth}).map(e => e.src)"
        )
        faults += [f"{name}: no picture {source}" for source in empty]
        flat = browser.execute_script(
            "return [...document.querySelectorAll('article math')]"
            ".filter(e => e.checkVisibility() && e.getBoundingClientRect().width < 2).length"
        )
        if flat:
            faults.append(f"{name}: {flat} formulas are not drawn")
        bars = browser.execute_script(
            "return [...document.querySelectorAll('article :is(div, pre, p, li)')]"
            ".filter(e => e.scrollHeight > e.clientHeight + 1 &&"
            " /auto|scroll/.test(getComputedStyle(e).overflowY))"
            ".map(e => e.tagName + '.' + e.className)"
        )
        faults += {f"{name}: scrolls by itself, up and down: {bar}" for bar in bars}
    assert not faults, "\n".join(faults[:30])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_change_their_ground_on_dark_pages(browser, pages, scheme):
    sized(browser, 1280, prefers_color_scheme=scheme)
    for name in ("gallery/plot_08_energy_bounds.html", "theory/family-energy.html"):
        browser.get((pages / name).as_uri())
        shown = browser.execute_script(
            "return [...document.querySelectorAll('article img')]"
            ".map(e => getComputedStyle(e).filter)"
        )
        assert len(shown) > 0
        assert all(way.startswith("invert(" if scheme == "dark" else "none") for way in shown), name


@pytest.mark.parametrize("width", [390, 1280])
def test_a_search_finds_without_a_network(browser, wait, pages, width):
    sized(browser, width)
    browser.get(f"{(pages / 'search.html').as_uri()}?q=imbalance")
    links = wait(lambda b: b.find_elements("css selector", "#search-results li:nth-child(9) a"))
    assert browser.get_log("browser") == []
    links[0].click()
    assert "imbalance" in browser.find_element("css selector", "article").text.lower()


@pytest.mark.parametrize("width", [390, 1280])
def test_links_land_on_what_they_name(browser, wait, pages, width):
    """A link into a page shows its place below what stays at the top of the screen."""
    sized(browser, width, prefers_reduced_motion="reduce")
    for name in ("cli.html", "glossary.html", "theory/step.full-refill-gap.html"):
        places = [
            link
            for link in Page(pages / name).links
            if link.startswith("#") and len(link) > 1 and "top" not in link
        ]
        for place in places[1:6:2]:
            browser.get("about:blank")
            browser.get((pages / name).as_uri() + place)
            wait(
                lambda b: b.execute_script(
                    "const e = document.getElementById(decodeURIComponent(location.hash.slice(1)));"
                    "const top = e.getBoundingClientRect().top;"
                    "return 0 <= top && top < innerHeight"
                ),
                f"{name}{place}",
            )
