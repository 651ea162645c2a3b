"""How long the rest of a run takes, all stages, validations and the evaluation: from what was measured so far."""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from .arguments import TrainArguments
from .run_plan import PlannedStage

WINDOW = 200  # steps that the time of a step is the mean of
WARM_UP = 2  # steps of a stage that are not measured: kernels are compiled and memory is asked for
FIRST_STEPS, FIRST_SECONDS = 10, 2.0  # measured before anything is said
# In steps' time for a sentence, before one was measured: a validation reads its sentences forwards and encodes them,
# an evaluation decodes each importance sample, many at once.
VALIDATION, ENCODING, EVALUATION, IMPORTANCE_SAMPLE = 0.6, 0.1, 3.0, 0.12
ALL_PAIRS = 1.2e-7  # seconds for a pair of sentences: the mutual information looks at all of them
TEXT = 8.0  # seconds for the samples and reconstructions of the evaluation


class TimeLeft:
    """Estimates how long the rest of a run takes.

    Args:
        stages: [`PlannedStage`] of the run, in their order.
        sentences: of each split, {"train", "validation", "test"}.
        clock: gives seconds.
    """

    def __init__(
        self,
        stages: Sequence[PlannedStage],
        sentences: Mapping[str, int],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.stages, self.sentences, self.clock = {stage.name: stage for stage in stages}, sentences, clock
        self.steps: deque[float] = deque(maxlen=WINDOW)
        self.validations: list[float] = []
        self.last: float | None = None
        self.to_skip, self.measured = WARM_UP, 0.0
        self.told = False  # whether a person knows how long the run takes

    def begin(self) -> None:
        """A stage begins, whose steps take a time of their own."""
        self.steps.clear()
        self.last, self.to_skip, self.measured = None, WARM_UP, 0.0

    def pause(self) -> None:
        """What happens until the next step is no part of it: a validation, for example."""
        self.last = None

    def step(self) -> None:
        """A step is done."""
        now = self.clock()
        if self.last is not None:
            if self.to_skip:
                self.to_skip -= 1
            else:
                self.steps.append(now - self.last)
                self.measured += now - self.last
        self.last = now

    def validated(self, seconds: float) -> None:
        """A validation is done."""
        self.validations.append(seconds)

    @property
    def is_known(self) -> bool:
        """Whether enough steps were measured."""
        return len(self.steps) >= FIRST_STEPS and (self.measured >= FIRST_SECONDS or len(self.steps) == WINDOW)

    def seconds(self, name: str, step: int) -> float | None:
        """Of the rest of the run, after so many steps of a stage; None where no step was measured yet."""
        if not self.steps:
            return None
        names = list(self.stages)
        rest = names[names.index(name) :]
        return sum(self._of_stage(self.stages[n], step if n == name else 0) for n in rest) + self._of_evaluation()

    def _of_stage(self, stage: PlannedStage, step: int) -> float:
        steps, validations = stage.steps_left(self.sentences["train"], step)
        return steps * self._per_step + validations * self._per_validation(stage.arguments)

    @property
    def _per_step(self) -> float:
        return sum(self.steps) / len(self.steps)

    def _per_sentence(self, arguments: TrainArguments) -> float:
        """Seconds of a step for each of its sentences."""
        return self._per_step / min(arguments.batch_size * arguments.accumulation_steps, self.sentences["train"])

    def _per_validation(self, arguments: TrainArguments) -> float:
        if self.validations:
            return sum(self.validations) / len(self.validations)
        read = VALIDATION * self.sentences["validation"] + ENCODING * min(self.sentences["train"], 10_240)
        return read * self._per_sentence(arguments) + self._all_pairs("validation")

    def _of_evaluation(self) -> float:
        if not self.sentences.get("test"):
            return 0.0
        arguments = list(self.stages.values())[-1].arguments
        sentences = min(self.sentences["test"], arguments.eval_max_sentences or math.inf)
        read = EVALUATION + IMPORTANCE_SAMPLE * arguments.eval_iwae_samples
        return sentences * read * self._per_sentence(arguments) + self._all_pairs("test") + TEXT

    def _all_pairs(self, split: str) -> float:
        return ALL_PAIRS * min(self.sentences[split], 10_000) ** 2


def in_words(seconds: float | None) -> str:
    """A duration in two digits or so.

    Examples:
        >>> [in_words(seconds) for seconds in (0.4, 42, 89, 600, 5400, 200_000, None)]
        ['1 s', '42 s', '1.5 min', '10 min', '1.5 h', '2.3 days', '?']
    """
    if seconds is None:
        return "?"
    if round(seconds) < 60:
        return f"{max(1, round(seconds))} s"
    for unit, size, most in (("min", 60, 60), ("h", 3600, 24), ("days", 86400, math.inf)):
        value = float(f"{seconds / size:.2g}")
        if value < most:
            return f"{value:g} {unit}"
    return "?"
