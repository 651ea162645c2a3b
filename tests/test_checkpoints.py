"""Checkpoints: everything comes back, and a crash at any moment leaves one that is whole."""

import os

import pytest
import torch

from training_wae_rnf import checkpoints
from training_wae_rnf.checkpoints import load_checkpoint, save_checkpoint, set_random_state


@pytest.fixture
def trained(tiny_model, batch):
    model = tiny_model().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model(**batch).loss.backward()
    optimizer.step()
    return model, optimizer


def test_everything_comes_back(trained, tiny_model, tmp_path):
    model, optimizer = trained
    save_checkpoint(tmp_path / "last", model, optimizer, {"step": 3})
    expected = torch.rand(4)
    other = tiny_model()
    other_optimizer = torch.optim.Adam(other.parameters(), lr=0.5)
    progress, random = load_checkpoint(tmp_path / "last", other, other_optimizer)
    set_random_state(random)
    assert progress == {"step": 3}
    assert torch.equal(torch.rand(4), expected)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in model.state_dict().items())
    assert other_optimizer.param_groups[0]["lr"] == 0.1
    for left, right in zip(optimizer.state.values(), other_optimizer.state.values(), strict=True):
        assert torch.equal(left["exp_avg_sq"], right["exp_avg_sq"])


def test_no_checkpoint(trained, tmp_path):
    assert load_checkpoint(tmp_path / "last", *trained) is None


@pytest.mark.parametrize("crash_at", [0, 1])
def test_a_crash_between_the_moves_keeps_a_whole_checkpoint(trained, tmp_path, monkeypatch, crash_at):
    save_checkpoint(tmp_path / "last", *trained, {"step": 1})
    moves = []

    def move(source, target):
        if len(moves) == crash_at:
            raise KeyboardInterrupt
        moves.append(source)
        os.rename(source, target)

    monkeypatch.setattr(checkpoints.os, "replace", move)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path / "last", *trained, {"step": 2})
    progress, _ = load_checkpoint(tmp_path / "last", *trained)
    assert progress == {"step": 1}
    monkeypatch.undo()
    save_checkpoint(tmp_path / "last", *trained, {"step": 3})
    assert load_checkpoint(tmp_path / "last", *trained)[0] == {"step": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.pt", "progress.json"])
def test_a_file_cut_short_is_told(trained, tmp_path, file):
    save_checkpoint(tmp_path / "last", *trained, {"step": 1})
    path = tmp_path / "last" / file
    path.write_bytes(path.read_bytes()[:8])
    with pytest.raises(ValueError, match="cannot be read"):
        load_checkpoint(tmp_path / "last", *trained)


def test_nothing_is_unpickled(trained, tmp_path):
    save_checkpoint(tmp_path / "last", *trained, {"step": 1})

    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "pwned"),))

    torch.save({"optimizer": Evil(), "random": {}}, tmp_path / "last" / "optimizer.pt")
    with pytest.raises(ValueError, match="cannot be read"):
        load_checkpoint(tmp_path / "last", *trained)
    assert not (tmp_path / "pwned").exists()
