"""Trains a system: `python train.py`, `accelerate launch train.py` and `wae-rnf train` are the same program."""

import sys

from wae_rnf.commands.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
