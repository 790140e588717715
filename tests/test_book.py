"""The book, built from clean with warnings as errors: every page is there, whole, and asks nothing of other sites."""

import re
from html.parser import HTMLParser

import jupytext
import pytest
from conftest import prose, typed

from common import book, records
from common.errors import CourseError

PAGES, WAITING = book.listed(book.ROOT / "_toc.yml"), book.listed(book.ROOT / "_toc.yml", book.WAITING)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return book.build(tmp_path_factory.mktemp("book"))


class Elements(HTMLParser):
    """Collects (name of element, its attributes)."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_there_and_loads_nothing_from_elsewhere(site, page):
    text = (site / f"{page}.html").read_text()
    loaded = [a.get("src") or a.get("href") for tag, a in Elements(text).found
              if tag in ("script", "img", "iframe", "source", "video") or tag == "link" and a.get("rel") != "canonical"]
    assert [url for url in loaded if url and re.match(r"(https?:)?//", url)] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_percentage_is_typed_into_its_prose(site, page):
    assert typed(prose((site / f"{page}.html").read_text())) == []


def test_style_sheets_load_nothing_from_elsewhere(site):
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", sheet.read_text()), sheet


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_has_alternative_text(site, page):
    pictures = [a for tag, a in Elements((site / f"{page}.html").read_text()).found if tag == "img"]
    drawn = [a for a in pictures if a.get("src", "").startswith("data:")]
    assert all(a.get("alt") for a in pictures)
    assert all(len(a["alt"]) > 40 for a in drawn), "a figure needs a sentence"
    assert drawn or not page.startswith("labs/") or page in WAITING, "a lab without a figure"


def test_the_numbers_are_those_of_the_records(site):
    lab, results = ((site / f"{page}.html").read_text() for page in ("labs/level_1", "book/results"))
    for row in records.table().itertuples():
        assert f"{row.test_acc_mean:.2%}" in lab or row.lab != "level_1"
        assert f"{100 * row.test_acc_mean:.2f}" in results and f"{row.params:,}" in results


def test_the_book_needs_as_many_seeds_as_a_lab_shows(monkeypatch):
    shown = book.seeds(book.ROOT / "labs" / "level_1.py")
    monkeypatch.setattr(book, "missing", lambda lab, name, variant, seeds: [seed for seed in seeds if seed >= shown - 1])
    assert book.not_on_record("labs/level_1") == ["level_1/as_run", "level_1/repaired"]
    monkeypatch.setattr(book, "missing", lambda lab, name, variant, seeds: [seed for seed in seeds if seed >= shown])
    assert book.not_on_record("labs/level_1") == [] and book.not_on_record("book/index") == []


def test_a_missing_page_and_one_nobody_links_to_are_named(tmp_path):
    with pytest.raises(CourseError, match="The page a of _toc.yml is not in the site"):
        book.check(tmp_path, ["a"])
    for page in "ab":
        (tmp_path / f"{page}.html").write_text("")
    with pytest.raises(CourseError, match="The page b of _toc.yml is not in the site: a does not link to it"):
        book.check(tmp_path, ["a", "b"])


@pytest.fixture
def changed(monkeypatch):
    """One hyperparameter of one variant is another than on record."""
    whole = book.variants

    def variants(path):
        first, *_ = found = whole(path)
        recipe = found[first].recipe.plus(lr=0.02)
        return found | {first: found[first]._replace(recipe=recipe)}

    monkeypatch.setattr(book, "variants", variants)
    monkeypatch.setattr(book, "listed", lambda toc, part=None: [] if part else ["labs/level_1", "book/results", "book/machine",
                                                                               "book/glossary"])


@pytest.fixture
def executed(monkeypatch):
    """What pages the build has executed, as (page, what it lacks, whether that is stale), in place of executing them."""
    pages = []
    monkeypatch.setattr(book, "execute_page", lambda page, source, lacking, stale: pages.append((page, lacking, stale)))
    monkeypatch.setattr(book, "lay_out", lambda source: (source / "_build" / "html").mkdir(parents=True))
    monkeypatch.setattr(book, "check", lambda html, pages: None)
    return pages


def test_a_variant_that_was_changed_since_its_record_is_named(changed, tmp_path):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("the last good book")
    with pytest.raises(CourseError, match="one of each seed that their lab shows, and lacks some: level_1/as_run. Train them with `make record ONLY="):
        book.build(tmp_path)
    assert [path.name for path in (tmp_path / "html").iterdir()] == ["index.html"]


def test_a_draft_says_what_it_waits_for(changed, executed, tmp_path):
    book.build(tmp_path, draft=True)
    assert executed == [("labs/level_1", ["level_1/as_run"], True), ("book/results", ["level_1/as_run"], True),
                        ("book/machine", ["level_1/as_run"], True), ("book/glossary", [], False)]
    said = book.banner("book/results", ["level_1/as_run"], stale=True)
    assert said.startswith(":::{warning}\n**Draft.** Of these variants, not all runs are on record as they are now: `level_1/as_run`. What")
    said = book.banner("labs/level_1", ["level_1/as_run"], stale=True)
    assert said.startswith(":::{warning}\n**Draft.** Of these variants, not all runs are on record as they are now: `as_run`.")


def test_a_lab_that_waits_may_lack_what_was_never_recorded_and_nothing_else(changed, executed, tmp_path, monkeypatch):
    monkeypatch.setattr(book, "listed", lambda toc, part=None: ["labs/level_1"])
    with pytest.raises(CourseError, match="one of each seed that their lab shows, and lacks some: level_1/as_run. Train them"):  # its record is stale
        book.build(tmp_path)
    monkeypatch.setattr(book, "RECORDS", tmp_path)
    book.build(tmp_path)
    assert executed == [("labs/level_1", ["level_1/as_run"], False)]
    said = book.banner("labs/level_1", ["level_1/as_run"], stale=False)
    assert "On record: 1 of 2 variants. `make record ONLY=level_1` trains the others: `as_run`." in said


def test_no_link_leads_to_a_source(site):
    """Markdown that a cell shows is not resolved as a page's own text is: a link to a .md stays one, and leads nowhere."""
    for path in site.rglob("*.html"):
        assert not re.findall(r'href="[^"]*\.md[#"]', re.sub(r'href="[^"]*_sources/[^"]*"', "", path.read_text())), path


def test_only_pages_that_wait_have_a_banner_and_notes(site):
    for page in PAGES:
        text = (site / f"{page}.html").read_text()
        assert ("Not run in full yet" in text, "<em>Waits: " in text) == (page in WAITING, page in WAITING), page


def test_a_page_that_asks_for_a_run_that_no_lab_offers_stops_the_build(tmp_path, monkeypatch):
    monkeypatch.setattr(book, "ROOT", tmp_path)
    notebook = jupytext.reads("# %%\nfrom common.runs import NotOnRecord\nraise NotOnRecord('`a`, seed 0, is not on record.')",
                              fmt="py:percent")
    jupytext.write(notebook, tmp_path / "a.ipynb")
    with pytest.raises(CourseError, match="a asks for a run that is none of its variants: `a`, seed 0, is not on record"):
        book.execute_page("a", tmp_path / "source")


def test_a_lab_that_has_all_its_runs_does_not_wait():
    assert [page for page in WAITING if not book.not_on_record(page)] == [], "move it to the other labs in _toc.yml"
    assert set(WAITING) < set(PAGES) and "labs/level_1" not in WAITING


def test_a_lab_that_fails_stops_the_build(tmp_path, monkeypatch):
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "broken.ipynb").write_text(
        '{"cells": [{"cell_type": "code", "source": "raise ValueError(3)", "metadata": {}, "outputs": [], '
        '"execution_count": null, "id": "a"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    monkeypatch.setattr(book, "ROOT", tmp_path)
    with pytest.raises(CourseError, match="labs/broken failed in its cell 1: ValueError: 3"):
        book.execute_page("labs/broken", tmp_path / "source")


@pytest.mark.parametrize("fault", ["{doc}`nowhere`", "{py:func}`nowhere`"])  # the second is one to nitpickers only
def test_a_warning_stops_the_build(tmp_path, fault):
    (tmp_path / "index.md").write_text(f"# A page\n\n{fault}\n")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (tmp_path / "_config.yml").write_text((book.ROOT / "_config.yml").read_text().replace("[book/_static]", "[]"))
    with pytest.raises(CourseError, match="Jupyter Book found faults"):
        book.lay_out(tmp_path)


def test_a_site_without_a_page_at_its_top_is_no_site(tmp_path):
    (tmp_path / "a.html").touch()
    with pytest.raises(CourseError, match="The site has no index.html at its top"):
        book.check(tmp_path, ["a"])


def test_what_an_older_build_left_is_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(book, "listed", lambda toc, part=None: [] if part else ["book/index"])
    monkeypatch.setattr(book, "execute_page", lambda *given, **more: None)
    monkeypatch.setattr(book, "lay_out", lambda source: (source / "_build" / "html").mkdir(parents=True))
    monkeypatch.setattr(book, "check", lambda html, pages: None)
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "old.html").touch()
    book.build(tmp_path)
    assert list((tmp_path / "html").iterdir()) == []
