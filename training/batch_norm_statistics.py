"""Batch normalization as evaluation needs it: statistics of the corpus, without dropout."""

import numpy as np
import torch
from datasets import Dataset
from torch import nn

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.shared_work import my_share
from wae_rnf.tokenization.batching import load_batches

BATCH_SIZE = 256
MAX_SENTENCES = 10_240


@torch.no_grad()
def estimate_batch_norm(model: WaeRnfModel, sentences: Dataset, seed: int = 0) -> None:
    """Sets the running statistics of every batch normalization anew, from random sentences; ends in eval mode.

    Those gathered while training, which `--batch_norm_statistics running` keeps as the authors' code does, are of
    other inputs: of the weights of many steps, and with dropout, whose noise adds to the variance of what is
    normalized (Li et al. 2019, arXiv 1801.05134). Where the latent variable says little, that noise is most of the
    variance, and at evaluation the means of all sentences would lie closer together than in training.
    `torch.optim.swa_utils.update_bn` has the dropout on, since it puts the whole model in training mode.

    Args:
        model: a `WaeRnfModel`.
        sentences: prepared rows of the training split.
        seed: of the choice of at most `MAX_SENTENCES` sentences.
    """
    order = np.random.default_rng(seed).permutation(len(sentences))[:MAX_SENTENCES]
    # parts of nearly equal size, so that their mean is the sentences' mean
    batches = [part.tolist() for part in np.array_split(order, -(-len(order) // BATCH_SIZE))]
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d)]
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average over the batches
        norm.train()
    for inputs in load_batches(
        sentences, [my_share(batch) for batch in batches], model.config.pad_token_id, model.device
    ):
        model.encode(**inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
