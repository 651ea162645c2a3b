"""Train on a folder of your own text: train.txt, valid.txt and test.txt, one sentence a line.

python examples/own_text.py FOLDER runs/mine
"""

import sys
from pathlib import Path

from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run import train

if len(sys.argv) != 3 or not Path(sys.argv[1], "train.txt").exists() or Path(sys.argv[2]).exists():
    sys.exit("usage: python examples/own_text.py FOLDER OUTPUT_DIR; FOLDER has train.txt, OUTPUT_DIR is not there yet")
folder, output_dir = sys.argv[1:]
metrics = train(
    TrainArguments(
        dataset=folder,
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
print(f"{bound['nll']:.2f} nats a sentence at most, perplexity {bound['ppl']:.1f}")
