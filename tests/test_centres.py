"""Clusters of posterior means: known ones are found. Files of centres: what is in them is checked."""

import numpy as np
import pytest
import torch

from wae_rnf.commands.main import main
from wae_rnf.training.centres import cluster, read_centres


def test_known_clusters_are_found():
    torch.manual_seed(0)
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    means = (centres.repeat_interleave(50, 0) + 0.1 * torch.randn(150, 2))[torch.randperm(150)]
    found = cluster(means, num_centres=3, seed=0)
    assert found.dtype == torch.float32
    nearest = torch.cdist(centres, found).min(1)
    assert sorted(nearest.indices.tolist()) == [0, 1, 2]
    assert (nearest.values < 0.1).all()
    assert torch.equal(found, cluster(means, num_centres=3, seed=0))


def test_more_centres_than_sentences():
    with pytest.raises(ValueError, match="4 centres cannot be found in 2 different posterior means"):
        cluster(torch.tensor([[0.0], [0.0], [1.0]]), num_centres=4, seed=0)


def test_centres_of_a_file(tmp_path):
    expected = np.random.default_rng(0).normal(size=(3, 4))
    for dtype in (np.float64, np.float32, np.float16, np.int32):
        np.save(tmp_path / "c.npy", expected.astype(dtype))
        found = read_centres(tmp_path / "c.npy", 3, 4)
        assert found.dtype == torch.float32
        assert np.array_equal(found.numpy(), expected.astype(dtype).astype(np.float32))
    np.save(tmp_path / "c.npy", np.asfortranarray(expected))
    assert np.array_equal(read_centres(tmp_path / "c.npy", 3, 4).numpy(), expected.astype(np.float32))


def npz(path):
    with open(path, "wb") as file:
        np.savez(file, centres=np.zeros((3, 4)))


BAD_FILES = {
    "shape": (lambda path: np.save(path, np.zeros((4, 3))), r"holds an array of shape \(4, 3\); needed are finite"),
    "number": (lambda path: np.save(path, np.float64(1)), r"holds an array of shape \(\)"),
    "nan": (lambda path: np.save(path, np.full((3, 4), np.nan)), "a number that is not finite"),
    "too large": (lambda path: np.save(path, np.full((3, 4), 1e300)), "a number that is not finite in single"),
    "pickled": (lambda path: np.save(path, np.full((3, 4), None)), "cannot be read as an array of numbers"),
    "words": (lambda path: np.save(path, np.full((3, 4), "1.0")), "holds values of type <U3"),
    "complex": (lambda path: np.save(path, np.zeros((3, 4), complex)), "holds values of type complex128"),
    "several": (npz, "holds values of type None"),
    "text": (lambda path: path.write_text("0 1 2 3"), "cannot be read as an array of numbers"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read as an array of numbers"),
    "cut short": (lambda path: cut_short(path), "cannot be read as an array of numbers"),
}


def cut_short(path):
    np.save(path, np.zeros((3, 4)))
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize("kind", BAD_FILES)
def test_files_that_hold_no_centres(kind, tmp_path, monkeypatch, capsys):
    """One sentence, before the directory of the run is claimed."""
    write, message = BAD_FILES[kind]
    write(tmp_path / "c.npy")
    with pytest.raises(ValueError, match=message):
        read_centres(tmp_path / "c.npy", 3, 4)
    monkeypatch.chdir(tmp_path)
    sizes = ["--num_centres", "3", "--latent_size", "4"]
    assert main(["train", "--centres_from", "c.npy", "--output_dir", "run", *sizes]) == 2
    error = capsys.readouterr().err
    assert error.startswith("wae-rnf: error: --centres_from c.npy ")
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["c.npy"]
