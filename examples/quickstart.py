"""Load a trained model, write sentences, and take one through the latent variable and back.

python examples/quickstart.py runs/toy
"""

import sys
from pathlib import Path

from transformers import AutoModel, AutoTokenizer

import wae_rnf  # noqa: F401  registers the model; not needed with trust_remote_code=True

if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").exists():
    sys.exit("usage: python examples/quickstart.py DIRECTORY, which holds a model that wae-rnf train has made")
directory = sys.argv[1]
model = AutoModel.from_pretrained(directory).eval()
tokenizer = AutoTokenizer.from_pretrained(directory)

print("From the prior:")
for sentence in tokenizer.batch_decode(model.generate(num_samples=5), skip_special_tokens=True):
    print("  " + sentence)

sentence = "the soup at the bistro was absolutely delicious ."
batch = tokenizer([sentence], return_tensors="pt")
print(f"\nThere: {sentence}")
print(f"Back:  {tokenizer.batch_decode(model.reconstruct(batch), skip_special_tokens=True)[0]}")

posterior = model.encode(**batch)
print(f"\nKL of its posterior to the prior: {posterior.kl_divergence().item():.2f} nats")
