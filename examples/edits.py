"""Edits by vector arithmetic: sentences of the past are moved to the present, along a direction learned from examples.

python examples/edits.py runs/toy
"""

import random
import sys
from pathlib import Path

import wae_rnf
from wae_rnf.evaluation.toy_quality import likeliest_attributes
from wae_rnf.tokenization.toy.grammar import ToyGrammar

if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").exists():
    sys.exit("usage: python examples/edits.py DIRECTORY, which holds a model that wae-rnf train has made")
text = wae_rnf.load(sys.argv[1])

grammar, rng = ToyGrammar(), random.Random(0)
drawn = [grammar.sample_with_attributes(rng) for _ in range(3000)]
past, present = ([sentence for sentence, a in drawn if a["tense"] == tense] for tense in ("past", "present"))
sources, past = past[:200], past[200:]
direction = text.direction(past, present)

for strength in (0.0, 1.0, 2.0, 3.0):
    edited = text.edit(sources, direction, strength)
    moved = sum(likeliest_attributes(sentence).get("tense") == "present" for sentence in edited)
    print(f"strength {strength}: {moved / len(edited):.0%} of {len(edited)} sentences are in the present tense")
for source, sentence in zip(sources[:5], text.edit(sources[:5], direction, 2.0), strict=True):
    print(f"\nin   {source}\nout  {sentence}")
