"""The command `wae-rnf`: one subcommand for each thing a user does.

Heavy libraries are imported by the subcommand that needs them, so that `--help` answers at once.
"""

import signal
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import version

from .terminal import forgiving

# the module of each subcommand, which has a function of the same name
COMMANDS = {
    "train": "train",
    "reproduce": "reproduce",
    "tradeoff": "reproduce",
    "evaluate": "evaluate",
    "geometry": "geometry",
    "sample": "text",
    "reconstruct": "text",
    "interpolate": "text",
    "embed": "text",
    "score": "likelihood",
    "surprisal": "likelihood",
    "edit": "latent_space",
    "nearest": "latent_space",
    "topics": "topics",
    "arithmetic": "arithmetic",
    "probe": "probe",
    "export": "export",
    "push": "push",
    "demo": "demo",
}
# commands that are run for what they print
WRITERS = ("sample", "reconstruct", "interpolate", "embed", "score", "surprisal", "edit", "nearest", "topics")
HELP = """\
usage: wae-rnf COMMAND [options]      (wae-rnf COMMAND --help explains each)

Text autoencoders with Riemannian normalizing flows, trained and judged honestly.

  train         train a system, report honest likelihoods, print samples
                  wae-rnf train
  reproduce     the systems that the paper compares, on one corpus: tables and figures
                  wae-rnf reproduce --dataset toy --config examples/toy.yaml --num_epochs 4
  tradeoff      one system's reconstructions against its samples, over the KL weight
                  wae-rnf tradeoff --dataset toy --config examples/toy.yaml --num_epochs 4
  evaluate      bounds, mutual information and active units of a trained model
                  wae-rnf evaluate runs/toy --split test --iwae_samples 500
  geometry      lengths, neighbours, volumes and text along geodesics of the latent space
                  wae-rnf geometry runs/toy --pairs 200
  sample        sentences from the prior
                  wae-rnf sample runs/toy -n 10
  reconstruct   sentences through the latent and back
                  wae-rnf reconstruct runs/toy "the soup was cold ."
  interpolate   sentences on the way from one to another
                  wae-rnf interpolate runs/toy "the soup was cold ." "shares of the bank rose ."
  embed         the latent of each sentence, as features
                  wae-rnf embed runs/toy < sentences.txt > features.tsv
  score         nats of each sentence, and which bound they are
                  wae-rnf score runs/toy "the soup was cold ."
  surprisal     nats of each token given the latent, and of the latent
                  wae-rnf surprisal runs/toy "the soup was cold ."
  edit          sentences moved from one kind of examples to another
                  wae-rnf edit runs/toy --from_file bad.txt --to_file good.txt
  nearest       sentences of a file that are nearest in the latent space
                  wae-rnf nearest runs/toy --corpus sentences.txt < queries.txt
  topics        the words of each topic of a dirichlet-vae
                  wae-rnf topics runs/toy-topics
  arithmetic    how well edits along a direction of the latent space work
                  wae-rnf arithmetic runs/yelp --attribute tense
  probe         few-label classification: a linear classifier on the latents
                  wae-rnf probe runs/toy --attribute topic
  export        encoder and decoder as ONNX files, for runtimes without PyTorch
                  wae-rnf export runs/toy runs/toy-onnx
  push          a trained model to the Hub, with a model card
                  wae-rnf push runs/toy user/wae-rnf-toy
  demo          a page on sentences, samples, edits and the map of the latent space
                  wae-rnf demo runs/toy
"""


def is_text(argument: str) -> bool:
    """Whether an argument's bytes were UTF-8: those that are not arrive as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says so: torch has an error of its own for accelerators alone."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text


@partial(forgiving, stops=WRITERS)
def main(argv: Sequence[str] | None = None) -> int:
    """Runs a subcommand. Returns 0, or 2 after one sentence that says what was wrong."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if argv[0] == "--version":
        print(f"wae-rnf {version('wae-rnf')}")
        return 0
    if unreadable := [argument for argument in argv if not is_text(argument)]:
        print(f"wae-rnf: error: {unreadable[0]!a} is not valid UTF-8", file=sys.stderr)
        return 2
    from wae_rnf.training.interruption import Stopped

    if argv[0] not in COMMANDS:
        known = ", ".join(COMMANDS)
        print(f"wae-rnf: error: there is no command {argv[0]!r}; choose one of {known}", file=sys.stderr)
        return 2
    try:
        command = getattr(import_module(f".{COMMANDS[argv[0]]}", __package__), argv[0])
        command(argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output, `head` for example, has read enough
        return 128 + signal.SIGPIPE
    except (ValueError, OSError) as error:
        print(f"wae-rnf: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())
        print(f"wae-rnf: error: out of memory: {reason}; a smaller batch or model may fit", file=sys.stderr)
        return 2
    except Stopped as stopped:
        print(f"wae-rnf: {stopped}", file=sys.stderr)
        return 128 + stopped.number
    except KeyboardInterrupt:
        print("wae-rnf: interrupted", file=sys.stderr)
        return 130
    return 0
