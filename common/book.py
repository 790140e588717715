"""Build the site: execute the labs and the pages that compute, then have Jupyter Book lay them out.

`python -m common.book` writes _build/html. Papermill executes, since Jupyter Book passes over a notebook that fails; and
every build starts anew, since its second, incremental one passes over warnings.
"""

import argparse
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupytext
import papermill
import yaml
from papermill.exceptions import PapermillExecutionError

from common import waiting  # noqa: F401  (an engine of papermill)
from common.errors import CourseError
from common.labs import seeds, variants
from common.records import RECORDS, missing

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = min(4, os.cpu_count())  # pages that are executed side by side
WAITING = "Labs that wait for runs"  # the part of _toc.yml whose labs need not be on record in full
OVER_ALL = ("book/results", "book/reported", "book/machine")  # pages that show the records of all labs


def build(out=ROOT / "_build", draft=False):
    """Build the site into `out`/html, with `out`/source as the work folder, and return `out`/html. Raises CourseError.

    Each variant of each lab must be on record as it is now; only a lab of the part WAITING may have variants that were
    never recorded. With `draft`, any may lack anything. What a lab lacks, a banner says, and cells that wait for it are
    passed over. Nothing is trained.
    """
    out = Path(out).resolve()
    for name in ("source", ".doctrees"):
        shutil.rmtree(out / name, ignore_errors=True)
    source = out / "source"
    shutil.copytree(ROOT / "book", source / "book", ignore=shutil.ignore_patterns("records", ".ipynb_checkpoints"))
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, source / name)
    pages, patient = listed(ROOT / "_toc.yml"), listed(ROOT / "_toc.yml", WAITING)
    lacking = {page: not_on_record(page) for page in pages}
    needed = {page: [v for v in lacking[page] if page not in patient or list((RECORDS / v).glob("seed-*.json"))]
              for page in pages}
    stale = sum(needed.values(), [])
    if stale and not draft:
        raise CourseError("The book needs records of these variants as they are now, one of each seed that their lab shows, "
                          f"and lacks some: {', '.join(stale)}. Train them with `make record ONLY=…`, change them "
                          "back, or build a draft with `make book DRAFT=1`.")
    for page in OVER_ALL:
        needed[page] = lacking[page] = stale
    with ThreadPoolExecutor(AT_ONCE) as pool:  # each page has a process of its own
        done = [pool.submit(execute_page, page, source, lacking[page], stale=bool(needed[page])) for page in pages]
        try:
            for page in done:
                page.result()
        finally:
            pool.shutdown(cancel_futures=True)
    lay_out(source)
    check(source / "_build" / "html", pages)
    shutil.rmtree(out / "html", ignore_errors=True)
    return (source / "_build" / "html").rename(out / "html")  # so that it appears whole or not at all


def listed(toc, part=None):
    """Return the pages of the table of contents at the path `toc`, in order, the root page first; or those of a part."""
    def walk(node):
        if isinstance(node, dict):
            yield from (node[key] for key in ("root", "file") if key in node)
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                yield from walk(child)

    contents = yaml.safe_load(toc.read_text())
    return list(walk(contents if part is None else [p for p in contents.get("parts", []) if p.get("caption") == part]))


def not_on_record(page):
    """Return the variants, as ["level_1/as_run"], of the lab `page` that lack a record as they are now; of others none.

    Each needs as many seeds as the lab shows.
    """
    lab = ROOT / f"{page}.py"
    if not page.startswith("labs/") or not lab.exists():
        return []
    shown = range(seeds(lab))
    return [f"{lab.stem}/{name}" for name, variant in variants(lab).items() if missing(lab.stem, name, variant, shown)]


def execute_page(page, source, lacking=(), stale=False):
    """Execute `page`, if it is a notebook, into the folder `source`; text has been copied there already.

    A notebook is either `page`.ipynb, or a `page`.md with a kernel in its header and cells in its text. The variants
    that it is `lacking` are named under its title.
    """
    notebook, text = ROOT / f"{page}.ipynb", ROOT / f"{page}.md"
    executed = source / f"{page}.ipynb"
    executed.parent.mkdir(parents=True, exist_ok=True)
    if notebook.exists():
        read = jupytext.read(notebook)
    elif not text.exists():
        raise CourseError(f"_toc.yml lists {page}, but there is no {page}.ipynb or {page}.md: write it, run `make pair`, "
                          "or take it off the list.")
    elif "\nkernelspec:\n" not in text.read_text():
        return
    else:
        (source / f"{page}.md").unlink()
        read = jupytext.read(text, fmt="md:myst")
    if lacking:
        title, _, rest = read.cells[0].source.partition("\n")
        read.cells[0].source = f"{title}\n\n{banner(page, lacking, stale)}\n{rest}"
    jupytext.write(read, executed)
    print(f"executing {page}", flush=True)
    try:
        done = papermill.execute_notebook(executed, executed, engine_name="waiting", kernel_name="python3",
                                          folder=(ROOT / page).parent,  # cwd= would move this process, too
                                          env={"OMP_NUM_THREADS": str(os.cpu_count() // AT_ONCE)}, progress_bar=False,
                                          extra_arguments=["--log-level=ERROR"])
    except PapermillExecutionError as error:
        raise CourseError(f"{page} failed in its cell {error.cell_index + 1}: {error.ename}: {error.evalue} "
                          f"(The notebook as far as it went is {executed}.)") from None
    if done.metadata.get("waits") and not lacking:
        raise CourseError(f"{page} asks for a run that is none of its variants: {done.metadata['waits'][0]} Where it is "
                          "another lab's, raise that lab's seeds too, and record it with `make record ONLY=…`.")


def banner(page, lacking, stale):
    """Return the Markdown that stands under the title of a page that is `lacking` some variants."""
    lab, of_all = Path(page).name, page in OVER_ALL
    names = ", ".join(f"`{name if of_all else Path(name).name}`" for name in lacking)
    if stale:
        kind, said = "warning", f"**Draft.** Of these variants, not all runs are on record as they are now: {names}."
    else:
        count = len(variants(ROOT / f"{page}.py"))
        kind, said = "note", (f"**Not run in full yet.** On record: {count - len(lacking)} of {count} variants. `make record "
                              f"ONLY={lab}` trains the others: {names}.")
    shown = ("What this page shows of them is what they were." if of_all else
             "Cells that wait for them show a note in place of their output.")
    return f":::{{{kind}}}\n{said} {shown}\n:::\n"


def lay_out(source):
    """Run Jupyter Book on the folder `source`, with every warning an error. Raises CourseError."""
    print("laying out the site", flush=True)
    tool = Path(sys.executable).with_name("jupyter-book")
    command = [tool, "build", source, "-W", "-n", "--keep-going", "--quiet"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        raise CourseError("Jupyter Book found faults in the pages: mend what the lines above say, and build again.")


def check(html, pages):
    """Raise CourseError unless each of `pages` is in the folder `html`, and the root page links to it."""
    root = html / f"{pages[0]}.html"
    linked = root.read_text() if root.exists() else ""
    for page in pages:
        path = html / f"{page}.html"
        if not path.exists():
            raise CourseError(f"The page {page} of _toc.yml is not in the site: {path} was not written.")
        if page != pages[0] and f'href="{os.path.relpath(path, root.parent)}"' not in linked:
            raise CourseError(f"The page {page} of _toc.yml is not in the site: {pages[0]} does not link to it.")
    if not (html / "index.html").exists():
        raise CourseError("The site has no index.html at its top.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the book from labs and records.")
    parser.add_argument("--draft", action="store_true", help="build although records are missing")
    given = parser.parse_args()
    build(ROOT / "_build", given.draft)
