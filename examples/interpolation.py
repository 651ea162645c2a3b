"""From one sentence to another, and an analogy.

python examples/interpolation.py runs/toy
"""

import sys
from pathlib import Path

from transformers import AutoModel, AutoTokenizer

import wae_rnf  # noqa: F401

if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").exists():
    sys.exit("usage: python examples/interpolation.py DIRECTORY, which holds a model that wae-rnf train has made")
directory = sys.argv[1]
model = AutoModel.from_pretrained(directory).eval()
tokenizer = AutoTokenizer.from_pretrained(directory)


def encoded(sentence):
    return tokenizer([sentence], return_tensors="pt")


first = "the soup at the bistro was absolutely delicious ."
second = "shares of the bank rose on monday ."
for path, space in (("straight", "z"), ("spherical", "z"), ("straight", "z_prime")):
    (ids,) = model.interpolate(encoded(first), encoded(second), steps=5, path=path, space=space)
    print(f"{path}, in {space}:")
    for sentence in tokenizer.batch_decode(ids, skip_special_tokens=True):
        print("  " + sentence)

a, b, c = "the soup was cold .", "the soup was delicious .", "the room was dirty ."
(answer,) = tokenizer.batch_decode(model.analogy(*map(encoded, (a, b, c))), skip_special_tokens=True)
print(f"{a}  is to  {b}\nas {c}  is to  {answer}")
