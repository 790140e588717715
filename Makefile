# Everything that can be done here, a line each: make help
PYTHON ?= python3
PYTHON_THERE ?= 3.12
BIN := .venv/bin
READY := .venv/ready
# not Untitled.py nor level_1-Copy1.py, which JupyterLab writes beside them
LABS := $(shell ls labs | sed -nE 's/^([a-z0-9_]+)\.py$$/\1/p')

# On a CPU, PyTorch asks the system for memory anew at each step, and gives it back. Keeping it made training 1.15 to
# 1.4 times faster (glibc on Linux; elsewhere these are ignored).
export MALLOC_MMAP_THRESHOLD_ := 4294967296
export MALLOC_TRIM_THRESHOLD_ := 8589934592
export MALLOC_TOP_PAD_ := 268435456
export THP_MEM_ALLOC_ENABLE := 1

.PHONY: help book test labs lab record carry verify bench table pair lock clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

book: $(READY)  ## build the site from the records, at _build/html/index.html (DRAFT=1: although some are missing)
	$(BIN)/python -m common.book $(if $(filter-out 0,$(DRAFT)),--draft)
	@echo "The book is at $(CURDIR)/_build/html/index.html"

test: $(READY)  ## run all tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist worksteal

labs: $(READY)  ## execute all labs with papermill, into _build/labs
	mkdir -p _build/labs
	for lab in $(LABS); do $(BIN)/papermill labs/$$lab.ipynb _build/labs/$$lab.ipynb --cwd labs -k python3 || exit 1; done

lab: $(READY)  ## open JupyterLab on the labs
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/labs

record: $(READY)  ## train what is not on record (SEEDS=5 of each variant; JOBS=2 at once; BUDGET=25m; DRY=1 says what)
	$(BIN)/python -m common.labs record $(if $(SEEDS),--seeds $(SEEDS)) $(if $(BUDGET),--budget $(BUDGET)) $(if $(JOBS),--jobs $(JOBS)) \
		$(if $(filter-out 0,$(DRY)),--dry) $(if $(ONLY),--only $(ONLY))

carry: $(READY)  ## gather in _build/carry what an offline machine lacks that has PyTorch (PYTHON_THERE=3.12)
	rm -rf _build/carry
	mkdir -p _build
	grep -E '^(annotated-types|pydantic|pydantic-core|safetensors|tqdm|typing-extensions|typing-inspection)==' requirements.lock \
		| sed 's/ *#.*//' > _build/carry.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary=:all: --target _build/carry \
		--python-version $(PYTHON_THERE) --implementation cp --platform manylinux2014_x86_64 -r _build/carry.txt
	@du -sh _build/carry

verify: $(READY)  ## prove every record against the real test set
	$(BIN)/python -m common.labs verify

bench: $(READY)  ## measure the training loop against the usual one and the ceiling
	$(BIN)/python -m common.bench

table: $(READY)  ## print the table of records
	@$(BIN)/python -m common.records

pair: $(READY)  ## write labs/*.ipynb from labs/*.py
	$(BIN)/jupytext --quiet --to ipynb --update $(LABS:%=labs/%.py)

lock: $(READY)  ## write requirements.lock anew from requirements.txt
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --annotation-style line \
		requirements.txt -o requirements.lock

clean:  ## remove what was built; records, runs, data and .venv stay
	rm -rf _build .pytest_cache

$(READY): requirements.lock pyproject.toml
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || { $(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		"This course needs Python 3.11 or later: name one, as in make book PYTHON=python3.11.")' && $(PYTHON) -m venv --clear .venv; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	touch $(READY)
