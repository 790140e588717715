"""The results pages: the frontier, what stands beside what, the tables, and the pages with few records or many."""

import ast
import re
import shutil
import subprocess
from html.parser import HTMLParser

import jupytext
import pandas as pd
import pytest
import yaml
from matplotlib import pyplot as plt
from scipy import stats

from common import plots_results, records, results, tables
from common.inspect import macs, parameters
from common.labs import all_variants
from common.recipe import Recipe

ROOT = results.ROOT
LABS = {(lab, name): variant for lab, name, variant in all_variants()}


def record(lab="a", variant="v", seed=0, acc=0.8, params=1000, **more):
    """Return a Record of one epoch."""
    history = [dict(epoch=1, train_acc=acc + 0.1, clean_acc=acc + 0.05, test_acc=acc, test_loss=0.7, lr=0.1,
                    seconds=9.0)]
    fields = dict(recipe=Recipe(epochs=1), engine=1, data="d", network="n", dataset="cifar10", split={}, test_loss=1.0,
                  macs=10 * params, history=history, test_acc=acc, learnt_acc=acc + 0.05, confusion=[], device="a CPU", precision="fp32",
                  threads=1, torch="2", commit="c", date="2026-01-01", seconds=9.0, files={})
    return records.Record(lab=lab, variant=variant, seed=seed, params=params, **fields | more)


def test_the_overview_is_in_percent():
    table = results.overview([record(acc=0.78), record(seed=1, acc=0.79)])
    assert table.loc[0, ["accuracy", "std"]].tolist() == pytest.approx([78.5, 0.5**0.5])


def test_a_row_of_the_table_is_over_the_seeds():
    row = records.table([record(seed=seed, acc=acc, seconds=1.0, history=[dict(epoch=1, train_acc=acc + 0.1, seconds=took)])
                         for seed, acc, took in ((0, 0.7, 5.0), (1, 0.8, 6.0), (2, 0.9, 70.0))]).iloc[0]
    assert (row.params, row.macs, row.epochs, row.seconds) == (1000, 10_000, 1, 6.0)
    assert row.train_acc_mean == pytest.approx(0.9)


def test_the_last_epoch_and_the_best_are_told_apart():
    history = [dict(epoch=n, train_acc=acc + 0.1, clean_acc=acc + 0.05, test_acc=acc, test_loss=loss, lr=0.1, seconds=9.0)
               for n, (acc, loss) in enumerate(((0.7, 0.9), (0.8, 0.6), (0.75, 0.7)), start=1)]
    group = [record(acc=0.75, params=83_368, history=history)]
    assert results.difference(row_of("Level 1"), group) == pytest.approx(75 - 78.53)
    told = {what: here for what, _, here, _ in results.reproduced(row_of("Level 1"), group)}
    assert (told["test accuracy, last epoch"], told["test accuracy, best epoch"]) == ("75.00%", "80.00%")
    assert (told["training accuracy, last epoch"], told["training accuracy, best epoch"]) == ("85.00%", "90.00%")
    assert told["lowest test loss (nats), in epoch"] == "0.600 (2)"


def test_the_frontier_is_drawn_without_what_is_off_it():
    found = [record("a", name, acc=acc, params=params) for name, acc, params in
             (("small", 0.7, 10_000), ("worse", 0.6, 20_000), ("best", 0.8, 30_000))]
    none = pd.DataFrame(dict(name=[], params=[], accuracy=[]))
    alt = plots_results.against(results.overview(found), none, results.published(), "params", "parameters").alt
    assert "from the left: small of a, 10,000, 70.00 %; best of a, 30,000, 80.00 %. Reported" in alt


def test_on_the_frontier_is_what_no_other_beats():
    costs, accuracies = [1, 2, 2, 3, 4, 5, 2], [50, 60, 60, 70, 70, 69, 59]
    #    the cheapest; two alike; the best; dearer, no better; dearer, worse; as dear, worse
    assert results.frontier(costs, accuracies).tolist() == [True, True, True, True, False, False, False]


def test_the_least_difference_is_where_students_t_turns():
    apart = results.least_difference(0.3, 4)
    assert stats.ttest_ind_from_stats(apart, 0.3, 4, 0, 0.3, 4).pvalue == pytest.approx(0.05)


def test_what_a_variant_used_the_test_set_for_and_where_it_ran():
    peeking = Recipe(epochs=1, follow_test=True, statistics="test")
    table = results.overview([record(), record(seed=1, device="NVIDIA", at_once=3),
                              record(variant="w", recipe=peeking, at_once=1)])
    assert table.test_set.tolist() == ["once", "every epoch, for statistics"]
    assert table.machine.tolist() == ["NVIDIA, fp32, 3 runs at once; a CPU, 1 thread, fp32, maybe shared", "a CPU, 1 thread, fp32"]
    assert table.gap.tolist() == pytest.approx([5, 5])


def test_amid_training_anew_a_variant_is_shown_by_its_runs_as_it_is_now(monkeypatch):
    def run(seed, recipe, lab="level_1", name="repaired"):
        variant = LABS["level_1", "repaired"]._replace(recipe=recipe)
        return record(lab, name, acc=recipe.lr, **records.identity("cifar10", variant, seed) | dict(recipe=recipe))

    now = LABS["level_1", "repaired"].recipe
    before, older = now.plus(lr=0.5), now.plus(lr=0.25)
    monkeypatch.setattr(results, "read_all", lambda: [
        run(0, now), run(1, before), run(2, now), run(0, before, name="z"), run(0, older, "level_2"), run(1, before, "level_2")])
    assert [(r.lab, r.variant, r.seed, r.recipe.lr) for r in results.present()] == [
        ("level_1", "repaired", 0, now.lr), ("level_1", "repaired", 2, now.lr), ("level_1", "z", 0, 0.5), ("level_2", "repaired", 0, 0.25)]
    assert results.overview().seeds.tolist() == [2, 1, 1]


def test_the_gap_is_that_of_the_runs_that_have_clean_training_accuracy():
    table = results.overview([record(), record(seed=1, learnt_acc=None), record(variant="w", learnt_acc=None)])
    assert table.gap.tolist() == pytest.approx([5, float("nan")], nan_ok=True)


def test_reported_names_what_the_labs_have_and_all_that_they_run_as_the_sources_did():
    named = {(row.lab, row.variant) for row in results.reported().itertuples() if row.lab}
    assert named == {key for key in LABS if key[1].startswith("as_run")}


@pytest.mark.parametrize("row", [r for r in results.reported().itertuples() if r.lab], ids=lambda r: r.network)
def test_reported_parameters_are_those_of_the_network_as_the_source_counts(row):
    network = LABS[row.lab, row.variant].build()
    running = sum(buffer.numel() for name, buffer in network.named_buffers() if ".running_" in name)
    count = parameters(network) + (running if row.counted == "Keras" else 0)
    assert results.number(row.params) == (count // 1000 * 1000 if row.params.endswith("K") else count)
    assert int(row.epochs) == LABS[row.lab, row.variant].recipe.epochs


def test_published_arithmetic_follows_from_the_layers():
    def stage(side, *layers):
        return side**2 * sum(taps * n * m for taps, n, m in layers)

    def block(side, n):  # of cifar10-tiniest: three depthwise convolutions on a quarter each, then 1x1 twice
        return stage(side, (9, 1, n // 4), (49, 1, n // 4), (49, 1, n // 4), (1, n, 2 * n), (1, n, n))

    counts = {
        "ResNet-8, MLPerf Tiny": stage(32, (9, 3, 16), *2 * [(9, 16, 16)])
        + stage(16, (9, 16, 32), (9, 32, 32), (1, 16, 32)) + stage(8, (9, 32, 64), (9, 64, 64), (1, 32, 64)) + 640,
        "cifar10-tiniest": stage(32, (9, 3, 48)) + 3 * block(32, 48) + stage(16, (16, 3, 80)) + 3 * block(16, 80) + 800,
        "ResNet-20, 2016": stage(32, (9, 3, 16), *6 * [(9, 16, 16)]) + stage(16, (9, 16, 32), *5 * [(9, 32, 32)])
        + stage(8, (9, 32, 64), *5 * [(9, 64, 64)]) + 640,
        "SimpNet, slim": stage(32, (9, 3, 30), (9, 30, 40), *2 * [(9, 40, 40)], (9, 40, 50))
        + stage(16, *4 * [(9, 50, 50)], (9, 50, 58)) + stage(8, (9, 58, 58), (9, 58, 70), (9, 70, 90)) + 900}
    published = results.published()
    assert {row.name: row.macs for row in published.itertuples() if row.counted == "here"} == counts


def row_of(network):
    return next(row for row in results.reported().itertuples() if row.network == network)


def test_reported_beside_ours():
    group = [record(acc=acc, params=83_368) for acc in (0.78, 0.79)]
    assert results.reproduced(row_of("Level 1"), group) == [
        ("parameters", "83,368", "83,368", "0"),
        ("training accuracy, last epoch", "97.26%", "88.50% ± 0.71", "-8.76"),
        ("training accuracy, best epoch", "97.37%", "88.50% ± 0.71", "-8.87"),
        ("test accuracy, last epoch", "78.53%", "78.50% ± 0.71", "-0.03"),
        ("test accuracy, best epoch", "78.72%", "78.50% ± 0.71", "-0.22"),
        ("lowest test loss (nats), in epoch", "0.659 (10)", "0.700 ± 0.000 (1, 1)", "+0.041")]
    assert ("seconds of a run", "874.30", "9.00", "–") in results.reproduced(row_of("Base"), group)
    assert results.difference(row_of("Level 1"), group) == pytest.approx(-0.03)


def test_what_was_measured_on_training_images_stands_beside_training_images():
    row, group = row_of("The notebook resnet_19th"), [record(acc=0.8)]
    assert results.difference(row, group) == pytest.approx(85 - 87.12)
    told = {what: rest for what, *rest in results.reproduced(row, group)}
    assert told["“test”, last epoch"] == ["87.12%", "85.00%", "-2.12"]
    assert told["test accuracy, last epoch"] == [results.NO_NUMBER, "80.00%", "–"]
    assert not results.source_points("params").name.str.contains("19th").any()


def test_what_is_missing_is_said():
    assert {here for _, _, here, _ in results.reproduced(row_of("Level 2"), [])} == {results.NO_RECORD}
    told = [("parameters", "1.74M", results.NO_LAB, "–"), ("test accuracy", "86%", results.NO_LAB, "–")]
    assert results.reproduced(row_of("1.3"), []) == told


def test_a_sources_arithmetic_is_that_of_the_network_that_a_lab_builds_after_it():
    points = results.source_points("macs").set_index("name")
    assert points.loc["Strixbee Level 1"].tolist() == [macs(LABS["level_1", "as_run"].build()), 78.53, "78.53% for 83,368"]
    assert "6A Base" in points.index and "ShatheNet 1.3" not in points.index  # which no lab builds
    assert ["ShatheNet 1.3", 1_740_000, 86, "86% for 1.74M"] in results.source_points("params").values.tolist()


class Cells(HTMLParser):
    """Collects of every element its name, its attributes and the names of those around it."""

    def __init__(self, text):
        super().__init__()
        self.around, self.found = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes), list(self.around)))
        self.around += [tag] * (tag not in ("input", "wbr"))

    def handle_endtag(self, tag):
        assert self.around.pop() == tag  # or else the browser would guess


def test_the_table_has_what_sorts_and_filters_it():
    shown = pd.DataFrame({"lab": ["x", "<y>"], "variant": ["v_1", "v_2"], "size": ["1,000", "20"]})
    text = tables.sortable(shown, {"size": [1000, 20]}, "variant", "lab", "All")
    found = Cells(text).found
    assert [around[-1] for tag, _, around in found if tag == "button"] == 3 * ["th"]
    assert [float(a["data-value"]) for tag, a, _ in found if tag == "td" and a.get("class") == "number"] == [1000, 20]
    assert [a["data-group"] for tag, a, _ in found if tag == "tr" and "data-group" in a] == ["x", "<y>"]
    assert [around[-1] for tag, _, around in found if tag in ("input", "select")] == 2 * ["label"]
    assert any(tag == "output" and a["aria-live"] == "polite" for tag, a, _ in found)
    assert any(a.get("role") == "region" and a["aria-label"] == "All" and a["tabindex"] == "0" for _, a, _ in found)
    assert "<option>x</option>" in text and "<option>&lt;y&gt;</option>" in text


def test_the_script_is_in_the_site():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]
    assert all((ROOT / config["html_static_path"][0] / name).exists() for name in config["html_js_files"])


def test_names_in_the_figure_do_not_cover_each_other():
    figure, axes = plt.subplots()
    marks = [(1 + 0.001 * step, 1) for step in range(6)]
    axes.set(xlim=(0, 2), ylim=(0, 2))
    plots_results._write(figure, axes, [(f"a long name {x}", x, y, "black") for x, y in marks], marks, [])
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    plt.close(figure)
    assert len(boxes) == 6
    assert not any(a.overlaps(b) for place, a in enumerate(boxes) for b in boxes[:place])


FEW = [record("level_1", "repaired")]
MANY = [record(lab, name, seed, acc=0.7 + 0.001 * place + 0.002 * seed, params=1000 + 10 * place, recipe=variant.recipe)
        for place, ((lab, name), variant) in enumerate(LABS.items()) for seed in range(3)]


@pytest.mark.parametrize("found", [FEW, MANY], ids=["few", "many"])
@pytest.mark.parametrize("page", ["results", "reported"])
def test_the_page_holds_with_few_records_and_with_all(page, found, monkeypatch):
    for module in (records, results):
        monkeypatch.setattr(module, "read_all", lambda: found)
    names, said = {}, ""
    for cell in jupytext.read(ROOT / "book" / f"{page}.md", fmt="md:myst").cells:
        if cell.cell_type == "code":
            parsed = ast.parse(cell.source)
            shown = parsed.body.pop() if isinstance(parsed.body[-1], ast.Expr) else ast.parse("''").body[0]
            exec(compile(parsed, page, "exec"), names)
            value = eval(compile(ast.Expression(shown.value), page, "eval"), names)
            said += f"\n{getattr(value, 'alt', value)}"
    assert not re.search(r"<td[^>]*></td>|\bnan\b", said)
    if page == "results":
        assert said.count("<tr data-group") == len({(r.lab, r.variant) for r in found})
        best = max((r for r in found if not r.variant.startswith("as_run")), key=lambda r: r.test_acc)
        left = said.partition("Our frontier, from the left: ")[2].partition(" of the sources")[0]
        assert f"{best.variant} of {best.lab}, {best.params:,}, " in left and "as_run" not in left
    else:
        assert (results.NO_RECORD in said) == (found is FEW) and results.NO_LAB in said


TRIED = """
const said = [], look = () => said.push([...document.querySelectorAll("tbody tr")].filter((row) => !row.hidden)
  .map((row) => row.cells[0].textContent).join("") + " " + document.querySelector("output").textContent);
const press = (heading) => { document.querySelectorAll("thead button")[heading].click(); look(); };
const type = (name, text) => {
  const control = document.querySelector(name);
  control.value = text; control.dispatchEvent(new Event("input")); look();
};
document.addEventListener("DOMContentLoaded", () => {
  look(); press(0); press(2); press(2);
  type("input", "Y"); type("input", "-3 x"); type("input", ""); type("select", "x");
  document.body.dataset.said = said.join("; ") + "; " + document.querySelectorAll("th[aria-sort=descending]").length;
});
"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
def test_the_table_sorts_and_filters_in_a_browser(tmp_path):
    shown = pd.DataFrame({"variant": [*"bacd"], "lab": [*"xyxz"], "size": ["1,000", "20", "-3", "–"]})
    table = tables.sortable(shown, {"size": [1000, 20, -3, float("nan")]}, "variant", "lab", "All")
    script = (ROOT / "book" / "_static" / "tables.js").read_text()
    (tmp_path / "page.html").write_text(f"<meta charset=utf-8><script>{script}</script><script>{TRIED}</script>{table}")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
               "--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'user'}"]
    page = subprocess.run(["chromium", *options, "--dump-dom", tmp_path / "page.html"], capture_output=True, text=True,
                          timeout=120).stdout
    assert 'data-said="' in page, page
    assert page.partition('data-said="')[2].partition('"')[0].split("; ") == [
        "bacd 4 of 4 shown", "abcd 4 of 4 shown",
        "dcab 4 of 4 shown", "bacd 4 of 4 shown",  # by number, none before all, and back
        "a 1 of 4 shown", "c 1 of 4 shown", "bacd 4 of 4 shown", "bc 2 of 4 shown", "1"]
