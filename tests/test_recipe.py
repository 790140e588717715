"""A recipe's settings are checked, also those of a recipe that is made from another one."""

import pytest
from pydantic import ValidationError

from common.recipe import Recipe


def test_a_recipe_with_other_settings():
    assert Recipe(epochs=2, flip=True).plus(lr=1, flip=False) == Recipe(epochs=2, lr=1.0)


@pytest.mark.parametrize("changes, sentence", [
    (dict(weight_dacay=1e-4), "weight_dacay\n  Extra inputs are not permitted"),
    (dict(lr=0), "lr\n  Input should be greater than 0"),
    (dict(schedule="x"), "schedule\n  Input should be 'constant', 'step'"),
    (dict(epochs=0), "epochs\n  Input should be greater than or equal to 1"),
    (dict(min_lr=1.0), "min_lr is higher than lr: change one of the two"),
    (dict(alternate=True), "alternate says how to flip, and flip is False: change one of the two"),
    (dict(cutout_least=8), "cutout_least is larger than cutout: change one of the two"),
    (dict(nesterov=True, momentum=0), "nesterov needs a momentum above 0: change one of the two"),
])
def test_what_is_no_setting_or_contradicts_another_is_refused(changes, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Recipe(epochs=2).plus(**changes)
