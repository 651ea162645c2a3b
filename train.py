"""Trains a system: `python train.py`, `accelerate launch train.py` and `wae-rnf train` are the same program."""

import sys

from training_wae_rnf.command_line import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
