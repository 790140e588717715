"""A recipe's settings are checked, also those of a recipe that is made from another one."""

import pytest

from common.errors import CourseError
from common.recipe import Recipe


def test_a_recipe_with_other_settings():
    assert Recipe(epochs=2, flip=True).plus(lr=1, flip=False) == Recipe(epochs=2, lr=1.0)


@pytest.mark.parametrize("changes, sentence", [
    (dict(weight_dacay=1e-4), "The recipe's setting weight_dacay is not known: did you mean weight_decay?"),
    (dict(lr=0), "The recipe's lr is 0; what it takes: greater than 0."),
    (dict(schedule="x"), "The recipe's schedule is 'x'; what it takes: 'constant', 'step'"),
    (dict(epochs=0), "The recipe's epochs is 0; what it takes: greater than or equal to 1."),
    (dict(min_lr=1.0), "min_lr is higher than lr: change one of the two"),
    (dict(alternate=True), "alternate says how to flip, and flip is False: change one of the two"),
    (dict(alternate=True, flip=True, flip_p=0.3), "alternate flips half of the images, and flip_p is not 0.5"),
    (dict(schedule="onecycle", momentum=0.8), "onecycle moves the momentum by itself unless cycle_momentum is False"),
    (dict(cutout_least=8), "cutout_least is larger than cutout: change one of the two"),
    (dict(nesterov=True, momentum=0), "nesterov needs a momentum above 0: change one of the two"),
])
def test_what_is_no_setting_or_contradicts_another_is_refused(changes, sentence):
    with pytest.raises(CourseError) as error:
        Recipe(epochs=2).plus(**changes)
    assert sentence in str(error.value) and "\n" not in str(error.value)


def test_a_recipe_says_how_long():
    with pytest.raises(CourseError, match="The recipe does not say its epochs: add epochs="):
        Recipe(lr=0.1)
