"""What a person sees of a stage while it trains: a bar, and a line for each epoch, within 80 columns."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tqdm.auto import tqdm

from modeling_wae_rnf import WaeRnfConfig

from .messages import wrapped
from .time_left import TimeLeft, in_words

REFRESH = 1.0  # seconds between two looks at the time that is left
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{rate_fmt}{postfix}]"


class Column:
    """A column of the lines of epochs.

    Args:
        heading: over it.
        width: letters.
        text_of: gives its text from an [`EpochLine`]'s dictionary.
    """

    def __init__(self, heading: str, width: int, text_of: Callable[[Mapping[str, Any]], str]) -> None:
        self.heading, self.width, self.text_of = heading, width, text_of


def figure(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda shown: f"{shown[name]:.2f}"


EPOCH = Column("epoch", 7, lambda shown: f"{shown['epoch']}/{shown['epochs']}")
LOSS = Column("loss", 8, figure("loss"))
PERPLEXITY = Column("ppl", 8, lambda shown: f"{shown['perplexity']:.4g}")
BOUND = Column("bound", 8, figure("bound"))
KL = Column("KL", 7, figure("kl"))
INFORMATION = Column("MI", 7, figure("mutual_information"))
UNITS = Column("units", 8, lambda shown: shown["units"])
RATE = Column("lr", 8, lambda shown: f"{shown['learning_rate']:.2g}")
LEFT = Column("left", 8, lambda shown: in_words(shown["seconds_left"]))


def columns_of(config: WaeRnfConfig, sampled: bool = True, per_unit: bool = True) -> list[Column]:
    """The columns that say something of a model.

    Args:
        config: the model's.
        sampled: whether z is drawn; at the posterior's mean there is no bound.
        per_unit: whether the divergence is a sum over units, of which some are used.
    """
    if not config.latent_size:  # whose loss is the negative log-likelihood
        return [EPOCH, LOSS, PERPLEXITY, RATE, LEFT]
    bound, units = [BOUND] if sampled else [], [UNITS] if per_unit else []
    return [EPOCH, LOSS, *bound, KL, INFORMATION, *units, RATE, LEFT]


def line(columns: Sequence[Column], texts: Sequence[str]) -> str:
    """
    Examples:
        >>> line([EPOCH, LOSS], ["1/7", "25.61"])
        '    1/7     25.61'
    """
    return "  ".join(f"{text:>{column.width}}" for column, text in zip(columns, texts, strict=True))


class Progress:
    """The bar and the lines of a stage. A context; where it is quiet, nothing is shown.

    Args:
        name: of the stage.
        num_steps: of the stage.
        time_left: [`TimeLeft`] of the run.
        quiet: for every process but the first.
    """

    def __init__(self, name: str, num_steps: int, time_left: TimeLeft, quiet: bool) -> None:
        self.name, self.num_steps, self.time_left, self.quiet = name, num_steps, time_left, quiet
        self.columns: Sequence[Column] | None = None
        self.loss: float | None = None
        self.looked = 0.0

    def start(self, step: int) -> None:
        """Shows the bar, of which so many steps are done."""
        self.time_left.begin()
        disable = True if self.quiet else None  # None: where the error stream is no terminal
        self.bar = tqdm(
            desc=self.name, total=self.num_steps, initial=step, unit="step", bar_format=BAR, disable=disable,
            dynamic_ncols=True, file=sys.stderr,
        )  # fmt: skip

    def stop(self) -> None:
        self.bar.close()

    def step(self, step: int) -> None:
        """A step is done, the one of this number."""
        self.time_left.step()
        self.bar.update()
        now = self.time_left.last
        if now is not None and now - self.looked >= REFRESH:
            self.looked = now
            self._look(step)

    def _look(self, step: int) -> None:
        seconds = self.time_left.seconds(self.name, step)
        loss = [] if self.loss is None else [f"loss {self.loss:.4g}"]
        self.bar.set_postfix_str(", ".join([*loss, f"{in_words(seconds)} left"]), refresh=False)
        if not self.time_left.told and self.time_left.is_known:
            self.time_left.told = True
            self.write(f"The run ends in about {in_words(seconds)}: stages, validations and evaluation.")

    def write(self, text: str) -> None:
        """A line that stays, above the bar."""
        if not self.quiet:
            self.bar.write(text, file=sys.stderr)

    def warn(self, sentence: str) -> None:
        self.write(wrapped(f"{self.name}: {sentence}"))

    def epoch(self, columns: Sequence[Column], shown: Mapping[str, Any], best: bool) -> None:
        """The line of an epoch, under a heading where it is the first; a star says that its model is the best."""
        if self.columns is None:
            self.write(f"{self.name}, validation in nats per sentence; * the best model so far, which is saved")
            self.write(line(columns, [column.heading for column in columns]))
            self.columns = columns
        self.write(line(columns, [column.text_of(shown) for column in columns]) + (" *" if best else ""))
