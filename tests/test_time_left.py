"""The rest of a run's time, against a clock that is turned by hand."""

from pathlib import Path

import pytest

from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run_plan import PlannedStage, plan_stages
from wae_rnf.training.systems import SYSTEMS, customized_system
from wae_rnf.training.time_left import FIRST_STEPS, WARM_UP, WINDOW, TimeLeft

SENTENCES = {"train": 960, "validation": 100}  # 30 steps an epoch; nothing is evaluated


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def planned(name="vae", **options):
    return PlannedStage(name, SYSTEMS["vae"], TrainArguments(system="vae", **options), Path("run"))


def walk(time_left, clock, seconds, steps):
    for _ in range(steps):
        clock.now += seconds
        time_left.step()


def test_steps_and_validations_of_all_stages_are_counted(clock):
    time_left = TimeLeft([planned("first", num_epochs=2), planned("second", num_epochs=3)], SENTENCES, clock)
    time_left.begin()
    assert time_left.seconds("first", 0) is None
    walk(time_left, clock, 0.5, 1 + WARM_UP + 20)
    time_left.validated(7.0)
    assert time_left.seconds("first", 30) == pytest.approx(0.5 * (30 + 90) + 7 * (1 + 3))
    assert time_left.seconds("first", 45) == pytest.approx(0.5 * (15 + 90) + 7 * (1 + 3))
    assert time_left.seconds("second", 90) == 0
    time_left.validated(9.0)
    assert time_left.seconds("second", 60) == pytest.approx(0.5 * 30 + 8 * 1)


def test_neither_the_first_steps_nor_pauses_are_measured(clock):
    time_left = TimeLeft([planned(num_epochs=1)], SENTENCES, clock)
    time_left.begin()
    walk(time_left, clock, 60.0, 1 + WARM_UP)  # the first one only starts the watch
    walk(time_left, clock, 0.25, 5)
    clock.now += 1000  # a validation
    time_left.pause()
    walk(time_left, clock, 0.25, 5)
    time_left.validated(0.0)
    assert time_left.seconds("vae", 10) == pytest.approx(0.25 * 20)


def test_the_newest_steps_count(clock):
    time_left = TimeLeft([planned(num_epochs=40)], SENTENCES, clock)
    time_left.begin()
    walk(time_left, clock, 3.0, 20)
    walk(time_left, clock, 0.5, WINDOW)
    time_left.validated(0.0)
    assert time_left.seconds("vae", 1100) == pytest.approx(0.5 * 100)


def test_it_is_known_after_some_steps_and_seconds(clock):
    time_left = TimeLeft([planned(num_epochs=40)], SENTENCES, clock)
    time_left.begin()
    walk(time_left, clock, 0.05, WARM_UP + FIRST_STEPS)
    assert not time_left.is_known
    walk(time_left, clock, 0.05, 1)
    assert not time_left.is_known  # half a second says nothing yet
    walk(time_left, clock, 0.05, 40)
    assert time_left.is_known


@pytest.mark.parametrize(
    ("options", "sentences", "name"),
    [
        ({"eval_iwae_samples": 500}, {}, "samples of the evaluation"),
        ({}, {"test": 900}, "sentences of the evaluation"),
        ({}, {"validation": 900}, "sentences of a validation"),
    ],
)
def test_what_was_not_measured_yet_grows_with_its_work(clock, options, sentences, name):
    found = []
    for more_options, more_sentences in (({}, {}), (options, sentences)):
        stage = planned(num_epochs=2, **more_options)
        time_left = TimeLeft([stage], SENTENCES | {"test": 100} | more_sentences, clock)
        time_left.begin()
        walk(time_left, clock, 0.5, 20)
        found.append(time_left.seconds("vae", 0))
    assert 0.5 * 60 < found[0] < found[1], name


@pytest.mark.parametrize(
    ("options", "names", "left"),
    [
        ({"system": "vae", "num_epochs": 3}, ["vae"], [(90, 3)]),
        ({"system": "wae-rnf", "num_epochs": 16}, ["vae", "wae-rnf"], [(60, 2), (480, 16)]),
        ({"system": "wae-rnf", "num_epochs": 16, "first_stage_epochs": 1}, ["vae", "wae-rnf"], [(30, 1), (480, 16)]),
        (
            {"system": "wae-rnf", "autoencoder_epochs": 2, "num_epochs": 3},
            ["autoencoder", "wae-rnf"],
            [(60, 2), (90, 3)],
        ),
        ({"system": "wae-rnf", "centres_from": "c.npy", "num_epochs": 1}, ["wae-rnf"], [(30, 1)]),
        ({"system": "vae", "num_epochs": 9, "max_steps": 100}, ["vae"], [(100, 4)]),
        ({"system": "vae", "num_epochs": 2, "accumulation_steps": 7}, ["vae"], [(10, 2)]),
        ({"system": "vae", "num_epochs": 2, "max_steps_per_epoch": 5}, ["vae"], [(10, 2)]),
    ],
)
def test_plan_of_a_run(options, names, left):
    arguments = TrainArguments(**options)
    stages = plan_stages(arguments, customized_system(arguments))
    assert [stage.name for stage in stages] == names
    assert [stage.steps_left(960) for stage in stages] == left


def test_what_is_left_of_a_stage():
    stage = planned(num_epochs=4, max_steps=100)
    assert [stage.steps_left(960, step) for step in (29, 30, 90, 99, 100)] == [
        (71, 4), (70, 3), (10, 1), (1, 1), (0, 0),
    ]  # fmt: skip
