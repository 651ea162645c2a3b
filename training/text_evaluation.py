"""What a model writes, judged: variety of samples, faithfulness of reconstructions, perplexity both ways."""

from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from datasets import Dataset

from .batching import load_batches, sorted_batches
from .evaluation import evaluate
from .systems import SYSTEMS
from .text_quality import reconstruction_quality, sample_quality

BATCH_SIZE = 256


@torch.no_grad()
def judge_text(model, tokenizer, sentences, count=1000, seed=0):
    """Distinct-n and self-BLEU of samples from the prior, BLEU of greedy reconstructions.

    Args:
        model: a `WaeRnfModel` in evaluation mode.
        sentences: prepared rows; the first `count` are reconstructed from their posterior means.
        count: of the samples too.
        seed: of the samples.

    Returns:
        {"samples": see `sample_quality`, "reconstructions": {"bleu"}}; without a latent code no reconstructions.
    """
    generator = torch.Generator(model.device).manual_seed(seed)
    ids = model.generate(num_samples=count, generator=generator)
    quality = {"samples": sample_quality(tokenizer.batch_decode(ids, skip_special_tokens=True), count, seed)}
    if model.config.latent_size:
        inputs, outputs = [], []
        lengths = sentences["length"][:count]
        batches = sorted_batches(lengths, BATCH_SIZE)
        for batch in load_batches(sentences, batches, model.config.pad_token_id, model.device):
            ids = model.generate(latents=model.encode(**batch).mean, do_sample=False)
            inputs += tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)
            outputs += tokenizer.batch_decode(ids, skip_special_tokens=True)
        quality["reconstructions"] = reconstruction_quality(outputs, inputs)
    return quality


@torch.no_grad()
def sample_sentences(model, count, seed=0):
    """Samples from the prior as prepared rows, with `input_ids` and `length`; empty sentences are left out."""
    generator = torch.Generator(model.device).manual_seed(seed)
    special = (model.config.pad_token_id, model.config.bos_token_id, model.config.eos_token_id)
    bos, eos = special[1:]
    rows = ([i for i in ids if i not in special] for ids in model.generate(count, generator=generator).tolist())
    rows = [[bos, *words, eos] for words in rows if words]
    return Dataset.from_dict({"input_ids": rows, "length": [len(row) - 1 for row in rows]})


def forward_perplexity(language_model, samples):
    """Perplexity of samples under a language model of the corpus: low where they read like it.

    Args:
        language_model: a model without a latent code, whose likelihood is exact.
        samples: as `sample_sentences` gives.
    """
    return evaluate(language_model, samples)["pushforward"]["elbo"]["ppl"]


def reverse_perplexity(samples, data, tokenizer, arguments, directory):
    """Perplexity of the test split under a language model of the samples: low where they cover the corpus.

    Args:
        samples: as `sample_sentences` gives; the language model is trained on them as the arguments say.
        data: prepared splits; the model is chosen on `validation` and judged on `test`.
        tokenizer: of both.
        arguments: [`TrainArguments`].
        directory: where the language model goes; what it holds is gone on with.
    """
    from .model_directory import load_model
    from .training import run_stage

    accelerator = Accelerator(mixed_precision=arguments.mixed_precision)
    splits = {"train": samples, "validation": data["validation"]}
    arguments = replace(arguments, system="lstm-lm")
    run_stage("reverse", SYSTEMS["lstm-lm"], arguments, accelerator, tokenizer, splits, Path(directory))
    model, _ = load_model(directory, accelerator.device)
    return evaluate(model, data["test"])["pushforward"]["elbo"]["ppl"]
