"""How likely sentences are, and what each token costs: beside the exact log-probability of the generated corpus.

python examples/likelihood.py runs/toy
"""

import random
import sys
from pathlib import Path

import wae_rnf
from wae_rnf.tokenization.toy.grammar import ToyGrammar

if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").exists():
    sys.exit("usage: python examples/likelihood.py DIRECTORY, which holds a model that wae-rnf train has made")
text = wae_rnf.load(sys.argv[1])

grammar, rng = ToyGrammar(), random.Random(0)
sentences = [grammar.sample(rng) for _ in range(8)]
found = text.nll(sentences, samples=200)
print(f"{found.estimate}, nats; then the exact -log p of the corpus:")
for sentence, nll, error in zip(sentences, found.nll, found.monte_carlo_error, strict=True):
    print(f"{nll:6.2f} ± {error:.2f}  {-grammar.log_prob(sentence):6.2f}  {sentence}")
print(f"perplexity {found.perplexity:.1f} per token")

(surprisals,) = text.surprisal([sentences[0]], samples=200)
print(f"\nlatent {surprisals.latent:.2f} nats, then each token given the latent:")
for token, nats in zip(surprisals.tokens, surprisals.nats, strict=True):
    print(f"{nats:6.2f}  {token}")
