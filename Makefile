# Set-up and the main jobs.  Everything runs in .venv; a second run does not reinstall.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help reproduce test explore bounds hostile mutants proofs figures pictures companion bench lint docs package setup setup-dev clean

help:
	@echo "make reproduce   check every claim and write out/smoke/report.md"
	@echo "make test        run the default test suite"
	@echo "make explore     run the tests of properties on random examples that no run has seen"
	@echo "make bounds      hold every bound, one test a claim (POLICY=module:attribute for your own)"
	@echo "make hostile     hold every command against bad files, numbers and conditions, all of them"
	@echo "make mutants     plant random faults and count those that the tests see (ARGS=--help for more)"
	@echo "make proofs      check the machine-checked proofs with Coq (Debian: apt-get install coq)"
	@echo "make figures     regenerate the figures in out/figures"
	@echo "make pictures    draw the pictures of the README again"
	@echo "make companion   all claims as one document to print (Debian: apt-get install texlive-fonts-recommended"
	@echo "                 texlive-latex-recommended lmodern), with what the last reproduce found"
	@echo "make bench       measure the hot paths against their references and goals (12 minutes)"
	@echo "make docs        build the documentation in out/docs, with the gallery and the notebooks"
	@echo "make package     build sdist and wheel, and try them outside the checkout (PYTHONS=\"python3.13 ...\")"
	@echo "make lint        ruff, mypy --strict and the import contract"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "evenkeel needs Python >= 3.11; name one: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(INSTALL) --editable '.[dev]'
	@touch $@

setup: $(VENV)/installed
setup-dev: $(VENV)/installed-dev

reproduce: setup
	$(BIN)/evenkeel reproduce

figures: setup
	$(BIN)/evenkeel figures

# Those of the README, from the committed tables.
PICTURES := loads_by_policy balance_threshold needed_idle
pictures: setup
	$(BIN)/evenkeel figures --redraw --out out/pictures $(PICTURES)
	cp $(PICTURES:%=out/pictures/%.png) docs/pictures

# Needs LaTeX; any warning is an error.
companion: setup
	mkdir -p out/companion
	$(if $(wildcard out/smoke/report.md),$(BIN)/evenkeel figures --redraw --out out/smoke/figures)
	$(BIN)/evenkeel claims --format latex --all \
	  $(if $(wildcard out/smoke/report.md),--run out/smoke) >out/companion/companion.tex
	for pass in 1 2 3; do \
	  pdflatex -interaction=nonstopmode -halt-on-error -output-directory out/companion \
	    out/companion/companion.tex >/dev/null || { tail -n 30 out/companion/companion.log; exit 1; }; \
	done
	! grep -E "Warning:|Overfull|undefined" out/companion/companion.log

test: setup-dev
	$(BIN)/python -m pytest -n auto --dist loadfile -q

explore: setup-dev
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -n auto --dist loadfile -q -m hypothesis

bounds: setup-dev
	$(BIN)/python -m pytest tests/bounds -n auto -q $(if $(POLICY),--policy $(POLICY))

hostile: setup-dev
	$(BIN)/python -m pytest tests/hostile --slow -n auto --dist loadfile -q

mutants: setup-dev
	$(BIN)/python -m benchmarks.mutants $(ARGS)

# Needs Coq and any Python >= 3.11, nothing else.
proofs:
	$(PYTHON) -m theory.formal.coq

bench: setup-dev
	$(BIN)/python -m benchmarks

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Pages, gallery and notebooks; any warning is an error, and so is a page that loads from elsewhere.
docs: setup-dev
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --jobs 2 docs out/docs

# Each of PYTHONS gets an environment of its own with all dependencies from the index.
package: setup-dev
	EVENKEEL_PYTHONS="$(PYTHONS)" $(BIN)/python -m pytest tests/packaging --slow -q

clean:
	rm -rf $(VENV) out build *.egg-info
