"""Transformers' Trainer: its losses, metrics, best model and resuming, with either of its collators."""

import numpy as np
import pytest
import torch
from transformers import DataCollatorForLanguageModeling, DataCollatorWithPadding, Trainer, TrainingArguments

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.decoder import Decoder
from wae_rnf.tokenization.tokenizer import build_tokenizer

WORDS = ["<pad>", "<bos>", "<eos>", "<unk>", "the", "cat", "sat", "on", "a", "mat", "dog", "ran", "."]
SENTENCES = [{"input_ids": [1, *range(4, 5 + length), 2]} for length in (3, 1, 6, 2, 4, 5, 2, 7)]
ROWS = SENTENCES * 2


@pytest.fixture
def trainer(tiny_model, tmp_path):
    """Builds a Trainer of a tiny model; the collator gives labels, or else the model scores what it is given."""

    def build(labels=True, folder="run", fields=None, **options):
        tokenizer = build_tokenizer({word: number for number, word in enumerate(WORDS)})
        if labels:
            collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
        else:
            collator, options = DataCollatorWithPadding(tokenizer), {"label_names": []} | options
        metrics = options.pop("compute_metrics", None)
        sizes = {"per_device_train_batch_size": 4, "per_device_eval_batch_size": 3, "max_steps": 4}
        settings = {"report_to": "none", "disable_tqdm": True, "use_cpu": True, "logging_steps": 1}
        arguments = TrainingArguments(str(tmp_path / folder), **sizes | settings | options)
        model = tiny_model(**{"eval_latents": "seeded"} | (fields or {}))
        data = {"train_dataset": ROWS, "eval_dataset": SENTENCES}
        return Trainer(model, arguments, collator, **data, compute_metrics=metrics)

    return build


@pytest.mark.parametrize("labels", [True, False])
def test_the_evaluation_is_the_mean_of_the_losses(trainer, labels):
    trained = trainer(labels)
    before = {name: value.clone() for name, value in trained.model.state_dict().items()}
    trained.train()
    assert any(not torch.equal(value, before[name]) for name, value in trained.model.state_dict().items())
    found, model = trained.evaluate(), trained.model.eval()
    batches = [SENTENCES[start : start + 3] for start in (0, 3, 6)]
    losses = [model(**trained.data_collator(batch)).loss.item() for batch in batches]
    assert found["eval_loss"] == pytest.approx(np.average(losses, weights=[3, 3, 2]), rel=1e-5)
    assert trained.evaluate()["eval_loss"] == found["eval_loss"]
    assert not trained.model_accepts_loss_kwargs  # so that it divides by the number of accumulated batches


@pytest.mark.parametrize("labels", [True, False])
def test_the_best_model_is_loaded(trainer, labels):
    every_step = {"eval_strategy": "steps", "save_strategy": "steps", "eval_steps": 1, "save_steps": 1}
    trained = trainer(labels, load_best_model_at_end=True, learning_rate=0.05, **every_step)
    trained.train()
    losses = [row["eval_loss"] for row in trained.state.log_history if "eval_loss" in row]
    assert len(losses) == 4
    assert trained.state.best_metric == min(losses)
    best = WaeRnfModel.from_pretrained(trained.state.best_model_checkpoint).state_dict()
    assert all(torch.equal(value, best[name]) for name, value in trained.model.state_dict().items())
    assert trained.evaluate()["eval_loss"] == pytest.approx(min(losses), rel=1e-6)


def test_metrics_are_of_the_logits(trainer):
    seen = []

    def accuracy(prediction):
        seen.append(prediction.predictions.shape)
        words, labels = prediction.predictions.argmax(-1)[:, :-1], prediction.label_ids[:, 1:]
        return {"accuracy": (words == labels)[labels != -100].mean()}

    trained = trainer(compute_metrics=accuracy)
    found, prediction = trained.evaluate(), trained.predict(SENTENCES)
    assert seen == [(8, 10, 13)] * 2
    assert found["eval_accuracy"] == prediction.metrics["test_accuracy"]
    right = total = 0
    for batch in (SENTENCES[start : start + 3] for start in (0, 3, 6)):
        inputs = trained.data_collator(batch)
        logits = trained.model.eval()(**inputs).logits
        for row, sentence in enumerate(batch):
            ids = sentence["input_ids"]
            right += sum(logits[row, place].argmax() == word for place, word in enumerate(ids[1:])).item()
            total += len(ids) - 1
    assert found["eval_accuracy"] == pytest.approx(right / total)


def test_predictions_without_labels_are_logits_too(trainer):
    prediction = trainer(labels=False).predict(SENTENCES)
    assert prediction.predictions.shape == (8, 10, 13)
    assert prediction.metrics["test_loss"] > 0


@pytest.mark.parametrize("labels", [True, False])
def test_a_resumed_training_has_the_same_weights(trainer, tmp_path, labels):
    options = {"max_steps": 6, "save_strategy": "steps", "save_steps": 3, "gradient_accumulation_steps": 2}
    fields = {"dropout": 0.3, "word_dropout": 0.2}
    whole = trainer(labels, "whole", fields, **options)
    whole.train()
    resumed = trainer(labels, "resumed", fields, **options)
    for parameter in resumed.model.parameters():
        torch.nn.init.zeros_(parameter)
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-3"))
    assert resumed.state.global_step == 6
    state = resumed.model.state_dict()
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_training_never_forms_logits(trainer, monkeypatch):
    calls = []
    monkeypatch.setattr(Decoder, "logits", lambda *_: calls.append(1))
    trainer().train()
    assert not calls
