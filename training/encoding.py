"""The posterior of a whole split."""

import numpy as np
import torch
from tqdm.auto import tqdm

from .batching import load_batches, sorted_batches

BATCH_SIZE = 256


@torch.no_grad()
def encode_split(model, sentences, progress=False):
    """q(z|x) of every sentence, in the split's order, in double precision on the CPU; the model is in eval mode."""
    training = model.training
    model.eval()
    batches = sorted_batches(sentences["length"][:], BATCH_SIZE)
    loaded = load_batches(sentences, batches, model.config.pad_token_id, model.device)
    bar = tqdm(loaded, "encode", len(batches), unit="batch", leave=False, disable=None if progress else True)
    posteriors = [model.encode(**inputs) for inputs in bar]
    model.train(training)
    return type(posteriors[0]).concatenate(posteriors, torch.tensor(np.concatenate(batches)).argsort())
