"""Checkpoints: everything comes back, and a crash at any moment leaves one that is whole."""

import json
import os
import resource
import signal

import pytest
import torch

from wae_rnf.training import checkpoints as module
from wae_rnf.training.checkpoints import checkpoints, digests, load_checkpoint, save_checkpoint
from wae_rnf.training.random_states import random_state, set_random_state


@pytest.fixture
def trained(tiny_model, batch):
    model = tiny_model().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model(**batch).loss.backward()
    optimizer.step()
    return model, optimizer


def test_everything_comes_back(trained, tiny_model, tmp_path):
    model, optimizer = trained
    save_checkpoint(tmp_path, 3, model, optimizer, {"step": 3}, [random_state()])
    expected = torch.rand(4)
    other = tiny_model()
    other_optimizer = torch.optim.Adam(other.parameters(), lr=0.5)
    progress, random = load_checkpoint(tmp_path, other, other_optimizer)
    set_random_state(random[0])
    assert progress == {"step": 3}
    assert torch.equal(torch.rand(4), expected)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in model.state_dict().items())
    assert other_optimizer.param_groups[0]["lr"] == 0.1
    for left, right in zip(optimizer.state.values(), other_optimizer.state.values(), strict=True):
        assert torch.equal(left["exp_avg_sq"], right["exp_avg_sq"])


def in_one_storage(lstm):
    """Lays an LSTM's weights side by side in one storage, as they are on a GPU."""
    parameters = list(lstm.parameters())
    flat = torch.cat([parameter.detach().flatten() for parameter in parameters])
    for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        parameter.data = part.view(parameter.shape)


def test_weights_in_one_storage_come_back(tiny_model, tmp_path):
    """On a GPU no checkpoint could be written: the weights of each LSTM share a storage there."""
    model, other = tiny_model(), tiny_model()
    for lstm in (model.encoder.lstm, model.decoder.lstm, other.encoder.lstm):
        in_one_storage(lstm)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    optimizers = [torch.optim.Adam(each.parameters()) for each in (model, other)]
    save_checkpoint(tmp_path, 1, model, optimizers[0], {"step": 1}, [random_state()])
    load_checkpoint(tmp_path, other, optimizers[1])
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in model.state_dict().items())


def test_no_checkpoint(trained, tmp_path):
    assert load_checkpoint(tmp_path / "none", *trained) is None
    assert load_checkpoint(tmp_path, *trained) is None


def test_the_newest_stay(trained, tmp_path):
    for step in (5, 10, 900, 1000):
        save_checkpoint(tmp_path, step, *trained, {"step": step}, [random_state()], keep=2)
    assert [path.name for path in checkpoints(tmp_path)] == ["step-000001000", "step-000000900"]
    assert load_checkpoint(tmp_path, *trained)[0] == {"step": 1000}


def test_a_crash_before_the_move_keeps_the_checkpoint_before(trained, tmp_path, monkeypatch):
    save_checkpoint(tmp_path, 1, *trained, {"step": 1}, [random_state()])

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, 2, *trained, {"step": 2}, [random_state()])
    assert load_checkpoint(tmp_path, *trained)[0] == {"step": 1}
    monkeypatch.undo()
    save_checkpoint(tmp_path, 3, *trained, {"step": 3}, [random_state()])
    assert load_checkpoint(tmp_path, *trained)[0] == {"step": 3}
    assert {path.name for path in tmp_path.iterdir()} == {"step-000000001", "step-000000003"}


@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.pt", "progress.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(trained, tmp_path, file, damage):
    save_checkpoint(tmp_path, 1, *trained, {"step": 1}, [random_state()])
    save_checkpoint(tmp_path, 2, *trained, {"step": 2}, [random_state()])
    path = tmp_path / "step-000000002" / file
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(
            content[: len(content) // 2] + (b"" if damage == "cut" else b"#" + content[len(content) // 2 + 1 :])
        )
    with pytest.warns(UserWarning, match="step-000000002 cannot be used.*the one before it is tried"):
        progress, _ = load_checkpoint(tmp_path, *trained)
    assert progress == {"step": 1}
    save_checkpoint(tmp_path, 2, *trained, {"step": 2}, [random_state()])  # takes the damaged one's place
    assert load_checkpoint(tmp_path, *trained)[0] == {"step": 2}


def test_none_that_can_be_used(trained, tmp_path):
    save_checkpoint(tmp_path, 1, *trained, {"step": 1}, [random_state()])
    with (
        pytest.warns(UserWarning, match="cannot be used"),
        pytest.raises(ValueError, match="it is of another version: its history is no list"),
    ):
        load_checkpoint(tmp_path, *trained, expected={"step": int, "history": list})


def test_full_disk_leaves_the_checkpoint_before(trained, tmp_path):
    """A limit on the size of files stands for the full disk."""
    save_checkpoint(tmp_path, 1, *trained, {"step": 1}, [random_state()])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(OSError, match=r"of step 2 could not be written .*step-000000001 is whole, go on"):
            save_checkpoint(tmp_path, 2, *trained, {"step": 2}, [random_state()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001"]
    assert load_checkpoint(tmp_path, *trained)[0] == {"step": 1}


def test_nothing_is_unpickled(trained, tmp_path):
    save_checkpoint(tmp_path, 1, *trained, {"step": 1}, [random_state()])

    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "pwned"),))

    folder = tmp_path / "step-000000001"
    torch.save({"optimizer": Evil(), "random": {}}, folder / "optimizer.pt")
    (folder / "manifest.json").write_text(json.dumps(digests(folder)))  # whoever can write there can do that too
    with pytest.warns(UserWarning, match="cannot be used"), pytest.raises(ValueError, match="can be used"):
        load_checkpoint(tmp_path, *trained)
    assert not (tmp_path / "pwned").exists()
