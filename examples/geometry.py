"""The shortest way from one sentence to another by each metric of the latent space, and what stands along it.

python examples/geometry.py runs/toy
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

import wae_rnf  # noqa: F401

if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").exists():
    sys.exit("usage: python examples/geometry.py DIRECTORY, which holds a model that wae-rnf train has made")
model = AutoModel.from_pretrained(sys.argv[1]).eval()
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
sentences = ["the soup at the bistro was absolutely delicious .", "shares of the bank rose on monday ."]
a, b = model.embed(**tokenizer(sentences, return_tensors="pt", padding=True)).split(1)

line = torch.lerp(a, b, torch.linspace(0, 1, 21)[:, None])[None]
for metric in ("euclidean", "flow", "decoder"):
    found = model.shortest_curves(a, b, steps=21, metric=metric, starts=1)
    curve = found.points.to(a)
    lengths = [model.curve_length(points, metric=metric).item() for points in (line, curve)]
    state = "" if found.converged.all() else ", not converged"
    print(f"{metric}: straight {lengths[0]:.4f}, geodesic {lengths[1]:.4f}{state}")
    ids = model.generate(latents=curve[0, ::5], do_sample=False)
    for sentence in tokenizer.batch_decode(ids, skip_special_tokens=True):
        print("  " + sentence)
