"""A small model whose words depend on the words before and on the latent, and what greedy decoding gives of it."""

from pathlib import Path

import torch

GOLDEN = Path(__file__).parent / "golden" / "models"
LANGUAGE_MODEL = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "latent_size": 0}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def with_memory(tiny_model):
    """A small model whose words depend on what came before, and on the latent."""
    model = tiny_model(latents_at_every_step=True).eval()
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(4)
    return model


def greedy(model, prompt, z, steps, ends=(2,), banned=(0, 1), change=None):
    """What greedy decoding writes, from whole passes over each prefix."""
    words = list(prompt)
    for _ in range(steps):
        scores = model(torch.tensor([words]), latents=z[None]).logits[0, -1].detach().clone()
        if change is not None:
            scores = change(scores)
        scores[list(banned)] = -torch.inf
        words.append(int(scores.argmax()))
        if words[-1] in ends:
            break
    return words


def padded(rows, pad=0):
    longest = max(map(len, rows))
    return torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
