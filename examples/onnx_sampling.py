"""Sentences without PyTorch: the files of `wae-rnf export`, with onnxruntime, numpy and tokenizers alone.

wae-rnf export runs/toy runs/toy-onnx
python examples/onnx_sampling.py runs/toy-onnx --temperature 0.8
"""

import argparse
import json
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("-n", "--num_samples", type=int, default=5)
parser.add_argument("--temperature", type=float, default=1.0, help="under 1 keeps to likelier words; 0 takes the best")
parser.add_argument("--sentence", default="the soup at the bistro was absolutely delicious .")
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
if not (options.folder / "model.json").is_file():
    parser.error(f"{options.folder} has no model.json: make it with wae-rnf export MODEL_DIR FOLDER")

model = json.loads((options.folder / "model.json").read_text())
tokenizer = Tokenizer.from_file(str(options.folder / "tokenizer.json"))
tokenizer.encode_special_tokens = True  # a literal <eos> in the text is a word
tokenizer.enable_truncation(model["max_words"] + 2)
generator = np.random.default_rng(options.seed)


def run(name, **inputs):
    if name not in sessions:
        sessions[name] = InferenceSession(options.folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    return sessions[name].run(None, inputs)


def sample_prior(count):
    latents = generator.standard_normal((count, model["latent_size"]), dtype=np.float32)
    return latents / np.linalg.norm(latents, axis=1, keepdims=True) if model["posterior"] == "vmf" else latents


def draw(logits, temperature):
    """One word a row, with probability softmax(logits / temperature)."""
    logits[:, model["suppress_tokens"]] = -np.inf
    if temperature == 0:
        return logits.argmax(axis=1)
    noise = generator.gumbel(size=logits.shape)  # the largest of logits with Gumbel noise is such a draw
    return (logits / temperature + noise).argmax(axis=1)


def decode(latents, temperature):
    """Latents (batch, latent_size) -> sentences."""
    hidden, cell = run("decoder_start", latents=latents)
    token = np.full(len(latents), model["bos_token_id"])
    words, ended = [], np.zeros(len(latents), dtype=bool)
    while len(words) < model["max_words"] and not ended.all():
        logits, hidden, cell = run("decoder_step", token=token, latents=latents, hidden=hidden, cell=cell)
        token = np.where(ended, model["pad_token_id"], draw(logits, temperature))
        ended |= token == model["eos_token_id"]
        words.append(token)
    return tokenizer.decode_batch(np.stack(words, axis=1).tolist())


sessions = {}
print("From the prior:")
for sentence in decode(sample_prior(options.num_samples), options.temperature):
    print("  " + sentence)

if model["latent_size"]:  # a language model encodes nothing
    encoded = tokenizer.encode(options.sentence)
    mean = run("encoder", input_ids=np.array([encoded.ids]), attention_mask=np.array([encoded.attention_mask]))[0]
    print("There: " + options.sentence)
    print("Back:  " + decode(mean, temperature=0)[0])
