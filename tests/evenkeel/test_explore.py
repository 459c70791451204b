"""The page of ``evenkeel explore``: its numbers are Python's, it fits, and it loads nothing."""

import json
import random
import re
from fractions import Fraction
from functools import partial

import pytest
from click.testing import CliRunner

from evenkeel.cli.main import cli
from evenkeel.report.explore import explore_page, films
from tests.evenkeel.test_page import contrast, sized
from theory.formulas import energy
from theory.formulas.energy import Constants, Usage
from theory.formulas.energy_inversions import eta_of, limit_paper
from theory.formulas.fcfs import explicit_bound
from theory.formulas.geometric import slot_moments
from theory.formulas.guaranteed import guaranteed_imbalance
from theory.formulas.rebalancing import unavoidable_imbalance
from theory.formulas.vacuity import Lengths, first_explicit_slots
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import imbalance
from theory.power import PowerModel

SETTINGS = 200


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("explore") / "explore.html"
    path.write_text(explore_page(), "utf-8")
    return path


@pytest.fixture(scope="module")
def asked(browser, page):
    """Answers a list of JavaScript expressions on the page."""
    sized(browser, 1280)
    browser.get(page.as_uri())

    def ask(expressions):
        return browser.execute_script(f"return [{','.join(expressions)}]")

    return ask


def js(value):
    return json.dumps(value)


def test_the_page_loads_nothing_and_runs_only_its_own_scripts(page):
    text = page.read_text("utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:|#)""", text)
    assert "default-src 'none'" in text
    assert text.count("<script") == 3
    assert "unsafe-inline" not in re.search("script-src ([^;]*)", text)[1]


def test_bounds_of_energy_are_pythons(asked):
    rng = random.Random(1)
    expressions, expected = [], []
    for _ in range(SETTINGS):
        idle = rng.uniform(1, 200)
        wait = rng.uniform(idle, 400)
        most, gamma = rng.uniform(wait + 1, 900), rng.uniform(0.05, 1)
        power = Constants(idle, most, gamma, wait_w=wait)
        eta, workers = eta_of(rng.uniform(0, 0.8)), rng.randint(8, 64)
        before, after = Usage(1.0, eta), Usage(1.0, eta / rng.uniform(1, 50))
        P = js({"idle": idle, "wait": wait, "max": most, "gamma": gamma})
        u, v = (js({"busy": run.busy, "idle": run.idle}) for run in (before, after))
        pairs = {
            "savingPaper": energy.saving_paper,
            "savingSharp": energy.saving_sharp,
            "savingFloor": energy.saving_floor,
            "savingCap": energy.saving_cap,
            "savingCapTangent": energy.saving_cap_tangent,
        }
        for name, function in pairs.items():
            expressions.append(f"{name}({P},{u},{v})")
            expected.append(function(power, before, after))
        expressions += [f"savingPadded({u},{v})", f"speedUp({u},{v})", f"limitPaper({P})"]
        expected += [
            energy.saving_padded(before, after),
            energy.speed_up(before, after),
            limit_paper(power),
        ]
        expressions.append(f"energyEnvelopeOf({P},{v},{workers})")
        expected.append(energy.energy_envelope_of(power, after, workers))
    assert asked(expressions) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_theorem_1_is_pythons(asked):
    rng = random.Random(2)
    expressions, expected = [], []
    for _ in range(SETTINGS):
        a = rng.randint(1, 60)
        b = a + rng.randint(1, 100)
        workers, slots = rng.randint(2, 3000), rng.randint(1, 600)
        expressions.append(f"explicitBound(uniformMoments({a},{b}),{workers},{slots})")
        expected.append(float(explicit_bound(Law.uniform(a, b), workers, slots)))
    assert asked(expressions) == pytest.approx(expected, rel=1e-9)
    expressions, expected = [], []
    for _ in range(SETTINGS // 4):
        a = rng.randint(1, 20)
        sizes = Law.uniform(a, a + rng.randint(1, 40))
        workers, ratio = rng.randint(2, 300), rng.choice([1, 2, Fraction(19, 10)])
        lengths = Lengths.of("uniform", sizes, Fraction(1, 2))
        b = sizes.bound
        expressions.append(f"firstOfTheorem1({workers},{a},{b},{float(ratio)})")
        expected.append(first_explicit_slots(lengths, workers, ratio))
    assert asked(expressions) == expected


def test_expected_imbalances_lie_in_pythons_enclosures(asked):
    rng = random.Random(3)
    expressions, enclosures = [], []
    for _ in range(SETTINGS // 4):
        d, workers, slots = rng.randint(1, 30), rng.randint(2, 200), rng.randint(1, 40)
        p = Fraction(1, rng.choice([2, 3, 5, 10, 20]))
        sizes = Law.uniform(0, d)
        for law, chance in ((sizes, 1), (geometric_slot(sizes, p), p)):
            expressions.append(f"expectedImbalance({d},{float(chance)},{workers},{slots})")
            enclosures.append(expected_imbalance(law, workers, slots, 1).imbalance)
    for found, known in zip(asked(expressions), enclosures, strict=True):
        error = 1e-7 * float(known.upper) + 1e-7
        assert float(known.lower) - error <= found <= float(known.upper) + error


def test_both_sides_of_theorem_2_are_pythons(asked):
    rng = random.Random(4)
    expressions, expected = [], []
    for _ in range(SETTINGS // 4):
        a, d = rng.randint(1, 50), rng.randint(1, 60)
        workers, slots = rng.randint(2, 500), rng.randint(1, 400)
        p = Fraction(1, rng.choice([2, 3, 5, 10, 30, 100]))
        expressions.append(f"guaranteedImbalance({workers},{slots},{float(p)},{a},{a + d})")
        expected.append(float(guaranteed_imbalance(workers, slots, p, (a, a + d))))
        size = f"uniformMoments({a},{a + d})"
        variance, fourth = asked([f"{size}.variance", f"{size}.fourth"])
        moments = slot_moments(Fraction(variance), Fraction(fourth), p)
        expressions += [f"slotMoments({a},{a + d},{float(p)}).{m}" for m in ("variance", "fourth")]
        expected += map(float, moments)
    # The tilt of the bound is found to a hundredth of its logarithm.
    assert asked(expressions) == pytest.approx(expected, rel=1e-5)
    expressions, expected = [], []
    for _ in range(SETTINGS // 8):
        workers, slots, d = rng.randint(2, 100), rng.randint(1, 30), rng.randint(0, 2)
        p = Fraction(1, rng.choice([3, 5, 10, 20]))
        expressions.append(f"unavoidableImbalance({workers},{slots},{float(p)},{d})")
        expected.append(float(unavoidable_imbalance(workers, slots, p, d, lattice=1)))
    assert asked(expressions) == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_the_films_are_the_engines_runs(asked):
    device = PowerModel(100, 400, 0.5, wait_w=150)
    P = js({"idle": 100, "wait": 150, "max": 400, "gamma": 0.5})
    loads = [step for film in films() for run in film["runs"] for step in run["loads"] if max(step)]
    energies = [max(step) * sum(device.power(load / max(step)) for load in step) for step in loads]
    assert asked([f"stepEnergy({P},{js(step)})" for step in loads]) == pytest.approx(energies)
    assert asked([f"imbalance({js(step)})" for step in loads]) == list(map(imbalance, loads))
    for film in films():
        for run in film["runs"]:
            held = [[sum(load for _, load in worker) for worker in step] for step in run["held"]]
            assert held == run["loads"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_is_read_in_both_schemes(browser, page, width, scheme):
    sized(browser, width, prefers_color_scheme=scheme)
    browser.get(page.as_uri())
    wide, there = browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= there
    assert browser.get_log("browser") == []
    seen = browser.execute_script(
        """
        const ground = getComputedStyle(document.body).backgroundColor;
        return [...document.querySelectorAll('p, label, output, figcaption, .key, h2')]
          .map(e => [getComputedStyle(e).color, ground]);
        """
    )
    assert min(contrast(*pair) for pair in {tuple(pair) for pair in seen}) >= 4.5


def test_a_setting_is_kept_in_the_address(browser, page):
    sized(browser, 1280)
    browser.get("about:blank")
    browser.get(f"{page.as_uri()}#G=64&B=128&share=0.25&gamma=1&unknown=3&b=x")
    assert browser.find_element("id", "G").get_attribute("aria-valuetext") == "64"
    assert browser.find_element("id", "share").get_attribute("aria-valuetext") == "25.0 %"
    answer = browser.find_element("id", "energy-answer").text
    browser.execute_script("change({share: 0.5})")
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert browser.find_element("id", "energy-answer").text != answer
    assert "share=0.5" in browser.current_url


def test_every_slider_at_both_ends_gives_numbers(browser, page):
    sized(browser, 1280)
    browser.get(page.as_uri())
    texts = browser.execute_script(
        """
        const said = [];
        for (const input of document.querySelectorAll('[data-sliders] input'))
          for (const end of [input.min, input.max]) {
            const before = input.value;
            input.value = end;
            input.dispatchEvent(new Event('input'));
            show();
            const words = [...document.querySelectorAll('.answer, figcaption')];
            const paths = [...document.querySelectorAll('path')];
            said.push([...words.map(e => e.textContent), ...paths.map(e => e.getAttribute('d'))]
              .join(' '));
            input.value = before;
            input.dispatchEvent(new Event('input'));
          }
        return said;
        """
    )
    assert len(texts) == 22
    assert not [text for text in texts if re.search("NaN|Infinity|undefined|null", text)]


def test_the_film_moves_and_stops(browser, page):
    sized(browser, 1280)
    browser.get(page.as_uri())
    wait = partial(
        browser.execute_script, "return document.getElementById('moment-shown').textContent"
    )
    assert wait().startswith("step 0 of")
    browser.execute_script("now = Number(document.getElementById('moment').max); showFilm()")
    last = wait()
    assert last == f"step {last.split()[1]} of {last.split()[1]}"
    browser.find_element("id", "play").click()
    browser.find_element("id", "play").click()
    assert browser.find_element("id", "play").text in ("Play", "Pause")


def test_the_command_writes_the_page(tmp_path):
    out = tmp_path / "a folder" / "page.html"
    done = CliRunner().invoke(cli, ["explore", "--no-open", "--out", str(out)])
    assert done.exit_code == 0
    assert str(out) in done.output
    assert out.read_text("utf-8") == explore_page()
