"""Training for real, small: a corpus is overfitted, a run resumes to the bit, two stages become one model."""

import functools
import json
import signal
from itertools import chain

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.commands.main import main
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.model_directory import load_model, save_model_directory
from wae_rnf.tokenization.batching import length_grouped_batches
from wae_rnf.training import run
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.centres import cluster
from wae_rnf.training.checkpoints import checkpoints
from wae_rnf.training.interruption import Stopped
from wae_rnf.training.run import train
from wae_rnf.training.schedules import num_decays
from wae_rnf.training.stage import Stage, parameter_groups
from wae_rnf.training.systems import SYSTEMS, customized_system

SENTENCES = ["the cat sat on the mat", "a dog ran", "we like old books very much", "rain fell all day"]
SMALL = {"embedding_size": 16, "hidden_size": 24, "latent_size": 4, "num_centres": 3, "eval_iwae_samples": 3}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split, repeat in (("train", 8), ("valid", 1), ("test", 1)):
        (folder / f"{split}.txt").write_text("\n".join(SENTENCES * repeat) + "\n")
    return folder


@pytest.fixture
def options(corpus, tmp_path):
    def build(name="run", **changes):
        fixed = {"dataset": str(corpus), "output_dir": str(tmp_path / name), "batch_size": 8}
        return TrainArguments(**(fixed | SMALL | {"num_epochs": 3} | changes))

    return build


def last_checkpoint(run):
    return checkpoints(run / "checkpoints")[0]


def test_four_sentences_are_overfitted(options, corpus, tmp_path):
    (corpus / "train.txt").write_text("\n".join(SENTENCES * 100) + "\n")
    large = {"hidden_size": 100, "embedding_size": 100, "learning_rate": 5e-3, "dropout": 0.0, "kl_weight": 0.01}
    metrics = train(options(system="vae", num_epochs=5, **large))
    assert metrics["paper_protocol"]["reconstruction"] < 0.5  # nats a sentence, of about 17 at the start
    model, tokenizer = load_model(tmp_path / "run")
    inputs = tokenizer(SENTENCES, return_tensors="pt", padding=True)
    latents = model.encode(**inputs).mean
    decoded = tokenizer.batch_decode(model.generate(latents=latents, do_sample=False), skip_special_tokens=True)
    assert decoded == SENTENCES


def test_two_stages_leave_a_model_directory(options, tmp_path):
    metrics = train(options())
    run = tmp_path / "run"
    model, _ = load_model(run)
    assert model.config.flow_kernel == "imq"
    assert model.centres.unique(dim=0).shape == (3, 4)
    assert json.loads((run / "metrics.json").read_text()) == metrics
    vae, _ = load_model(run / "vae")
    assert vae.config.num_flows == 0
    again = train(options("again", centres_from=str(run / "vae")))
    for name in ("pushforward", "flow_posterior", "paper_protocol", "mutual_information"):
        assert again[name] == metrics[name]  # a stage does not depend on what ran before it


@pytest.mark.parametrize("stop", [5, 8])  # within an epoch, and at its end
def test_interrupted_run_resumes_to_the_bit(options, tmp_path, monkeypatch, stop):
    train(options("whole", system="wae-nf", save_steps=1))
    step = Stage._train_step

    def interrupted(self, *batches):
        if self.step == stop:
            raise KeyboardInterrupt
        return step(self, *batches)

    monkeypatch.setattr(Stage, "_train_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(options("cut", system="wae-nf", save_steps=1))
    monkeypatch.setattr(Stage, "_train_step", step)
    train(options("cut", system="wae-nf", save_steps=1, resume=True))
    for file in ("model.safetensors", "checkpoints/step-000000012/model.safetensors"):
        whole, cut = load_file(tmp_path / "whole" / file), load_file(tmp_path / "cut" / file)
        assert whole.keys() == cut.keys()
        assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_a_scaled_loss_resumes_to_the_bit(options, tmp_path, monkeypatch):
    start, scalers = run.start_accelerator, []

    def scaled(*given):  # as on an accelerator in float16
        accelerator = start(*given)
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
        scalers.append(accelerator.scaler)
        return accelerator

    monkeypatch.setattr(run, "start_accelerator", scaled)
    train(options("whole", system="vae", save_steps=1))
    step = Stage._train_step

    def interrupted(self, batches):
        if self.step == 5:
            raise KeyboardInterrupt
        return step(self, batches)

    monkeypatch.setattr(Stage, "_train_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(options("cut", system="vae", save_steps=1))
    monkeypatch.setattr(Stage, "_train_step", step)
    train(options("cut", system="vae", save_steps=1, resume=True))
    assert [scaler.get_scale() for scaler in scalers] == [8.0 * 2**6, 8.0 * 2**2, 8.0 * 2**6]  # of 12, 5, 12 steps
    whole, cut = (load_file(last_checkpoint(tmp_path / name) / "model.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(value, cut[name]) for name, value in whole.items())


def test_run_cut_during_validation_validates_when_it_resumes(options, monkeypatch):
    whole = train(options("whole", system="wae", num_epochs=1, save_steps=2))
    validate = Stage._validate

    def interrupted(self, bar):
        raise KeyboardInterrupt

    monkeypatch.setattr(Stage, "_validate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(options("cut", system="wae", num_epochs=1, save_steps=2))
    monkeypatch.setattr(Stage, "_validate", validate)
    cut = train(options("cut", system="wae", num_epochs=1, save_steps=2, resume=True))
    assert cut["training"]["best_validation_loss"] == whole["training"]["best_validation_loss"]
    assert cut["pushforward"] == whole["pushforward"]


def test_loss_that_is_not_finite_stops_the_run(options, tmp_path, monkeypatch):
    step = Stage._train_step

    def poisoned(self, *batches):
        if self.step == 5:
            with torch.no_grad():
                next(self.model.parameters()).fill_(float("nan"))
        return step(self, *batches)

    monkeypatch.setattr(Stage, "_train_step", poisoned)
    with pytest.raises(ValueError, match="not finite at step 6"):
        train(options(system="vae"))
    state = load_file(last_checkpoint(tmp_path / "run") / "model.safetensors")
    assert all(value.isfinite().all() for value in state.values())
    load_model(tmp_path / "run")


def test_autoencoder_comes_first_and_gives_its_encoder(options, tmp_path, monkeypatch):
    begun = {}
    run = Stage.run

    def remembered(self):
        begun[self.name] = {name: value.clone() for name, value in self.model.state_dict().items()}
        return run(self)

    monkeypatch.setattr(Stage, "run", remembered)
    train(options(system="wae-nf", autoencoder_epochs=2))
    assert list(begun) == ["autoencoder", "wae-nf"]
    trained = load_file(tmp_path / "run" / "autoencoder" / "model.safetensors")
    for name, value in begun["wae-nf"].items():
        taken = name.startswith(("embedding", "encoder", "posterior_head"))
        assert not name.startswith("decoder") or not torch.equal(value, trained[name]), name
        if taken:
            assert torch.equal(value, trained[name]), name
    history = read_json(last_checkpoint(tmp_path / "run" / "autoencoder") / "progress.json")["history"]
    assert len(history) == 2
    assert all(past["loss"] == past["reconstruction"] for past in history)  # no latent term counts


def test_accumulated_steps_are_those_of_large_batches(options, tmp_path, corpus):
    given = options(system="lstm-lm", dropout=0.0, batch_size=6, accumulation_steps=4, num_epochs=2, max_grad_norm=0.5)
    train(given)
    model, tokenizer = load_model(tmp_path / "run")  # for its configuration; training begins anew
    text = (corpus / "train.txt").read_text().splitlines()
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


def test_centres_are_of_the_autoencoder_where_there_is_one(options, tmp_path, corpus):
    (corpus / "train.txt").write_text("a b c\nd e\nf g h i\nj\nk l m\nn o p q\n")
    train(options(system="wae-rnf", autoencoder_epochs=1, num_epochs=1))
    assert not (tmp_path / "run" / "vae").exists()
    first, tokenizer = load_model(tmp_path / "run" / "autoencoder")
    inputs = tokenizer((corpus / "train.txt").read_text().splitlines(), return_tensors="pt", padding=True)
    expected = cluster(first.encode(**inputs).mean.detach(), SMALL["num_centres"], seed=0)
    torch.testing.assert_close(load_model(tmp_path / "run")[0].centres, expected)


def test_the_best_model_is_that_of_the_best_bound_where_it_is_asked_for(options):
    found = train(options(system="wae-nf", kl_start=0.0, kl_end=0.0, best_by="bound"))["training"]
    bounds = [epoch["bound"] for epoch in found["history"]]
    assert bounds == pytest.approx([epoch["reconstruction"] + epoch["kl"] for epoch in found["history"]])
    assert found["best_validation_loss"] == min(bounds)
    assert min(bounds) not in [epoch["loss"] for epoch in found["history"]]


@pytest.mark.parametrize("name", SYSTEMS)
def test_options_change_their_own_part_of_a_system(name):
    row, given = SYSTEMS[name], TrainArguments(system=name, kl_weight=0.5, kl_start=0.1, kl_end=0.2)
    system = customized_system(given)
    assert system.config == row.config | {"kl_weight": 0.5}
    assert system.annealing == (0.1, 0.2)
    assert (system.sampled, system.lagging) == (True, name == "lagging-vae")


def test_stages_sample_but_for_the_autoencoder(options, monkeypatch):
    asked = {}
    forward = WaeRnfModel.forward

    @functools.wraps(forward)  # generate() reads its signature
    def remembered(self, *args, **kwargs):
        output = forward(self, *args, **kwargs)
        if not self.training and output.latents is not None:  # at validation
            mean = self.encode(kwargs["input_ids"], kwargs["attention_mask"]).mean
            asked.setdefault(self.config.num_flows, set()).add(torch.equal(output.latents, mean))
        return output

    monkeypatch.setattr(WaeRnfModel, "forward", remembered)
    train(options(system="wae-nf", autoencoder_epochs=1, num_epochs=1))
    assert asked == {0: {True}, 3: {False}}


def test_run_from_before_an_option_goes_on(options, tmp_path):
    train(options(system="vae", num_epochs=1))
    path = tmp_path / "run" / "run.json"
    run = json.loads(path.read_text())
    del run["options"]["autoencoder_epochs"]
    path.write_text(json.dumps(run))
    train(options(system="vae", num_epochs=1, resume=True))
    del run["options"]["num_epochs"]  # its default is another than this run's
    path.write_text(json.dumps(run))
    with pytest.raises(ValueError, match="--num_epochs was 48"):
        train(options(system="vae", num_epochs=1, resume=True))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("stop", [5, 8])  # within an epoch, and at its end
def test_a_signal_saves_and_ends_cleanly(options, tmp_path, monkeypatch, capsys, number, code, stop):
    train(options("whole", system="wae-nf"))
    step = Stage._train_step

    def signalled(self, *batches):
        terms = step(self, *batches)
        if self.step == stop:
            signal.raise_signal(number)
        return terms

    monkeypatch.setattr(Stage, "_train_step", signalled)
    with pytest.raises(Stopped, match=f"after step {stop}; the state is saved, go on with --resume"):
        train(options("cut", system="wae-nf"))
    assert read_json(last_checkpoint(tmp_path / "cut") / "progress.json")["step"] == stop
    monkeypatch.setattr("wae_rnf.commands.train.train", lambda _: train(options("cut2", system="vae")))
    assert main(["train"]) == code
    assert f"wae-rnf: stopped by {number.name} after step {stop}" in capsys.readouterr().err
    monkeypatch.setattr(Stage, "_train_step", step)
    train(options("cut", system="wae-nf", resume=True))
    whole, cut = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_best_model_is_never_half_written(options, tmp_path, monkeypatch):
    train(options(system="vae", num_epochs=1))
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


def test_max_steps_bounds_each_stage(options, tmp_path):
    metrics = train(options(max_steps=3))
    assert metrics["training"]["steps"] == 3
    progress = read_json(last_checkpoint(tmp_path / "run" / "vae") / "progress.json")
    assert progress["step"] == 3


def test_early_stopping(options):
    metrics = train(options(system="vae", num_epochs=200, learning_rate=0.05, early_stopping=2))
    assert metrics["training"]["steps"] < 200 * 4


def test_centres_of_another_dimension(options, tmp_path):
    train(options("vae", system="vae", num_epochs=1))
    with pytest.raises(ValueError, match="latent_size 4, but this run has --latent_size 5"):
        train(options(centres_from=str(tmp_path / "vae"), latent_size=5))


def test_output_dir_is_claimed_once(options, tmp_path):
    train(options(system="vae", num_epochs=1))
    with pytest.raises(ValueError, match="holds another run"):
        train(options(system="vae", num_epochs=1))
    with pytest.raises(ValueError, match="--num_epochs was 1"):
        train(options(system="vae", num_epochs=2, resume=True))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("precious")
    with pytest.raises(ValueError, match="is not empty and holds no run"):
        train(options("other"))
    with pytest.raises(ValueError, match="holds no run"):
        train(options("nowhere", resume=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"system": "gan"}, "unknown system 'gan'"),
        ({"system": "vae", "num_flows": 2}, "--num_flows does not apply to vae"),
        ({"system": "wae", "centres_from": "x"}, "--centres_from does not apply to wae"),
        ({"system": "lstm-lm", "autoencoder_epochs": 1}, "--autoencoder_epochs does not apply to lstm-lm"),
        ({"mean_gamma": 0.5, "batch_norm": False}, "mean_gamma is the scale of a batch normalization"),
        ({"latent_size": 0}, "latent_size must be at least 1"),
        ({"objective": "elbo"}, "objective must be one of"),
        ({"num_centres": 5}, "5 centres cannot be found in 4 different posterior means"),
        ({"dataset": "nowhere"}, "unknown corpus 'nowhere'"),
    ],
)
def test_options_that_do_not_fit(options, changes, message):
    with pytest.raises(ValueError, match=message):
        train(options(**({"num_epochs": 1} | changes)))


@pytest.fixture
def learning_rates(monkeypatch):
    """The learning rate of each epoch that begins."""
    found, set_learning_rate = [], Stage._set_learning_rate

    def remembered(self):
        set_learning_rate(self)
        found.append(self.optimizer.param_groups[0]["lr"])

    monkeypatch.setattr(Stage, "_set_learning_rate", remembered)
    return found


STILL = {"system": "vae", "learning_rate": 1e-30, "num_epochs": 8}  # no validation after the first is better


@pytest.mark.parametrize(
    ("changes", "epochs"),
    [
        ({"kl_end": 0.0}, 1 + 2),
        ({"kl_end": 0.5}, 4 + 1),  # the validations of epochs 4 and 5 are the first that count
        ({"kl_end": 0.5, "kl_cycles": 2}, 6 + 1),
        ({"kl_end": 0.5, "kl_weight": 0.0}, 1 + 2),  # nothing is annealed
    ],
)
def test_early_stopping_counts_after_annealing(options, changes, epochs):
    metrics = train(options(**STILL, **changes, early_stopping=2))
    assert metrics["training"]["steps"] == 4 * epochs


def test_plateaus_count_after_annealing(options, learning_rates):
    train(options(**STILL, kl_end=0.5, lr_patience=1, lr_milestones=[7], lr_decay=0.25))
    # of those that count, epoch 4's is the first, and the lowest
    assert learning_rates == [1e-30 * 0.25**n for n in (0, 0, 0, 0, 0, 1, 2, 4)]


@pytest.mark.parametrize("stop", [9, 12])  # within an epoch, and at its end
def test_a_run_with_decay_resumes_to_the_bit(options, tmp_path, monkeypatch, learning_rates, stop):
    decay = {"lr_patience": 1, "lr_milestones": [2], "weight_decay": 0.1, "kl_end": 0.0, "num_epochs": 5}
    given = {"system": "vae", "learning_rate": 0.1, "save_steps": 1} | decay
    found = train(options("whole", **given))["training"]["history"]
    whole = learning_rates.copy()
    losses = [past["loss"] for past in found]
    assert whole == [0.1 * 0.5 ** num_decays(losses[:epoch], epoch, 1, [2]) for epoch in range(5)]
    assert whole[2] < whole[0]
    step = Stage._train_step

    def interrupted(self, *batches):
        if self.step == stop:
            raise KeyboardInterrupt
        return step(self, *batches)

    monkeypatch.setattr(Stage, "_train_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(options("cut", **given))
    monkeypatch.setattr(Stage, "_train_step", step)
    learning_rates.clear()
    train(options("cut", **given, resume=True))
    assert learning_rates == whole[stop // 4 :]
    for file in ("model.safetensors", "checkpoints/step-000000020/model.safetensors"):
        one, other = load_file(tmp_path / "whole" / file), load_file(tmp_path / "cut" / file)
        assert all(torch.equal(one[name], other[name]) for name in one)


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
def test_the_last_model_is_kept_where_it_is_asked_for(options, monkeypatch, best_by, saves):
    saved = []
    monkeypatch.setattr(Stage, "_save_best", lambda self, save=Stage._save_best: saved.append(self.step) or save(self))
    train(options(**STILL | {"num_epochs": 3}, best_by=best_by))
    assert saved == [4, 8, 12][:saves]


@pytest.mark.parametrize(("statistics", "batches"), [("running", 3), ("corpus", 1)])
def test_statistics_of_the_batch_normalization(options, tmp_path, statistics, batches):
    """Those of training are of as many batches as there were steps; those of the corpus, of its one batch."""
    train(options(system="vae", batch_norm_statistics=statistics, max_steps=3))
    norms = [m for m in load_model(tmp_path / "run")[0].modules() if isinstance(m, torch.nn.BatchNorm1d)]
    assert [norm.num_batches_tracked.item() for norm in norms] == [batches, batches]


@pytest.mark.parametrize(("given", "epochs"), [({"first_stage_epochs": 2}, 2), ({}, 1), ({"num_epochs": 17}, 2)])
def test_epochs_of_the_first_stage(options, monkeypatch, given, epochs):
    stages = {}
    monkeypatch.setattr(Stage, "run", lambda self: stages.update({self.name: self}) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(options(**{"lr_milestones": [1], "num_epochs": 9} | given))
    stage = stages["vae"]
    assert stage.num_steps == 4 * epochs
    assert stage.config.mean_gamma == 1.0  # its means do not fall together
    assert stage.arguments.lr_milestones is None  # epochs of the other stage


def test_centres_of_a_file_are_those_of_the_model(options, tmp_path):
    centres = np.random.default_rng(0).normal(size=(3, 4))
    np.save(tmp_path / "c.npy", centres)
    train(options(centres_from=str(tmp_path / "c.npy"), num_epochs=1))
    assert np.array_equal(load_model(tmp_path / "run")[0].centres.numpy(), centres.astype(np.float32))
    assert not (tmp_path / "run" / "vae").exists()
