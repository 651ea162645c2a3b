"""Nearest neighbours of sentences by their posterior means, and how often they share the topic.

python examples/neighbours.py runs/toy
"""

import random
import sys
from collections import Counter
from pathlib import Path

import wae_rnf
from wae_rnf.tokenization.toy.grammar import ToyGrammar

if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").exists():
    sys.exit("usage: python examples/neighbours.py DIRECTORY, which holds a model that wae-rnf train has made")
text = wae_rnf.load(sys.argv[1])

grammar, rng = ToyGrammar(), random.Random(0)
sentences, attributes = zip(*(grammar.sample_with_attributes(rng) for _ in range(10_200)), strict=True)
topics = [values["topic"] for values in attributes]
queries, corpus = sentences[:200], sentences[200:]
found = text.nearest(queries, corpus, k=3)

for query, neighbours in zip(queries[:3], found, strict=False):
    print(query)
    for neighbour in neighbours:
        print(f"  {neighbour.value:.3f}  {neighbour.text}")
same = [topics[200 + row[0].position] == topic for topic, row in zip(topics[:200], found, strict=True)]
by_chance = sum((count / len(topics)) ** 2 for count in Counter(topics).values())
print(f"the nearest of {len(corpus):,} has the topic of {sum(same) / len(same):.0%}; by chance {by_chance:.0%}")
