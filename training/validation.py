"""A validation: the objective of a model on the validation split, its bound, and how much its latents say."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from datasets import Dataset

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.evaluation.encode_split import encode_split
from wae_rnf.evaluation.estimators import latent_usage, random_rows
from wae_rnf.evaluation.latent_use import UNITS, LatentUse
from wae_rnf.evaluation.shared_work import gather, my_part
from wae_rnf.tokenization.batching import lengths_of, load_batches, numbered_seed, sorted_batches

from .arguments import TrainArguments
from .batch_norm_statistics import estimate_batch_norm
from .loss_terms import WeightedSums
from .random_states import kept_random_state


class Validation(NamedTuple):
    """What a validation found.

    Args:
        figures: `loss` and its terms, nats per sentence; `mutual_information`, nats, `active_units` and, where the
            divergence is a sum over units, `units_over_0.05`.
        use: the figures of the latent variable.
        sentences: that the mutual information is of.
    """

    figures: dict[str, float]
    use: LatentUse
    sentences: int


@torch.no_grad()
def validate(
    model: WaeRnfModel, sentences: Dataset, sample: Dataset, arguments: TrainArguments, sampled: bool = True
) -> Validation:
    """The figures of a model on the validation split. Several processes share the work, and each gets the same.

    The objective is that of the last weights, so that it can be compared between epochs whatever the schedule is at.
    No random state changes.

    Args:
        model: a `WaeRnfModel`, which is in evaluation mode afterwards.
        sentences: prepared rows of the validation split.
        sample: prepared rows of the training split, for the batch normalization.
        arguments: [`TrainArguments`].
        sampled: whether z is a sample of the posterior, or its mean.
    """
    with kept_random_state():
        model.eval()
        if arguments.batch_norm_statistics == "corpus":
            estimate_batch_norm(model, sample, arguments.seed, sampled)
        figures = mean_terms(model, sentences, arguments, sampled)
        torch.manual_seed(arguments.seed)
        posterior = encode_split(model, sentences)
        figures |= latent_usage(posterior)
    use = LatentUse.of_posterior(posterior, figures["mutual_information"], model.prior)
    if use.units is not None:
        figures[UNITS] = use.units
    return Validation(figures, use, len(random_rows(len(sentences))))


def mean_terms(model: WaeRnfModel, sentences: Dataset, arguments: TrainArguments, sampled: bool) -> dict[str, float]:
    """{term: mean over the sentences}; the same samples at every validation."""
    batches = sorted_batches(lengths_of(sentences), arguments.batch_size)
    numbers, mine = my_part(range(len(batches))), my_part(batches)
    found = []
    for number, inputs in zip(
        numbers, load_batches(sentences, mine, model.config.pad_token_id, model.device), strict=True
    ):
        torch.manual_seed(numbered_seed(arguments.seed, number))
        found.append(model(**inputs, sample=sampled, return_logits=False).terms())
    sums = WeightedSums()
    for batch, terms in zip(batches, gather([on_cpu(terms) for terms in found]), strict=True):
        sums.add(terms, weight=len(batch))
    return sums.over(len(sentences))


def on_cpu(terms: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    values = torch.stack(list(terms.values())).cpu()
    return dict(zip(terms, values, strict=True))


def has_collapsed(use: LatentUse, weights: Mapping[str, float], config: WaeRnfConfig, sampled: bool = True) -> bool:
    """Whether the latent variable has collapsed where that matters.

    An autoencoder's may do as it likes, and so may anyone's while alpha is under half its last value.

    Args:
        use: [`LatentUse`].
        weights: of the loss at this step.
        config: the model's.
        sampled: as for `validate`.
    """
    matters = weights["kl_weight"] >= config.kl_weight / 2
    return bool(config.latent_size) and sampled and matters and use.collapsed
