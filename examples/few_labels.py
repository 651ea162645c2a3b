"""Few labels: the topics of generated sentences, told by a linear classifier of frozen latents.

python examples/few_labels.py runs/toy
"""

import random
import sys
from pathlib import Path

import wae_rnf
from wae_rnf.text.probe import draws_of, features_of, probe
from wae_rnf.tokenization.toy.grammar import ToyGrammar

if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").exists():
    sys.exit("usage: python examples/few_labels.py DIRECTORY, which holds a model that wae-rnf train has made")
text = wae_rnf.load(sys.argv[1])

grammar, rng = ToyGrammar(), random.Random(0)
sentences, attributes = zip(*(grammar.sample_with_attributes(rng) for _ in range(1000)), strict=True)
topics = [values["topic"] for values in attributes]

features = features_of(text, sentences[:500], sentences[500:], seed=0)
draws = draws_of(500, [20, 200], num_draws=3, seed=0)
for one in probe(features, topics[:500], topics[500:], [20, 200], draws):
    print(f"{one.num_labels} labels, {one.features}: accuracy {one.mean:.2f} ± {one.standard_error:.2f}")
