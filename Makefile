# Everything here works in .venv/ of this folder, whatever other environment is active.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

PYTHONS = python3.13 python3.12 python3.11 python3 python
BIN = .venv/bin
STAMP = .venv/.up-to-date
# There while an environment is being built: one that was left unfinished is built anew.
BUILDING = .venv/.unfinished

.DEFAULT_GOAL = help
.PHONY: help env demo test test-slow check ablate study tune weights weights-small bench dist tools

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

env: $(STAMP) ## Build .venv with Python 3.11 or later; does nothing when it is up to date

$(STAMP): setup.cfg pyproject.toml
	@set -e; \
	[ ! -e $(BUILDING) ] || { echo "env: the last build was not finished, starting over"; rm -rf .venv; }; \
	if ! $(BIN)/python -c "" 2>/dev/null; then \
	  unfit=""; found=""; \
	  for python in $(PYTHONS); do \
	    $$python -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || continue; \
	    if $$python -c "import venv, ensurepip" 2>/dev/null; then found=$$python; break; fi; \
	    unfit=$${unfit:-$$python}; \
	  done; \
	  if [ -z "$$found" ] && [ -n "$$unfit" ]; then \
	    echo "env: $$unfit has no venv module; install it (Debian, Ubuntu: sudo apt-get install python3-venv)" >&2; exit 2; \
	  elif [ -z "$$found" ]; then \
	    echo "env: found no Python 3.11 or later as any of $(PYTHONS); install one and run make env again" >&2; exit 2; \
	  fi; \
	  echo "env: .venv with $$($$found --version); a few minutes and up to 7 GB, most of it torch"; \
	  rm -rf .venv; mkdir .venv; touch $(BUILDING); \
	  $$found -m venv .venv; \
	fi; \
	echo "env: installing raincheck and what it needs"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,onnx]'; \
	if ! why=$$($(BIN)/python -W ignore -c "import torchvision" 2>&1); then \
	  echo "env: torch and torchvision are not from one build ($$(echo "$$why" | tail -n 1));" \
	    "take both from one package index, delete .venv and run make env again" >&2; exit 2; \
	fi; \
	rm -f $(BUILDING); touch $@; echo "env: ready"

demo: env ## Learn three rains with two methods, offline; results in runs/demo
	$(BIN)/raincheck demo --out runs/demo

check: env ## Lint, types and imports
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: check ## check, then the fast tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "not slow"

# pytest's exit code 5 says that no test was selected.
test-slow: env ## The tests that take longer or drive tools of the system
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m slow || [ $$? -eq 5 ]

ablate: env ## RRGNet's parts, one at a time, three seeds; in runs/ablate (SCALE=full DATA=DIR: on published data)
ifeq ($(SCALE),full)
	@[ -n "$(DATA)" ] || { echo "ablate: say where the published data sets lie: make ablate SCALE=full DATA=DIR" >&2; exit 2; }
	$(BIN)/raincheck ablate experiments/ablations/full.yaml --out runs/ablate-full --stream.root "$(DATA)" \
	  --trainer.accelerator auto
else
	$(BIN)/raincheck ablate experiments/ablations/clips.yaml --out runs/ablate --jobs 2
endif

# What is in a record counts as finished; RECORD=FILE begins or goes on with another.
study: env ## The claims, method by method, order by order, seed by seed (MINUTES=N stops in between); in runs/study
	$(BIN)/raincheck ablate experiments/ablations/study.yaml --out runs/study --jobs 2 \
	  --record $(or $(RECORD),experiments/results/study.jsonl) $(if $(MINUTES),--minutes $(MINUTES))

tune: env ## Twelve trials of every method on validation clips; winners in experiments/tuned
	@set -e; for grid in experiments/tuning/*.yaml; do \
	  $(BIN)/raincheck ablate $$grid --out runs/tuning/$$(basename $$grid .yaml) --jobs 2 \
	    --record $(or $(RECORD),experiments/results/tuning.jsonl) $(if $(MINUTES),--minutes $(MINUTES)); \
	done
	$(BIN)/python experiments/tuning.py

# Stopped anywhere, it goes on with the same command; best.safetensors in a pass's folder are the best so far.
weights: env ## Learn the shipped weights anew, six hours on one core, and compare; results in runs/weights_mean_seventh
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --out runs/weights
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --plugins.RainReview.batch 2 --out runs/weights_again
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --plugins.RainReview.batch 2 --out runs/weights_third
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --config experiments/weights_fourth.yaml --out runs/weights_fourth
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --config experiments/weights_fourth.yaml --config experiments/weights_fifth.yaml \
	  --out runs/weights_fifth
	OMP_NUM_THREADS=1 $(BIN)/python experiments/weights_average.py runs/weights_third runs/weights_fourth \
	  $(foreach task,1 2 3 4,runs/weights_fifth/after-$(task).safetensors) --config experiments/weights.yaml \
	  --config experiments/weights_again.yaml --config experiments/weights_third.yaml --out runs/weights_mean
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --config experiments/weights_fourth.yaml --config experiments/weights_sixth.yaml \
	  --out runs/weights_sixth
	OMP_NUM_THREADS=1 $(BIN)/python experiments/weights_average.py runs/weights_mean \
	  runs/weights_sixth/after-4.safetensors --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --out runs/weights_mean_again
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --config experiments/weights_fourth.yaml --config experiments/weights_sixth.yaml \
	  --config experiments/weights_seventh.yaml --out runs/weights_seventh
	OMP_NUM_THREADS=1 $(BIN)/python experiments/weights_average.py runs/weights_mean_again \
	  runs/weights_seventh/after-4.safetensors --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --out runs/weights_mean_seventh
	OMP_NUM_THREADS=1 $(BIN)/python experiments/weights_check.py rrgnet runs/weights_mean_seventh

weights-small: env ## Learn the small shipped weights anew, three hours on one core, and compare
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --config experiments/weights_small.yaml --plugins.RainReview.batch 2 \
	  --out runs/weights_small
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --config experiments/weights_fourth.yaml \
	  --config experiments/weights_small_again.yaml --out runs/weights_small_again
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --config experiments/weights_fourth.yaml --config experiments/weights_sixth.yaml \
	  --config experiments/weights_small_third.yaml --out runs/weights_small_third
	OMP_NUM_THREADS=1 $(BIN)/raincheck run --config experiments/weights.yaml --config experiments/weights_again.yaml \
	  --config experiments/weights_third.yaml --config experiments/weights_fourth.yaml --config experiments/weights_sixth.yaml \
	  --config experiments/weights_small_third.yaml --config experiments/weights_small_fourth.yaml \
	  --out runs/weights_small_fourth
	OMP_NUM_THREADS=1 $(BIN)/python experiments/weights_average.py runs/weights_small_fourth \
	  --config experiments/weights.yaml --config experiments/weights_again.yaml --config experiments/weights_third.yaml \
	  --config experiments/weights_small.yaml --out runs/weights_small_scores
	OMP_NUM_THREADS=1 $(BIN)/python experiments/weights_check.py rrgnet-small runs/weights_small_fourth

bench: env ## Time the training step, many experiences, derain, its precisions and the data
	$(BIN)/python benchmarks/train_step.py
	$(BIN)/python benchmarks/experiences.py
	$(BIN)/python benchmarks/derain.py
	$(BIN)/python benchmarks/precision.py
	$(BIN)/python benchmarks/throughput.py

dist: env ## Build the source distribution and the wheel in dist/
	$(BIN)/python -m build

# torch.compile's kernels include Python's header.
tools: ## Install Chromium, FFmpeg and g++, which slow tests drive (Debian, Ubuntu; as root)
	@command -v apt-get >/dev/null || { echo "tools: needs apt-get; install chromium, ffmpeg and g++ by hand" >&2; exit 2; }
	@[ "$$(id -u)" = 0 ] || { echo "tools: needs root; run: sudo make tools" >&2; exit 2; }
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium ffmpeg g++ python3-dev
