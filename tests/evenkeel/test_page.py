"""The HTML report: complete in itself, every link leads somewhere, and browsers agree."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from html.parser import HTMLParser

import pytest

from evenkeel.findings.check import Verdict
from evenkeel.report.hardware_table import hardware_rows
from evenkeel.report.rendering import pictures, report_html, report_markdown
from evenkeel.runs.records import read_records
from evenkeel.runs.reproduce import run
from evenkeel.theorems.registry import claims
from paper_figures.catalogue import figure

LABELS = ["step.gap-naive", "step.full-refill-tight", "step.waterfill", "energy.limit-paper"]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a run of a few claims, with one figure."""
    out = tmp_path_factory.mktemp("page")
    with ThreadPoolExecutor(1) as pool:
        run(LABELS, out, pool)
    entries = list(read_records(out / "records.jsonl"))
    svg = out / "figure.svg"
    svg.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "utf-8")
    figures = pictures({"energy_saving": [out / "energy_saving.csv", svg]})
    path = out / "report.html"
    path.write_text(report_html(entries, "evenkeel reproduce", figures=figures), "utf-8")
    return path


class Reader(HTMLParser):
    """Collects ids, links, sources and tags, and sees that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.sources = Counter(), [], []
        self.tags, self.open = Counter(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags[tag] += 1
        if tag not in ("meta", "link", "img", "br", "input"):
            self.open.append(tag)
        if "id" in given:
            self.ids[given["id"]] += 1
        if "href" in given:
            self.links.append(given["href"])
        if "src" in given:
            self.sources.append(given["src"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_complete_in_itself(report):
    read = Reader(report.read_text("utf-8"))
    assert not read.open
    assert read.tags["script"] == 0
    assert all(link.startswith(("#", "data:")) for link in read.links)
    assert read.sources
    assert all(source.startswith("data:") for source in read.sources)


def test_every_link_leads_to_one_place(report):
    read = Reader(report.read_text("utf-8"))
    assert max(read.ids.values()) == 1
    # A claim may rest on one that this run did not check; that is a text, not a link.
    missing = {link[1:] for link in read.links if link.startswith("#")} - set(read.ids)
    assert not missing
    assert set(LABELS) <= set(read.ids)


def test_the_page_says_what_the_records_say(report):
    text = report.read_text("utf-8")
    for label in LABELS:
        assert claims()[label].title in text
        assert f"evenkeel check {label}" in text
    assert "refuted (as expected" in text
    assert Verdict.PROVED in text
    assert "Bounds on the energy that perfect balance saves" in text
    assert "the baseline&#39;s idle share" in text
    assert "<math" in text
    assert "Theorem step_waterfill" in text


def test_the_markdown_has_the_same_tables_and_figures(report):
    entries = list(read_records(report.with_name("records.jsonl")))
    text = report_markdown(entries, "evenkeel reproduce", {"energy": ["energy_saving"]})
    assert f"![{figure('energy_saving').caption}](figures/energy_saving.svg)" in text
    page_text = unescape(report.read_text("utf-8"))
    for row in hardware_rows():
        assert all(cell in page_text for cell in row)
        assert f"| {row[0]} | {row[1]} |" in text


def sized(browser, width, **media):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen", "features": features})


def unfold(browser):
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


@pytest.mark.parametrize("width", [390, 1280])
def test_no_error_and_no_sideways_scroll(browser, report, width):
    sized(browser, width)
    browser.get(report.as_uri())
    unfold(browser)
    inner = browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert inner[0] <= inner[1]
    assert browser.get_log("browser") == []


def test_foldings_open_with_the_keyboard(browser, report):
    from selenium.webdriver.common.keys import Keys

    sized(browser, 1280)
    browser.get(report.as_uri())
    summary = browser.find_element("css selector", "details.claim > summary")
    state = "return document.querySelector('details.claim').open"
    assert browser.execute_script(state) is False
    summary.send_keys(Keys.ENTER)
    assert browser.execute_script(state) is True
    summary.send_keys(Keys.SPACE)
    assert browser.execute_script(state) is False


def test_a_link_to_a_folded_claim_opens_it(browser, report):
    sized(browser, 1280)
    browser.get(f"{report.as_uri()}#step.waterfill")
    body = browser.find_element("id", "step.waterfill")
    assert body.is_displayed()
    assert claims()["step.waterfill"].statement in body.text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_schemes(browser, report, scheme):
    sized(browser, 1280, prefers_color_scheme=scheme)
    browser.get(report.as_uri())
    unfold(browser)
    pairs = browser.execute_script(
        """
        const ground = e => {
          for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor;
            if (c !== 'rgba(0, 0, 0, 0)') return c;
          }
          return 'rgb(255, 255, 255)';
        };
        return [...document.querySelectorAll('p, dd, dt, a, .verdict, .sides, .label, td')]
          .map(e => [getComputedStyle(e).color, ground(e)]);
        """
    )
    assert len(pairs) > 50
    # 4.5 is the least contrast for text in the Web Content Accessibility Guidelines (AA).
    assert min(contrast(*pair) for pair in {tuple(pair) for pair in pairs}) >= 4.5


def contrast(first, second):
    """Contrast ratio of two opaque colours, by the guidelines' formula."""

    def luminance(colour):
        parts = [int(x) / 255 for x in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


SHOWN = "return [...document.querySelectorAll('details.claim')].filter(e => e.checkVisibility())"
LABELS_SHOWN = f"{SHOWN}.map(e => e.querySelector('.label').textContent)"


@pytest.mark.parametrize("width", [390, 1280])
def test_one_verdict_can_be_shown_alone(browser, report, width):
    verdicts = {
        entry["claim"]: entry["verdict"]
        for entry in read_records(report.with_name("records.jsonl"))
    }
    sized(browser, width, prefers_reduced_motion="reduce")
    browser.get(report.as_uri())
    assert set(browser.execute_script(LABELS_SHOWN)) == set(LABELS)
    for name, verdict in (
        ("refuted-as-expected", "refuted"),
        ("machine-checked", "machine-checked"),
    ):
        browser.find_element("css selector", f"label:has(#only-{name})").click()
        alone = [label for label in LABELS if verdicts[label] == verdict]
        assert browser.execute_script(LABELS_SHOWN) == alone
        assert alone
    browser.find_element("css selector", "label:has(#only-all)").click()
    assert set(browser.execute_script(LABELS_SHOWN)) == set(LABELS)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_link_lands_on_its_claim_even_where_it_is_filtered_out(browser, report, width):
    sized(browser, width, prefers_reduced_motion="reduce")
    browser.get("about:blank")
    browser.get(report.as_uri())
    browser.find_element("css selector", "label:has(#only-refuted-as-expected)").click()
    browser.execute_script("location.hash = 'step.waterfill'")
    body = browser.find_element("id", "step.waterfill")
    assert body.is_displayed()
    top, title = browser.execute_script(
        "const body = document.getElementById('step.waterfill');"
        "return [body.getBoundingClientRect().top,"
        " body.parentElement.querySelector('.title').getBoundingClientRect().top]"
    )
    assert 0 <= title < top < 450


def test_expected_refutations_stand_apart(browser, report):
    sized(browser, 1280)
    browser.get(report.as_uri())
    apart = browser.execute_script(
        "return [...document.querySelectorAll('.apart .label')].map(e => e.textContent)"
    )
    assert apart == ["step.gap-naive"]


def test_a_figure_is_enlarged_by_a_tap_or_a_key(browser, report):
    from selenium.webdriver.common.keys import Keys

    sized(browser, 390, prefers_reduced_motion="reduce")
    browser.get("about:blank")
    browser.get(report.as_uri())
    size = "return document.querySelector('figure img').getBoundingClientRect().width"
    small = browser.execute_script(size)
    assert small <= 390
    browser.find_element("css selector", "figure img").click()
    assert browser.execute_script(size) > 900
    browser.find_element("css selector", ".zoom input").send_keys(Keys.SPACE)
    assert browser.execute_script(size) == small


def test_figures_are_dark_on_a_dark_page(browser, report):
    look = "return getComputedStyle(document.querySelector('figure img')).filter"
    for scheme, dark in (("light", False), ("dark", True)):
        sized(browser, 1280, prefers_color_scheme=scheme)
        browser.get(report.as_uri())
        assert ("invert" in browser.execute_script(look)) == dark


def test_everything_is_unfolded_in_print(browser, report):
    from selenium.webdriver.support.wait import WebDriverWait

    sized(browser, 1280)
    browser.get(report.as_uri())
    shown = (
        "return [...document.querySelectorAll('details.claim .body')]"
        ".filter(e => e.checkVisibility({contentVisibilityAuto: true})).length"
    )
    assert browser.execute_script(shown) == 0
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    WebDriverWait(browser, 20).until(lambda seen: seen.execute_script(shown) == len(LABELS))
