"""The schema of metrics.json: every key, its unit, and whether it is always there.

Losses and bounds are in nats per sentence, perplexities per token where nothing else is said. A key without
`NotRequired` is in every file, those of older formats included once they have been read by
`wae_rnf.evaluation.metrics_files.read_metrics`; None says that the figure is not known, or that there is none.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

# 1: facts of the model; 2: Monte-Carlo errors, the bound over k; 3: `paper_protocol`, `reproduction`; 4: figures per
# white-space word and per byte, the tokenization, `generative_model`
FORMAT = 4
METRICS_FILE = "metrics.json"
AnyMetrics = Mapping[str, Any]  # `Metrics` or a part of them, for readers that have the key in a variable


class Provenance(TypedDict):
    """Where figures come from."""

    command: str  # as it was typed
    commit: str | None  # of the code; None outside a checkout
    seed: int
    versions: dict[str, str | None]  # of Python and the packages
    device: str  # in words
    seconds: float  # that the computation took


class Bound(TypedDict):
    """An upper bound of the negative log-likelihood."""

    nll: float  # nats per sentence, the mean over sentences
    ppl: float  # per token, exp(total nats / total tokens)
    ppl_per_word: float | None  # exp(total nats / (white-space words + sentences)); None where the words are not known
    bits_per_byte: float | None  # of the text in UTF-8; None where the bytes are not known
    standard_error: float | None  # of nll, nats, over sentences; None for a single one
    monte_carlo_error: float | None  # of nll, nats, over samples of these sentences; None for one sample
    above_entropy: NotRequired[float]  # nats, paired; with `entropy`
    above_entropy_standard_error: NotRequired[float | None]  # nats; with `entropy`


class Elbo(Bound):
    """Reconstruction + KL."""

    reconstruction: float  # nats per sentence
    kl: float  # nats per sentence, of the posterior to the prior


class Iwae(Bound):
    """The importance-weighted bound."""

    samples: int  # k, per sentence
    proposal: str  # posterior or mixture: what the samples are drawn from


class GenerativeModel(TypedDict):
    """The bounds of one generative model."""

    elbo: Elbo
    iwae: Iwae


class BoundOverK(TypedDict):
    """The importance-weighted bound over the number of samples."""

    num_sentences: int  # that it is of: all, or the first ones of the split
    k: list[int]  # numbers of samples
    pushforward: list[float]  # nats per sentence at each k
    flow_posterior: list[float]


class PaperProtocol(TypedDict):
    """The paper's figures, computed at the posterior mean: no bound of anything."""

    nll: float  # nats per sentence
    ppl: float  # per token
    reconstruction: float  # nats per sentence
    kl: float  # nats per sentence
    log_abs_det: float  # nats per sentence, the sum over the steps of the flow


# names that no Python identifier can be
Units = TypedDict(
    "Units",
    {
        "active_units": int,  # latent units whose mean varies by more than 0.01, a variance
        "active_units_0.1": int | None,  # by more than 0.1; None in a file before format 2
        "units_over_0.05": int | None,  # of a KL over 0.05 nats; None where the divergence is no sum over units
    },
)


class SplitMetrics(Units, Provenance):
    """What `wae_rnf.evaluation.evaluate_split.evaluate` measures of a split."""

    num_sentences: int
    num_tokens: int  # scored ones, of which one is the end of each sentence
    num_words: int | None  # white-space words of the text that is read; None where they were not counted
    num_bytes: int | None  # of the same text in UTF-8; None where they were not counted
    prior: str  # of z, or of z' where the flow belongs to the posterior: a name in modeling_wae_rnf.priors
    pushforward: GenerativeModel  # prior on z, z' = F(z)
    flow_posterior: GenerativeModel  # prior on z'; the same figures where there is no flow
    bound_over_k: BoundOverK
    paper_protocol: PaperProtocol
    mutual_information: float  # I(z; x), nats
    mutual_information_standard_error: float | None  # nats, over sentences
    mutual_information_monte_carlo_error: float | None  # nats, over samples of these sentences
    mutual_information_sentences: int  # that it is of: all, or a random sample of a larger split
    mutual_information_after_flow: NotRequired[float]  # I(z'; x), nats; with a flow
    largest_flow_inversion_error: NotRequired[float]  # of F⁻¹(F(z)), in z; with a flow
    mean_distance_of_centres: NotRequired[float]  # in z; with a Riemannian metric
    kl_of_units: list[float] | None  # nats, one a unit; None where the divergence is no sum over units
    refinement_steps: NotRequired[int]  # of gradient ascent on each sentence's ELBO that its posterior has had; if any
    mmd: float | None  # to the prior, unbiased; None for a language model and for a single sentence
    entropy: NotRequired[float]  # of the corpus, nats per sentence; where it is known
    entropy_standard_error: NotRequired[float | None]  # nats, over sentences


class SampleQuality(TypedDict):
    """How varied samples from the prior are."""

    num_sentences: int
    distinct_1: float | None  # different n-grams / n-grams; None where no sentence is long enough
    distinct_2: float | None
    distinct_3: float | None
    self_bleu: float | None  # 0 to 100; None for a single sentence


class Reconstructions(TypedDict):
    """How much of their inputs greedy reconstructions give back."""

    bleu: float | None  # 0 to 100
    examples: list[list[str]]  # [[sentence, reconstruction], …]; empty in a file before format 2


class ToyQuality(TypedDict):
    """What the grammar of the toy corpus says; shares from 0 to 1."""

    grammatical_samples: float
    grammatical_reconstructions: NotRequired[float]  # with a latent variable
    kept: NotRequired[dict[str, float]]  # by attribute; with a latent variable


class Text(TypedDict):
    """The quality of text."""

    samples: SampleQuality
    reconstructions: NotRequired[Reconstructions]  # with a latent variable
    toy: NotRequired[ToyQuality]  # on the toy corpus


class Tokenization(TypedDict):
    """What the model's tokens are."""

    tokenization: str  # the row of `wae_rnf.tokenization.tokenizations`
    lowercase: bool  # whether text is lower-cased


class Evaluation(TypedDict):
    """How an evaluation was made."""

    iwae_samples: int  # importance samples per sentence
    proposal: str  # posterior or mixture
    max_sentences: int | None  # only the first sentences of the split; None for all of them
    text_column: NotRequired[str | None]  # of a table, where it was named; not in a file before format 4
    mixed_precision: str  # no, bf16 or fp16
    seed: int | None  # of the samples


class InitFrom(TypedDict):
    """The model whose weights training began with, see `wae_rnf.training.init_from`."""

    model: str  # its directory or name
    weights: str  # their digest
    parameters: int  # that were copied
    of_parameters: int  # of the new model
    tokens: int  # that both vocabularies have
    of_tokens: int  # of the new one
    anew: list[str]  # names of the weights that were not copied


class Training(Provenance):
    """What training took."""

    steps: int
    best_validation_loss: float
    history: list[
        dict[str, Any]
    ]  # one a validation: epoch, step, mutual_information, active_units, and the loss's terms
    processes: NotRequired[int]  # unknown in the first files
    init_from: NotRequired[InitFrom | None]  # None for a run from random weights


class Perplexities(TypedDict):
    """Samples against the corpus."""

    num_samples: int | None  # from the prior; unknown in the first files
    forward_ppl: float  # of the samples under a language model of the corpus
    reverse_ppl: float  # of the test split under a language model of the samples


class Excess(TypedDict):
    """By how much sentences cost more than a reference, in pairs."""

    mean: float  # nats per sentence
    standard_error: float | None  # nats, over sentences


class Reproduction(TypedDict):
    """What `wae-rnf reproduce` adds, all in `wae_rnf.reproduction.reproduce.additions`."""

    row: str  # of the tables: a system, or a variant of one
    perplexities: NotRequired[Perplexities]  # where the language model was trained too
    above_language_model: NotRequired[dict[str, dict[str, Excess]]]  # {generative model: {bound: …}}; likewise


class Metrics(SplitMetrics):
    """The content of metrics.json."""

    format: int  # `FORMAT`
    system: str  # the row of `wae_rnf.training.systems`
    dataset: str  # that was evaluated
    hub_dataset: str | None  # its repository on the Hub; None for a folder and for generated text
    language: str | None  # of the corpus, where it is known
    split: str  # train, validation or test
    tokenization: Tokenization
    has_latents: bool  # False for a language model
    has_flow: bool  # False where both generative models are the same
    generative_model: str  # pushforward or flow_posterior: the generative model that was trained
    warnings: list[str]  # of a latent variable that has collapsed, and of centres
    samples: list[str]  # from the prior; empty where none were kept
    text: NotRequired[Text]  # unknown in the first files that `wae-rnf evaluate` wrote
    evaluation: Evaluation
    options: dict[str, Any]  # of the training; empty where no run.json tells them
    training: Training | None  # None where no run.json tells it
    weights: str | None  # digest of the evaluated weights; None in a file before format 1
    reproduction: NotRequired[Reproduction]  # in results of `wae-rnf reproduce`
