"""Train on your own text: a file (.txt, .csv, .jsonl, …), or a folder with train.txt, valid.txt and test.txt.

python examples/own_text.py PATH runs/mine
"""

import sys
from pathlib import Path

from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run import train

if len(sys.argv) != 3 or not Path(sys.argv[1]).exists() or Path(sys.argv[2]).exists():
    sys.exit("usage: python examples/own_text.py PATH OUTPUT_DIR; PATH has the text, OUTPUT_DIR is not there yet")
path, output_dir = sys.argv[1:]
metrics = train(
    TrainArguments(
        dataset=path,
        output_dir=output_dir,
        system="wae-rnf",
        num_epochs=2,  # a try; 48 in the paper
        embedding_size=64,
        hidden_size=64,
        num_centres=5,
        latents_at_every_step=True,
    )
)
bound = metrics["pushforward"]["iwae"]
print(f"{bound['nll']:.2f} nats a sentence at most, perplexity {bound['ppl_per_word']:.1f} per word")
