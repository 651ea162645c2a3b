"""A stage: its steps, its best model, and what it does where a loss is not finite."""

from itertools import chain

import pytest
import torch
from safetensors.torch import load_file

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.model_directory import load_model, save_model_directory
from wae_rnf.tokenization.batching import length_grouped_batches
from wae_rnf.training.optimizer import parameter_groups
from wae_rnf.training.run import train

from .small_runs import last_checkpoint


def test_loss_that_is_not_finite_stops_the_run(small_run, tmp_path):
    def poison(stage):
        if stage.step == 5:
            with torch.no_grad():
                next(stage.model.parameters()).fill_(float("nan"))

    with pytest.raises(ValueError, match="not finite at step 6"):
        train(small_run(system="vae"), on_step=poison)
    state = load_file(last_checkpoint(tmp_path / "run") / "model.safetensors")
    assert all(value.isfinite().all() for value in state.values())
    load_model(tmp_path / "run")


def test_accumulated_steps_are_those_of_large_batches(small_run, tmp_path, small_corpus):
    given = small_run(
        system="lstm-lm", dropout=0.0, batch_size=6, accumulation_steps=4, num_epochs=2, max_grad_norm=0.5
    )
    train(given)
    model, tokenizer = load_model(tmp_path / "run")  # for its configuration; training begins anew
    text = (small_corpus / "train.txt").read_text().splitlines()
    lengths = [len(line.split()) + 1 for line in text]
    torch.manual_seed(given.seed)
    model = WaeRnfModel(model.config).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=given.learning_rate)
    steps = []
    for epoch in range(2):
        batches = length_grouped_batches(lengths, 6, 1, given.seed, epoch)
        steps += [
            list(chain(*batches[:4])),
            list(chain(*batches[4:])),
        ]  # the last one is shorter, and its batches larger
    assert all(len(large) > len(small) for large, small in zip(steps[::2], steps[1::2], strict=True))
    for numbers in steps:
        inputs = tokenizer([text[number] for number in numbers], return_tensors="pt", padding=True)
        model(**inputs).loss.backward()
        assert torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5) > 0.5
        optimizer.step()
        optimizer.zero_grad()
    found = load_file(last_checkpoint(tmp_path / "run") / "model.safetensors")
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(found[name], parameter.detach(), rtol=0, atol=2e-5, msg=name)


def test_the_best_model_is_that_of_the_best_bound_where_it_is_asked_for(small_run):
    found = train(small_run(system="wae-nf", kl_start=0.0, kl_end=0.0, best_by="bound"))["training"]
    bounds = [epoch["bound"] for epoch in found["history"]]
    assert bounds == pytest.approx([epoch["reconstruction"] + epoch["kl"] for epoch in found["history"]])
    assert found["best_validation_loss"] == min(bounds)
    assert min(bounds) not in [epoch["loss"] for epoch in found["history"]]


def test_best_model_is_never_half_written(small_run, tmp_path, monkeypatch):
    train(small_run(system="vae", num_epochs=1))
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    model, tokenizer = load_model(tmp_path / "run")
    with torch.no_grad():
        model.embedding.weight.add_(1)

    def killed(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tokenizer, "save_pretrained", killed)
    with pytest.raises(KeyboardInterrupt):
        save_model_directory(model, tokenizer, tmp_path / "run")
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before


def test_max_steps_bounds_each_stage(small_run, tmp_path):
    metrics = train(small_run(max_steps=3))
    assert metrics["training"]["steps"] == 3
    progress = read_json(last_checkpoint(tmp_path / "run" / "vae") / "progress.json")
    assert progress["step"] == 3


def test_weight_decay_spares_vectors(tiny_model):
    model = tiny_model()
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.5), lr=0.1)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    kinds = set()
    for name, value in model.named_parameters():
        kinds.add(value.ndim)
        torch.testing.assert_close(value.detach(), before[name] * (1 - 0.5 * 0.1 if value.ndim > 1 else 1), msg=name)
    assert kinds == {1, 2}


@pytest.mark.parametrize(("best_by", "saves"), [("loss", 1), ("bound", 1), ("last", 3)])
def test_the_last_model_is_kept_where_it_is_asked_for(small_run, monkeypatch, best_by, saves):
    saved = []

    def remembered(*given):
        saved.append(given)
        save_model_directory(*given)

    monkeypatch.setattr("wae_rnf.training.stage.save_model_directory", remembered)
    # no validation after the first is better
    train(small_run(system="vae", learning_rate=1e-30, best_by=best_by))
    assert len(saved) == saves


@pytest.mark.parametrize(("statistics", "batches"), [("running", 3), ("corpus", 1)])
def test_statistics_of_the_batch_normalization(small_run, tmp_path, statistics, batches):
    """Those of training are of as many batches as there were steps; those of the corpus, of its one batch."""
    train(small_run(system="vae", batch_norm_statistics=statistics, max_steps=3))
    norms = [m for m in load_model(tmp_path / "run")[0].modules() if isinstance(m, torch.nn.BatchNorm1d)]
    assert [norm.num_batches_tracked.item() for norm in norms] == [batches, batches]


def test_the_hook_sees_every_step_of_every_stage(small_run):
    seen = []
    train(small_run(num_epochs=1), on_step=lambda stage: seen.append((stage.name, stage.step)))
    assert seen == [(name, step) for name in ("vae", "wae-rnf") for step in range(4)]
