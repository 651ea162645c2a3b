"""Ways to write: seeds, temperature, top-p, beams, prompts, a stream of words.

python examples/sampling.py runs/toy
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, TextStreamer

import wae_rnf  # noqa: F401

if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").exists():
    sys.exit("usage: python examples/sampling.py DIRECTORY, which holds a model that wae-rnf train has made")
directory = sys.argv[1]
model = AutoModelForCausalLM.from_pretrained(directory).eval()
tokenizer = AutoTokenizer.from_pretrained(directory)
prompt = tokenizer(["the"], return_tensors="pt")


def show(title, **options):
    ids = model.generate(generator=torch.Generator().manual_seed(1), **options)
    print(title)
    for sentence in tokenizer.batch_decode(ids, skip_special_tokens=True):
        print("  " + sentence)


show("As the model has it:", num_samples=3)
show("Likelier words:", num_samples=3, temperature=0.5, top_p=0.9)
show("The best of four beams, for three codes:", num_samples=3, num_beams=4, do_sample=False)
show("After a prompt:", num_samples=3, **prompt)
show("The flow-posterior model:", num_samples=3, prior="flow_posterior")

print("Word by word:")
model.generate(num_samples=1, streamer=TextStreamer(tokenizer, skip_special_tokens=True))
