"""Figures say in words, for those who do not see them, the numbers that they draw."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from test_show import RUNS

from common import plots, plots_ladder, plots_study


def test_curves_are_means_over_seeds():
    left, right = plots.curves(RUNS, "T")
    assert "test from 50 to 70" in left.alt and "test from 1 to 0.7" in right.alt


def test_a_confusion_is_a_share_of_the_true_class():
    counts = 10 * np.eye(10, dtype=int)
    counts[3, 3], counts[3, 5], counts[5] = 6, 4, 20 * counts[5]
    counts[5, 3] = 50
    drawn = plots.confusion([SimpleNamespace(confusion=counts.tolist())], list("abcdefghij"), "T")
    assert drawn.alt.endswith("Most frequent mistake: d taken for f, 40 % of the time.")


def test_a_waterfall_ends_where_its_steps_lead():
    steps = pd.DataFrame(dict(step=["one", "two"], change=[2.0, -0.5], low=[1.0, -1.0], high=[3.0, 0.0]))
    alt = plots_ladder.waterfall(("start", 80.0), steps, 3, "T").alt
    assert "one +2.00 (+1.00 to +3.00); two −0.50" in alt and alt.endswith("at the end 81.50 %.")


def test_a_range_test_marks_a_rate_only_where_one_is_chosen():
    test = pd.DataFrame(dict(rate=[1e-3, 1e-2, 1e-1], loss=[2.3, 1.9, 2.6], smooth=[2.3, 2.0, 2.5]))
    assert plots_study.range_test(test, 1e-3, "T").alt.endswith("lowest, 2.00, at 0.01, and 2.50 at 0.1, where the test ends; "
                                                                "the mark is at 0.001.")
    assert plots_study.range_test(test, None, "T").alt.endswith("where the test ends.")
