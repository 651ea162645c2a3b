"""The options of `wae-rnf train`, in groups. Their help texts are the documentation."""

import os
from dataclasses import Field, dataclass, field, fields, make_dataclass, replace
from pathlib import Path
from typing import Any

from wae_rnf.evaluation.proposals import PROPOSAL_HELP, PROPOSALS, check_proposal
from wae_rnf.tokenization.corpus_names import corpus_name
from wae_rnf.tokenization.tokenizations import TOKENIZATIONS

from .network.model_options import ModelOptions
from .network.options import (
    LARGEST,
    NOT_NEGATIVE,
    POSITIVE,
    RATE,
    WIDEST,
    Rule,
    at_least,
    check_rules,
    one_of,
    option,
)
from .systems import MODEL_DEFAULTS, SYSTEMS, default_in_words, resolve

PRESETS = sorted(path.stem for path in Path(__file__).with_name("presets").glob("*.yaml"))

NOT_BLANK = Rule(lambda value: bool(value.strip()), "must be a name")
PART = Rule(lambda value: 0 <= value <= 1, "must lie in [0, 1]")
EPOCHS = Rule(lambda epochs: all(1 <= epoch <= LARGEST for epoch in epochs), "must be epochs, from 1 on")
SEED = Rule(lambda value: 0 <= value < 2**32, "must lie in [0, 2**32)", most=2**32)


class Unset:
    """In the place of an option's value: none was given, and the system's row has it."""

    def __repr__(self) -> str:
        return "unset"


UNSET = Unset()


def _of_a_run(declared: Field[Any]) -> tuple[str, Any, Any]:
    """An option of the model as one of a run, whose default is the system's."""
    metadata = declared.metadata | {"default": default_in_words(declared.name)}
    return declared.name, declared.type | Unset, field(default=UNSET, metadata=metadata)


# The options of [`ModelOptions`]; those that are not given have the system's value.
ModelArguments = make_dataclass("ModelArguments", map(_of_a_run, fields(ModelOptions)), namespace={"group": "model"})


@dataclass
class SystemArguments:
    """What is trained."""

    group = "model"

    system: str = option("wae-rnf", f"System to train: {', '.join(SYSTEMS)}.", basic=True)
    preset: str | None = option(
        None,
        "Named set of options, for any system: authors (the configuration of the authors' code), autoencoder (for "
        "reconstruction and latent arithmetic), recipe (what makes every system better) or toy (the settings of `make "
        "train`). Options of --config and of the command line come first.",
        one_of(*PRESETS),
        basic=True,
    )


@dataclass
class DataArguments:
    """What it is trained on."""

    group = "data"

    dataset: str = option(
        "toy",
        "Corpus: toy (generated, needs no network), ptb, yelp, yahoo, a Hub name user/name, a file (.txt, .csv, .tsv, "
        ".jsonl, .json, .parquet; .gz too), or a folder with train, valid and test as such files. What is missing is "
        "split off train.",
        basic=True,
    )
    text_column: str | None = option(
        None, "Column of the text, where a table has several columns of text.", NOT_BLANK, basic=True
    )
    tokenization: str | None = option(
        None,
        "Tokenization: words (white space alone), punctuation (words, contractions and punctuation marks apart) or "
        "bpe (byte pairs, no unknown words). By default words for ptb, yelp, yahoo, toy and text that is tokenized "
        "already, and punctuation for any other text.",
        one_of(*TOKENIZATIONS),
        basic=True,
    )
    lowercase: bool | None = option(
        None, "Lower case for all text; by default for words alone, and text is cased as written otherwise."
    )
    vocab_size: int = option(
        20_000, "Maximum size of the vocabulary, in tokens of the training split.", at_least(5), basic=True
    )
    streaming: bool = option(
        False,
        "Streaming of the training split, which is read anew in every epoch and never stored: for a corpus larger "
        "than memory or disk.",
    )


@dataclass
class TrainingArguments:
    """How it is trained, for how long, and where to."""

    group = "training"

    output_dir: str = option(
        None, "Directory of the run; it becomes the model directory. By default runs/SYSTEM-DATASET.", basic=True
    )
    resume: bool = option(
        False,
        "Continue the run in --output_dir from its last checkpoint, with the options that it was started with.",
        basic=True,
    )
    init_from: str | None = option(
        None,
        "Trained model, a directory or a Hub name, whose weights the run starts from where names and shapes agree; "
        "those of a token go by the token. The cluster centres are found by it, too.",
    )
    report_to: str = option(
        "tensorboard", "Trackers of the training: tensorboard, none, all, or names with commas (wandb,mlflow)."
    )
    num_epochs: int = option(48, "Number of epochs per stage.", at_least(1), basic=True)
    max_steps: int | None = option(
        None, "Maximum number of steps per stage; annealing scales to it.", at_least(1), basic=True
    )
    max_steps_per_epoch: int = option(2000, "Maximum number of steps per epoch.", at_least(1))
    batch_size: int = option(
        32, "Number of sentences per batch, over all processes together.", at_least(1), basic=True
    )
    accumulation_steps: int = option(
        1, "Number of batches per step; their gradients are averaged over the sentences.", at_least(1)
    )
    length_pool: int = option(
        1,
        "Number of batches whose sentences are grouped by length, which saves padding (tokenization/batching.py).",
        at_least(1),
    )
    learning_rate: float = option(1e-3, "Adam's learning rate.", POSITIVE, basic=True)
    lr_decay: float = option(0.5, "Factor of the learning rate at each decay.", RATE)
    lr_patience: int = option(
        0,
        "Number of epochs without a better validation loss after which the learning rate decays, counted from the end "
        "of KL annealing; 0 never decays.",
        at_least(0),
    )
    lr_milestones: list[int] | None = option(  # noqa: RUF009
        None, "Epochs after which the learning rate decays.", EPOCHS
    )
    weight_decay: float = option(
        0.0,
        "AdamW's weight decay of matrices; vectors (biases, batch normalization, flows) do not decay.",
        NOT_NEGATIVE,
    )
    max_grad_norm: float = option(0.0, "Norm that gradients are clipped to; 0 does not clip.", NOT_NEGATIVE)
    kl_start: float | None = option(
        None, "Fraction of the run after which the KL weight climbs; by default the system's.", PART
    )
    kl_end: float | None = option(
        None, "Fraction of the run after which the KL weight has its last value; by default the system's.", PART
    )
    kl_cycles: int = option(
        1, "Number of times the KL weight climbs; --kl_start and --kl_end are then of a cycle.", at_least(1)
    )
    inner_steps: int = option(100, "Maximum number of encoder steps before each step, of lagging-vae.", at_least(1))
    autoencoder_epochs: int = option(
        0,
        "Number of epochs as a plain autoencoder first; the decoder then starts anew (Li et al. 2019, arXiv "
        "1909.00868).",
        at_least(0),
    )
    centres_from: str | None = option(
        None,
        "Source of the metric's cluster centres: a trained model, whose posterior means are clustered, or a .npy file "
        "of shape (num_centres, latent_size). By default the autoencoder of --autoencoder_epochs, or else a VAE that "
        "is trained first.",
    )
    first_stage_epochs: int | None = option(
        None,
        "Number of epochs of that VAE; by default an eighth of --num_epochs. The scale of its means is fixed, so that "
        "the centres lie apart.",
        at_least(1),
    )
    batch_norm_statistics: str = option(
        "corpus",
        "Statistics of batch normalization in evaluation: corpus (of 10,240 training sentences without dropout) or "
        "running (of the last batches of training; authors' code).",
        one_of("corpus", "running"),
    )
    early_stopping: int = option(
        0,
        "Number of epochs without a better validation loss after which training stops, counted from the end of KL "
        "annealing; 0 never stops.",
        at_least(0),
    )
    best_by: str = option(
        "loss",
        "Criterion of the best model on validation: loss (the objective), bound (the ELBO, without free bits), or "
        "last (the model of the last epoch).",
        one_of("loss", "bound", "last"),
    )
    save_steps: int | None = option(
        None, "Number of steps between checkpoints, besides the one after each epoch.", at_least(1)
    )
    keep_checkpoints: int = option(2, "Number of checkpoints to keep per stage.", at_least(1))
    seed: int = option(0, "Seed of initialization, sampling, batches and clustering.", SEED, basic=True)
    mixed_precision: str = option(
        "no", "Precision of matrix products: no, bf16 or fp16.", one_of("no", "bf16", "fp16"), basic=True
    )


@dataclass
class AdversarialArguments:
    """How an adversary matches q(z) to the prior."""

    group = "adversary (of aae and daae)"

    adversarial_weight: float = option(
        10.0, "Weight of -log D(z), which the encoder pays for latents that the discriminator D tells apart.", POSITIVE
    )
    discriminator_learning_rate: float = option(5e-4, "Adam's learning rate for the discriminator.", POSITIVE)
    discriminator_hidden_size: int = option(512, "Size of the discriminator's hidden layer.", at_least(1, WIDEST))


@dataclass
class EvaluationArguments:
    """What the final report is of."""

    group = "evaluation"

    eval_iwae_samples: int = option(
        50, "Number of importance samples per sentence in the final report.", at_least(1, 100_000), basic=True
    )
    eval_proposal: str = option("posterior", PROPOSAL_HELP, one_of(*PROPOSALS))
    eval_max_sentences: int | None = option(None, "Maximum number of test sentences in the final report.", at_least(1))


@dataclass
class TrainArguments(
    EvaluationArguments,
    AdversarialArguments,
    TrainingArguments,
    DataArguments,
    ModelArguments,  # type: ignore[valid-type]
    SystemArguments,
):
    """What is trained, on what, for how long. Defaults are the paper's (section 5.2).

    Once made, the options of the model have their values: those that were not given are the system's.

    Raises:
        ValueError: a value that its rule does not allow, or that contradicts the system.

    Examples:
        >>> TrainArguments(system="vae", dataset="ptb").kl_weight
        1.0
    """

    def __post_init__(self) -> None:
        declared: dict[str, Any] = {own.name: own.type for own in fields(ModelOptions)}
        given = {name: getattr(self, name) for name in declared}
        optional = {name for name, kind in declared.items() if isinstance(None, kind)}
        given = {name: v for name, v in given.items() if v is not UNSET and (v is not None or name in optional)}
        for name, value in resolve(self.system, given).items():
            setattr(self, name, value)
        check_rules(self, "--")
        check_proposal(self.eval_proposal, self.eval_iwae_samples, "eval_iwae_samples")
        # a shell expands ~ neither after = nor in a file
        for name in ("output_dir", "dataset", "centres_from", "init_from"):
            if getattr(self, name) is not None:
                setattr(self, name, os.path.expanduser(getattr(self, name)))
        if self.output_dir is None:
            self.output_dir = str(Path("runs", f"{self.system}-{corpus_name(self.dataset)}"))
        if not self.output_dir.strip():
            raise ValueError(f"--output_dir must name a directory, but is {self.output_dir!r}")


def as_system(arguments: TrainArguments, system: str, **changes: Any) -> TrainArguments:
    """The options of a run for another system: what rows of the table decide is as in the other's row.

    Examples:
        >>> as_system(TrainArguments(hidden_size=8, kl_weight=0.5), "vae", num_epochs=6).kl_weight
        1.0
    """
    row = SYSTEMS[system]
    decided = {name for other in SYSTEMS.values() for name in other.defaults}
    own = {name: (MODEL_DEFAULTS | row.config)[name] for name in decided}
    fixed = {name: value for name, value in row.fixed.items() if hasattr(arguments, name)}
    return replace(arguments, system=system, **own | fixed | changes)


# What a run had that is older than an option, where that is not today's default.
BEFORE = {"batch_norm_eps": 1e-5, "mean_gamma": None, "tokenization": "words", "lowercase": True}


def arguments_of_record(options: dict) -> TrainArguments:
    """The options of a run from its record (run.json, metrics.json), of this version or an earlier one.

    Args:
        options: by name. None is no value, but for `mean_gamma`, which it learns.

    Examples:
        >>> arguments_of_record({"system": "vae", "num_flows": None, "of_an_older_version": 1}).num_flows
        0
    """
    known = {declared.name for declared in fields(TrainArguments)} - {*SYSTEMS[options.get("system", "wae-rnf")].fixed}
    own = {name: value for name, value in (BEFORE | options).items() if name in known}
    return TrainArguments(**{name: v for name, v in own.items() if v is not None or name == "mean_gamma"})
