"""The posterior of a whole split."""

import numpy as np
import torch
from datasets import Dataset
from tqdm.auto import tqdm

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.posterior_head import Posterior
from wae_rnf.tokenization.batching import lengths_of, load_batches, sorted_batches

from .shared_work import gather, my_part

BATCH_SIZE = 256


@torch.no_grad()
def encode_split(model: WaeRnfModel, sentences: Dataset, progress: bool = False) -> Posterior:
    """q(z|x) of every sentence, in the split's order, in double precision on the CPU, without dropout.

    Several processes share the work; each gets the whole.
    """
    training = model.training
    model.eval()
    batches = sorted_batches(lengths_of(sentences), BATCH_SIZE)
    mine = my_part(batches)
    loaded = load_batches(sentences, mine, model.config.pad_token_id, model.device)
    bar = tqdm(loaded, "encode", len(mine), unit="batch", leave=False, disable=None if progress else True)
    posteriors = gather([model.encode(**inputs) for inputs in bar])
    model.train(training)
    return type(posteriors[0]).concatenate(posteriors, torch.tensor(np.concatenate(batches)).argsort())
