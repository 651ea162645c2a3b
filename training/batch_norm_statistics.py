"""Batch normalization as evaluation needs it: statistics of the corpus, without dropout."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from datasets import Dataset
from torch import nn

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.alignment import align
from wae_rnf.evaluation.shared_work import my_share
from wae_rnf.tokenization.batching import load_batches

BATCH_SIZE = 256
MAX_SENTENCES = 10_240


@torch.no_grad()
def estimate_batch_norm(model: WaeRnfModel, sentences: Dataset, seed: int = 0, sampled: bool = True) -> None:
    """Sets the running statistics of every batch normalization anew, from random sentences; ends in eval mode.

    Those gathered while training, which `--batch_norm_statistics running` keeps as the authors' code does, are of
    other inputs: of the weights of many steps, and with dropout, whose noise adds to the variance of what is
    normalized (Li et al. 2019, arXiv 1801.05134). Where the latent variable says little, that noise is most of the
    variance, and at evaluation the means of all sentences would lie closer together than in training.
    `torch.optim.swa_utils.update_bn` has the dropout on, since it puts the whole model in training mode.

    A decoder's come after the posterior's, whose z it reads.

    Args:
        model: a `WaeRnfModel`.
        sentences: prepared rows of the training split.
        seed: of the choice of at most `MAX_SENTENCES` sentences, and of z.
        sampled: whether the decoder reads samples of the posterior, or its means.
    """
    order = np.random.default_rng(seed).permutation(len(sentences))[:MAX_SENTENCES]
    # parts of nearly equal size, so that their mean is the sentences' mean
    batches = [part.tolist() for part in np.array_split(order, -(-len(order) // BATCH_SIZE))]
    generator = torch.Generator(model.device).manual_seed(seed)

    def inputs() -> Iterator[dict[str, torch.Tensor]]:
        return load_batches(sentences, [my_share(batch) for batch in batches], model.config.pad_token_id, model.device)

    def decode(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> None:
        posterior = model.encode(input_ids, attention_mask)
        z = posterior.rsample(generator=generator) if sampled else posterior.mean
        read = model.embedding(input_ids[:, :-1])
        model.decoder(read, model.push(z)[0], attention_mask[:, 1:].sum(-1))

    model.eval()
    of_decoder = _norms(model.decoder)
    of_posterior = [norm for norm in _norms(model) if norm not in of_decoder]
    if of_posterior:
        with averaging(of_posterior):
            for batch in inputs():  # the posterior's own, whatever refines it afterwards
                model.inference.amortize(model, align(batch["input_ids"], batch["attention_mask"], model.config))
    if of_decoder:
        with averaging(of_decoder):
            for batch in inputs():
                decode(**batch)


def _norms(module: nn.Module) -> list[nn.BatchNorm1d]:
    return [part for part in module.modules() if isinstance(part, nn.BatchNorm1d)]


@contextmanager
def averaging(norms: Sequence[nn.BatchNorm1d]) -> Iterator[None]:
    """Within it batch normalizations gather the plain average over the batches; afterwards they use it."""
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    yield
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
