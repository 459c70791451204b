"""The README shows what is printed, and pages name commands, options and files that exist."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from adversary.witnesses.gallery import gallery
from evenkeel.cli.main import COMMANDS, cli
from evenkeel.theorems.registry import claims
from paper_figures.catalogue import FIGURES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES += [*DOCS.glob("*.md"), *DOCS.glob("tutorials/*.md"), *DOCS.glob("notebooks/*.md")]
PICTURES = re.findall(r"!\[.*?\]\(docs/pictures/(\w+)\.png\)", README)
TARGETS = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))


def _shown() -> list[tuple[str, str]]:
    """The commands of the README's console blocks, and what each is said to print."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for part in block.split("$ ")[1:]:
            command, _, text = part.partition("\n")
            found.append((command, text))
    return found


@pytest.mark.parametrize(("command", "text"), _shown())
def test_the_readme_shows_what_is_printed(command: str, text: str) -> None:
    result = CliRunner().invoke(cli, shlex.split(command)[1:])
    assert result.exit_code == (1 if "refuted" in text else 0)
    rest = result.stdout
    for piece in text.rstrip().removesuffix("\n...").split("\n...\n"):
        assert piece in rest
        rest = rest.partition(piece)[2]


def test_the_readme_is_short_and_shows_three_outputs_and_pictures() -> None:
    assert len(README.splitlines()) <= 150
    assert len({command.split()[1] for command, _ in _shown()}) == 3
    assert len(PICTURES) == 3
    (line,) = re.findall(r"^PICTURES := (.*)$", (ROOT / "Makefile").read_text("utf-8"), flags=re.M)
    assert line.split() == PICTURES
    # That they are what the figures draw is held in tests/paper_figures/test_drawings.py.
    assert {path.stem for path in (DOCS / "pictures").iterdir()} == set(PICTURES)


def _code(page: Path) -> list[str]:
    """Lines of shell and pieces of inline code of a page."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"^\$ (.*)$", text, flags=re.M)
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    return [line.partition(" #")[0] for line in lines] + inline


def _options(name: str) -> set[str]:
    command = cli.get_command(click.Context(cli), name) if name else cli
    assert command is not None
    return {name for it in command.params for name in it.opts + it.secondary_opts} | {"--help"}


def _commands(code: str) -> list[list[str]]:
    """The words behind each ``evenkeel`` of a piece of code."""
    found = re.findall(r"(?:^|[\s/])evenkeel ((?!\.\.\.)[^|>;]+)", code)
    return [shlex.split(words) for words in found if re.match(r"--debug |[a-z]", words)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path) -> None:
    everywhere = {name for it in COMMANDS for name in _options(it)} | _options("")
    others = {"pip", "pytest", "apt-get", "python", "vllm", "python3", "coqc", "make"}
    text = page.read_text("utf-8")
    for code in _code(page):
        for words in _commands(code):
            name, *rest = [word for word in words if word != "--debug"]
            if name == "COMMAND":
                continue
            assert name in COMMANDS, code
            known = _options(name) | _options("")
            for word in rest:
                if re.match(r"--?[a-zA-Z]", word):
                    assert word.partition("=")[0] in known, code
            if rest and re.fullmatch(r"[a-z0-9_.-]+", rest[0]):
                if name in ("claims", "check"):
                    assert rest[0] in claims() or f'"{rest[0]}"' in text, code  # or made there
                if name == "figures":
                    assert rest[0] in FIGURES, code
                if name == "gallery":
                    assert rest[0] in {witness.name for witness in gallery()}, code
        for target in re.findall(r"(?:^|[\s(])make ([a-z]+)\b", code):
            assert target in TARGETS, code
        if code.startswith("--") and not others & set(code.split()):
            assert re.split(r"[ =]", code)[0] in everywhere, code
    for link in re.findall(r"\]\(([\w./-]+)\)", text):
        generated = link.endswith(("theory/index.md", "gallery/index.rst", "schemas.md", "api.md"))
        assert generated or (page.parent / link).exists(), link
