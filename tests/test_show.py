"""Tables and sentences that labs share, from records made for the purpose."""

from types import SimpleNamespace

import pandas as pd
import pytest

from common import show, tables
from common.record import Record
from common.settings import Settings


class Run:
    """What a record is to a table."""

    variant, params, macs, device, precision, threads, at_once = "one", 83_368, 22_000_000, "A CPU", "fp32", 2, 1
    gap = Record.gap

    def __init__(self, accuracies, losses, seconds=90, **more):
        self.history = [dict(epoch=epoch, train_acc=accuracy + 0.1, test_acc=accuracy, test_loss=loss, seconds=seconds / (epoch % 3 + 1)) | more
                        for epoch, (accuracy, loss) in enumerate(zip(accuracies, losses), start=1)]
        self.test_acc, self.train_acc, self.took = accuracies[-1], accuracies[-1] + 0.1, seconds
        self.val_acc, self.learnt_acc = more.get("val_acc"), more.get("learnt_acc")

    def curves(self):
        return pd.DataFrame(self.history).set_index("epoch")


RUNS = [Run([0.5, 0.7, 0.6], [1.0, 0.8, 0.9], 90, learnt_acc=0.65), Run([0.5, 0.6, 0.8], [1.0, 0.9, 0.5], 150)]


def test_a_summary_is_a_row_for_each_variant():
    frame = show.summary({"as run": RUNS, "held out": [Run([0.5], [1.0], val_acc=0.75)]}).frame
    assert frame.values.tolist() == [
        ["as run", 83_368, 22_000_000, 3, "–", "70.00% ± 14.14", "65.00% (1 of 2 runs)", 2, "2.0"],
        ["held out", 83_368, 22_000_000, 1, "75.00%", "50.00%", "–", 1, "1.5"]]
    assert "83,368" in show.summary({"as run": RUNS})._repr_html_()
    more = show.summary({"both": RUNS, "new": RUNS[:1], "old": RUNS[1:]}, gap=show.gap).frame
    assert more["gap"].tolist() == ["5.0", "5.0", "–"]  # of the runs that have clean training accuracy
    more = show.summary({"as run": RUNS}, fastest_epoch=show.seconds).frame
    assert more["fastest epoch"].tolist() == ["40.0"]  # of 30 and 50, the second of three


def test_a_summary_says_which_machine_where_there_are_several():
    fast = Run([0.5], [1.0])
    fast.device, fast.precision = "NVIDIA H100", "bf16"
    frame = show.summary({"one": RUNS, "other": [fast], "both": [RUNS[0], fast]}).frame
    assert frame["trained on"].tolist() == [
        "A CPU, 2 threads, fp32", "NVIDIA H100, bf16", "A CPU, 2 threads, fp32; NVIDIA H100, bf16"]
    assert "trained on" not in show.summary({"other": [fast]}).frame


def test_beside_a_source_stand_means_over_seeds():
    frame = show.beside(["1", "2%", "3%", "4%", "5", "6"], RUNS, [("a row", "7", "8")]).frame
    assert frame.source.tolist() == ["1", "2%", "3%", "4%", "5", "6", "7", "1"]
    assert frame.here.tolist() == [  # the losses are lowest, 0.8 and 0.5, in epochs 2 and 3
        "83,368", "80.00% ± 14.14", "70.00% ± 14.14", "75.00% ± 7.07", "2, 3", "0.650 ± 0.212", "8", "2"]
    with pytest.raises(ValueError):
        show.beside(["1", "2%"], RUNS)


@pytest.mark.parametrize("more, said", [
    ({}, "One run of `one` took 1.5 minutes on A CPU, 2 threads, fp32."),
    (dict(threads=1), "1.5 minutes on A CPU, 1 thread, fp32."),
    (dict(device="NVIDIA H100", precision="bf16"), "1.5 minutes on NVIDIA H100, bf16."),
    (dict(at_once=3), "A CPU, 2 threads, fp32, while 3 runs shared the machine."),
    (dict(at_once=0), "A CPU, 2 threads, fp32; whether it shared the machine is not known."),
])
def test_how_long_a_run_took(more, said):
    run = Run([0.5], [1.0])
    vars(run).update(more)
    assert show.took(run).endswith(said)


def test_a_figure_with_small_labels_scrolls_where_the_page_is_narrow():
    wide, plain = (show.Picture(b"", "a < b", 691, least)._repr_html_() for least in (600, 0))
    assert 'class="scrolled" role="region"' in wide and 'tabindex="0"' in wide and "min-width: 600px" in wide
    assert plain.startswith("<img") and 'alt="a &lt; b"' in plain


def test_what_a_lab_costs_is_said_machine_by_machine():
    runs = [SimpleNamespace(lab="a", device=device, took=seconds, at_once=most) for device, seconds, most in (
        ("a CPU", 600.0, 1), ("a CPU", 7200.0, 2), ("a GPU", 30.0, 1))]
    assert show.cost("a", Settings(), runs) == (
        "**Time.** Replayed from records, this lab takes seconds. Trained, it takes longer: 2 runs on a CPU took 10 min to "
        "2 h 00 min each, 2 h 10 min in all; up to 2 at a time shared the machine. 1 run on a GPU took 30 s. `make record "
        "DRY=1 ONLY=a` lists what is missing, with an estimate for the machine at hand.")
    assert "none of its runs is on record yet" in show.cost("another_lab", Settings(), runs)
    runs[2].at_once = 0
    assert "1 run on a GPU took 30 s; the machine may have been shared. " in show.cost("a", Settings(), runs)
    tried = show.cost("a", Settings(dataset="synthetic", epochs=1, seeds=2), runs)
    assert tried.startswith(show.cost("a", Settings(), runs)) and "\n\n**A trial: dataset synthetic, epochs 1.** The" in tried


def test_a_negative_number_is_shown_with_a_minus_sign():
    said = "-1.56 points (-2.00 to -1.12), on 2026-01-01, p = 6e-08, level-1, [1-2](a-1)"
    shown = "−1.56 points (−2.00 to −1.12), on 2026-01-01, p = 6e-08, level-1, [1-2](a-1)"
    assert show.Text(said)._repr_markdown_() == shown and str(show.Text(said)) == said
    assert "<td>−2.00</td>" in show.Table(pd.DataFrame({"a": ["-2.00"]}))._repr_html_()
    assert "−0.5" in tables.sortable(pd.DataFrame({"a": ["-0.5"], "b": ["x"]}), {"a": [-0.5]}, "b", "b", "c")
    assert 'data-value="-0.5"' in tables.sortable(pd.DataFrame({"a": ["-0.5"], "b": ["x"]}), {"a": [-0.5]}, "b", "b", "c")


@pytest.mark.parametrize("name, value", dict(device="B", threads=4, precision="bf16", at_once=2).items())
def test_runs_of_another_machine_are_not_alike(name, value):
    one, other = Run([0.5], [1.0]), Run([0.5], [1.0])
    assert show.alike([one], [other])
    setattr(other, name, value)
    assert not show.alike([one], [other])


def test_what_is_not_known_to_be_alike_is_not():
    one, other = Run([0.5], [1.0]), Run([0.5], [1.0])
    one.at_once = other.at_once = 0
    assert not show.alike([one], [other])


def test_minutes_are_the_medians_and_say_how_many_ran_at_once():
    group = [Run([0.5], [1.0], seconds) for seconds in (60, 90, 600)]
    group[2].at_once = 3
    assert show.summary({"a": group}).frame.minutes.tolist() == ["1.5 (3 runs at once)"]
    group[1].at_once, group[2].at_once = 0, 1
    assert show.summary({"a": group}).frame.minutes.tolist() == ["1.5 (maybe shared)"]
