"""The cluster centres of the Riemannian metric: k-means of a trained VAE's posterior means, or a file's."""

from pathlib import Path

import numpy as np
import torch
from datasets import Dataset


def read_centres(path: str | Path, num_centres: int, latent_size: int) -> torch.Tensor:
    """Centres (num_centres, latent_size), in single precision, from a .npy file of real numbers.

    Raises:
        ValueError: something else in it.
    """
    needed = f"needed are finite numbers of shape (num_centres, latent_size) = ({num_centres}, {latent_size})"
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)  # nothing is read of a shape that does not fit
    except (OSError, ValueError, EOFError) as error:  # whose own words advise to unpickle
        reason = error.strerror if isinstance(error, OSError) else "it is damaged, or holds Python objects"
        raise ValueError(f"--centres_from {path} cannot be read as an array of numbers: {reason}; {needed}") from error
    shape, kind = getattr(found, "shape", None), getattr(found, "dtype", None)
    if kind is None or kind.kind not in "iuf":
        raise ValueError(f"--centres_from {path} holds values of type {kind}; {needed}")
    if shape != (num_centres, latent_size):
        raise ValueError(f"--centres_from {path} holds an array of shape {shape}; {needed}")
    centres = torch.from_numpy(np.array(found, dtype=np.float64)).float()
    if not centres.isfinite().all():
        raise ValueError(f"--centres_from {path} holds a number that is not finite in single precision; {needed}")
    return centres


def cluster(means: torch.Tensor, num_centres: int, seed: int) -> torch.Tensor:
    """k-means centres (num_centres, latent_size) of posterior means (num_sentences, latent_size).

    Raises:
        ValueError: more centres than different means.

    Examples:
        >>> cluster(torch.tensor([[0.0], [0.2], [5.0]]), num_centres=2, seed=0).sort(0).values
        tensor([[0.1000],
                [5.0000]])
    """
    from sklearn.cluster import KMeans  # slow to import, and few runs need it

    different = len(means.unique(dim=0))
    if different < num_centres:
        raise ValueError(
            f"{num_centres} centres cannot be found in {different} different posterior means; "
            "lower num_centres or train on more sentences"
        )
    fitted = KMeans(num_centres, n_init=4, random_state=seed).fit(means.double().numpy())
    return torch.from_numpy(fitted.cluster_centers_).float()


def check_enough(sentences: Dataset, num_centres: int) -> None:
    """Raises ValueError where there are fewer different sentences than centres, and so fewer different means.

    Args:
        sentences: prepared rows.
    """
    different = set()
    for row in sentences.select_columns("input_ids"):
        different.add(tuple(row["input_ids"]))
        if len(different) >= num_centres:
            return
    raise ValueError(
        f"{num_centres} centres cannot be found in {len(different)} different posterior means: train has "
        "no more different sentences; lower num_centres or train on more"
    )
