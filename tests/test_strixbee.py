"""Levels 2 and 3: networks as the source printed them, variants that differ in one thing, and their figures."""

import pytest
import torch
from conftest import cells
from torch import nn

from common import labs
from common.inspect import digest, layers, macs, parameters
from common.plots_study import dots, pictures

LEVEL_2 = labs.variants(labs.LABS / "level_2.py")
LEVEL_3 = labs.variants(labs.LABS / "level_3.py")


def differences(lab, one, two):
    """Return the names of the settings in which two variants' recipes differ."""
    first, second = (lab[name].recipe.model_dump() for name in (one, two))
    return {name for name in first if first[name] != second[name]}


def initial(variant):
    """Return the weights that a network draws from seed 0."""
    torch.manual_seed(0)
    return list(variant.build().parameters())


def test_level_2_is_the_sources_table():
    table = layers(LEVEL_2["as_run"].build())
    assert parameters(LEVEL_2["as_run"].build()) == 203_624
    strided = table[table.layer == "Conv 3×3, stride 2"]
    assert strided.params.tolist() == [9_216, 36_864, 36_864, 36_864]
    before = table[table.layer == "Conv 3×3"].groupby("height").field.last().sort_index(ascending=False).tolist()[1:4]
    assert strided.field.tolist() == [7, 19, 43, 91] and before == [15, 35, 75]  # as the source printed


@pytest.mark.parametrize("size, count", [("small", 78_248), ("large", 198_504)])
def test_a_pooled_and_a_strided_network_differ_in_the_striding_alone(size, count):
    pooled, strided = (LEVEL_2[f"{kind}_{size}"] for kind in ("pooled", "strided"))
    assert parameters(pooled.build()) == parameters(strided.build()) == count
    assert macs(strided.build()) < macs(pooled.build())
    assert all(torch.equal(a, b) for a, b in zip(initial(pooled), initial(strided), strict=True))
    assert pooled.recipe == strided.recipe == LEVEL_2["pooled_small"].recipe


def test_level_2s_corners_are_level_1_and_level_2_with_the_head_mended():
    level_1 = labs.variants(labs.LABS / "level_1.py")["repaired"].build()
    assert repr(LEVEL_2["pooled_small"].build()) == repr(level_1)
    assert parameters(LEVEL_2["as_run"].build()) - parameters(LEVEL_2["strided_large"].build()) == 64 * 10 * 8


def test_level_3_is_level_2_with_dropout_in_the_ordinary_blocks():
    network = LEVEL_3["as_run"].build()
    assert parameters(network) == 203_624
    assert macs(network) == macs(LEVEL_2["as_run"].build())
    blocks = [block for block in network if isinstance(block, nn.Sequential)]
    dropped = [[m.p for m in block if isinstance(m, nn.Dropout2d)] for block in blocks]
    strides = [block[0].stride for block in blocks]
    assert dropped == [[0.1] if stride == (1, 1) else [] for stride in strides] and dropped.count([0.1]) == 11


@pytest.mark.parametrize("one, two, settings", [
    ("plain", "dropout", set()),
    ("dropout", "rotation", {"shift", "scale", "rotate"}),
    ("rotation", "wrong_hole", {"cutout", "cutout_p", "cutout_fill"}),
    ("wrong_hole", "mended_hole", {"cutout_fill"}),
    ("plain", "flip", {"flip", "alternate"}),
    ("flip", "crop", {"crop", "crop_mode"}),
    ("crop", "rate", {"lr"}),
    ("rate", "schedule", {"schedule", "cycle_momentum"}),
    ("schedule", "decay", {"weight_decay"}),
    ("decay", "long", {"epochs"}),
    ("decay", "hole", {"cutout", "cutout_p"}),
    ("decay", "late_dropout", set()),
    ("long", "redesigned", set()),
])
def test_each_rung_of_level_3_adds_one_thing(one, two, settings):
    all_rungs = LEVEL_3 | {"plain": LEVEL_2["strided_large"]}
    assert differences(all_rungs, one, two) == settings
    same_network = repr(all_rungs[one].build()) == repr(all_rungs[two].build())
    assert same_network == bool(settings)


def test_level_3_begins_with_runs_of_level_2():
    """Its plain network is asked for by Level 2's name, and must be the same run."""
    lab = cells("level_3")
    assert lab["plain"] == LEVEL_2["strided_large"].recipe
    assert digest(lab["network"]()) == digest(LEVEL_2["strided_large"].build())


def test_all_but_as_run_keep_to_the_protocol():
    for lab in (LEVEL_2, LEVEL_3):
        for name, (_, recipe) in lab.items():
            protocol = (recipe.validation, recipe.follow_test, recipe.statistics)
            assert protocol == ((0, True, "test") if name == "as_run" else (0.1, False, "train")), name


def test_the_redesign_keeps_to_the_budget():
    network = LEVEL_3["redesigned"].build()
    assert layers(network).params.sum() == parameters(network) == 203_578 <= 203_624


def test_dots_say_their_means_and_pictures_say_what_is_seen():
    drawn = dots([("one", [0.5, 0.52, 0.54]), ("two", [0.61])], "Two variants")
    assert drawn.alt == "Two variants, 1 to 3 seeds: test accuracy in %, mean over seeds, from the top: one 52.00, two 61.00."
    assert drawn.png.startswith(b"\x89PNG")
    small = pictures([torch.zeros(4, 4), torch.rand(3, 4, 4)], ["a", "b"], "Two", "One is dark, one is coloured.")
    assert small.alt == "Two. One is dark, one is coloured." and small.png.startswith(b"\x89PNG")
