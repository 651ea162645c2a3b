"""The cluster centres of the Riemannian metric: k-means of a trained VAE's posterior means."""

import torch
from tqdm.auto import tqdm

from .batching import load_batches, sorted_batches

BATCH_SIZE = 256


@torch.no_grad()
def posterior_means(model, sentences, progress=False):
    """mu(x) of every sentence: (num_sentences, latent_size), in the split's order."""
    training = model.training
    model.eval()
    batches = sorted_batches(sentences["length"][:], BATCH_SIZE)
    means = torch.empty(len(sentences), model.config.latent_size)
    loaded = load_batches(sentences, batches, model.config.pad_token_id, model.device)
    bar = tqdm(loaded, "encode", len(batches), unit="batch", leave=False, disable=None if progress else True)
    for batch, inputs in zip(batches, bar, strict=True):
        means[batch] = model.encode(**inputs).mean.float().cpu()
    model.train(training)
    return means


def cluster(means, num_centres, seed):
    """k-means centres (num_centres, latent_size) of posterior means (num_sentences, latent_size).

    Raises:
        ValueError: more centres than different means.

    Example:
        >>> cluster(torch.tensor([[0.0], [0.2], [5.0]]), num_centres=2, seed=0).sort(0).values
        tensor([[0.1000],
                [5.0000]])
    """
    from sklearn.cluster import KMeans  # takes as long to import as the corpus to open; few runs need it

    different = len(means.unique(dim=0))
    if different < num_centres:
        raise ValueError(
            f"{num_centres} centres cannot be found in {different} different posterior means; "
            "lower num_centres or train on more sentences"
        )
    fitted = KMeans(num_centres, n_init=4, random_state=seed).fit(means.double().numpy())
    return torch.from_numpy(fitted.cluster_centers_).float()
