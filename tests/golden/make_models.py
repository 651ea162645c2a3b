"""Made tests/golden/models with the code of commit cabc32b: a tiny trained model of each system, and what it gave.

    python -m tests.golden.make_models

They are not made anew: later code has to give the same figures for them (tests/test_golden_models.py). A new format of
saved directories gets new models beside these.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch

from wae_rnf.evaluation.estimators import importance_weighted_nll, log_importance_weights
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run import train
from wae_rnf.training.systems import SYSTEMS

MODELS = Path(__file__).parent / "models"
KEPT = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
TEXT = """\
the cat sat on the mat .
a dog ran fast in the park .
rain fell all day long .
the dog sat in the rain .
a cat ran on the mat all day .
the soup was cold and the bread was old .
a cold rain fell on the old park .
was the bread on the mat ?
did the old dog sleep all day ?
the cat did sleep .
"""
SENTENCES = [
    "the cat sat on the mat .",
    "was the bread cold ?",
    "a zebra ran .",
    "the old dog fell asleep in the soup .",
]
SIZES = {"embedding_size": 8, "hidden_size": 12, "latent_size": 4, "num_centres": 3, "latents_at_every_step": True}
SCHEDULE = {"num_epochs": 12, "learning_rate": 0.02, "batch_size": 10, "dropout": 0.0, "eval_iwae_samples": 2}
NUM_SAMPLES = 3
TERMS = ("loss", "reconstruction", "kl", "log_abs_det", "log_kernel", "mmd")


def main():
    MODELS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for split in ("train", "valid", "test"):
            Path(folder, f"{split}.txt").write_text(TEXT * (20 if split == "train" else 1))
        for system in SYSTEMS:
            sizes = SIZES if system != "lstm-lm" else SIZES | {"latents_at_every_step": False}
            weight = {} if system in ("lstm-lm", "vmf-vae") else {"kl_weight": 0.1}
            options = {"dataset": folder, "output_dir": str(Path(folder, system)), "system": system, "inner_steps": 20}
            train(TrainArguments(**options, **sizes, **SCHEDULE, **weight))
            (MODELS / system).mkdir(exist_ok=True)
            for name in KEPT:
                shutil.copyfile(Path(folder, system, name), MODELS / system / name)
    for system in SYSTEMS:
        (MODELS / system / "expected.json").write_text(json.dumps(figures(MODELS / system), indent=1) + "\n")


@torch.no_grad()
def figures(directory):
    """What a model directory gives for `SENTENCES`: losses of seeded samples, bounds at kept samples, greedy text."""
    model, tokenizer = load_model(directory)
    batch = tokenizer(SENTENCES, return_tensors="pt", padding=True)
    model.train()  # the loss of a batch, with its own batch statistics; there is no dropout
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    torch.manual_seed(0)
    output = model(**batch)
    loss = {
        name: values(output[name]) for name in ("loss", "reconstruction", "kl", "log_abs_det", "log_kernel", "mmd")
    }
    for name, buffer in model.named_buffers():
        buffer.copy_(buffers[name])
    model.eval()
    posterior = model.encode(**batch)
    z = posterior.rsample((NUM_SAMPLES,), generator=torch.Generator().manual_seed(1))
    return {"loss": loss, "z": values(z)} | at_samples(model, tokenizer, batch, z)


@torch.no_grad()
def at_samples(model, tokenizer, batch, z):
    """Bounds of both generative models at z (samples, batch, latent_size), and greedy text from the first of them."""
    posterior = model.encode(**batch)
    z_prime, log_abs_det = model.push(z)
    reconstruction = torch.stack([model.score(**batch, z_prime=part) for part in z_prime])
    weights = log_importance_weights(posterior, z, z_prime, log_abs_det, reconstruction, model.prior)
    found = {"mean": values(posterior.mean), "reconstruction": values(reconstruction)}
    found["bounds"] = {
        generative_model: {"elbo": values(-own.mean(0)), "iwae": values(importance_weighted_nll(own))}
        for generative_model, own in weights.items()
    }
    texts = {"from_samples": model.generate(latents=z[0], do_sample=False)}
    if model.config.latent_size:
        texts["reconstructions"] = model.reconstruct(batch)
    return found | {name: tokenizer.batch_decode(ids, skip_special_tokens=True) for name, ids in texts.items()}


def values(tensor):
    return tensor.double().tolist()


if __name__ == "__main__":
    main()
