"""A program that `peers` measures: steps of a training loop as its own program runs it, then scores and samples."""

import contextlib
import gc
import json
import runpy
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_post_hook

from .peer_batches import authors_data, lines_of, sentences_of
from .subprocesses import peak_mb

WARM_UP = 10  # steps before the clock starts
WIDTH, LATENTS, BATCH_SIZE, DROPOUT = 200, 32, 32, 0.2  # of every model
SCORED, IMPORTANCE_SAMPLES = 50, 50  # test sentences, and samples of each
SAMPLES, LENGTH = 200, 30  # sentences from the prior, and tokens of each
PAD = 0  # everywhere


class EnoughSteps(BaseException):
    """Ends a loop that takes no number of steps; none of them catches it."""


class StepClock:
    """Counts the tokens and the seconds of a training's steps from outside, by hooks of torch.

    A step's sentences are those of its first embedding, as the encoder reads them. Tokens are their words and one end
    of each, whatever special tokens stand there.

    Args:
        steps: to be timed.
        model: the name of the trained model's class.
        special: special tokens of a sentence that the encoder reads.
        batch_dim: of the token ids.

    Attributes:
        model: the model, once there were enough steps.
    """

    model: Any

    def __init__(self, steps: int, model: str, special: int = 1, batch_dim: int = 0) -> None:
        self.steps, self.name, self.special, self.batch_dim = steps, model, special, batch_dim
        self.pending: int | None = None
        self.tokens, self.times = [0], [time.perf_counter()]

    def read(self, module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        """Takes the tokens of a step from its first embedding."""
        if isinstance(module, nn.Embedding) and module.training and self.pending is None:
            ids = inputs[0]
            self.pending = int(ids.ne(PAD).sum()) - (self.special - 1) * ids.shape[self.batch_dim]

    def step(self, *_: object) -> None:
        """Ends a step where an optimizer has its turn; a second one's belongs to the same step."""
        if self.pending is None:
            return
        self.tokens.append(self.pending)
        self.times.append(time.perf_counter())
        self.pending = None
        if len(self.times) > WARM_UP + self.steps:
            kinds = ((one, type(one)) for one in gc.get_objects())  # isinstance() would wake lazy objects
            found = (one for one, kind in kinds if issubclass(kind, nn.Module) and kind.__name__ == self.name)
            self.model = next(found).eval()
            raise EnoughSteps

    def tokens_per_second(self) -> float:
        """Of the steps after the first ones."""
        return sum(self.tokens[WARM_UP + 1 :]) / (self.times[-1] - self.times[WARM_UP])

    def run(self, start: Callable[[], object]) -> None:
        """Runs a training until it has made enough steps.

        Raises:
            ValueError: it ended before.
        """
        hooks = [register_module_forward_hook(self.read), register_optimizer_step_post_hook(self.step)]
        try:
            start()
        except EnoughSteps:
            return
        finally:
            for hook in hooks:
                hook.remove()
        raise ValueError(f"the training ended after {len(self.times) - 1} steps of {WARM_UP + self.steps}")


@dataclass(frozen=True)
class Loop:
    """How a library's own training is started, and what is timed of the model that it leaves.

    Args:
        start: runs the training of a corpus; gets the library's folder, the corpus and a folder for what it writes.
        model: the name of its model's class.
        score: the importance-weighted bound of sentences; None where its own does not run.
        sample: sentences of `LENGTH` tokens from the prior; None where it has none that runs.
        special, batch_dim: see [`StepClock`].
    """

    start: Callable[[Path, Path, Path], object]
    model: str
    score: Callable[[Any, list[list[str]]], object] | None
    sample: Callable[[Any], object] | None
    special: int = 1
    batch_dim: int = 0


def run_script(library: Path, name: str, *arguments: object) -> None:
    """Runs a program of a library as `python NAME …` would."""
    sys.path.insert(0, str(library))
    sys.argv = [name, *map(str, arguments)]
    runpy.run_path(str(library / name), run_name="__main__")


def start_authors(library: Path, corpus: Path, folder: Path) -> None:
    """The paper's command for the Penn Treebank. Its loader needs torchtext 0.3, ours batches alike."""
    sys.modules["data"] = authors_data(corpus, BATCH_SIZE)
    torch.cuda.set_device = lambda *_: None  # type: ignore[assignment]  # it is called where there is no GPU too
    load = torch.load
    centres = library / "ptb_centers.pt"
    torch.load = lambda *_, **__: load(centres, map_location="cpu")  # type: ignore[assignment]
    flow = ["--dist", "normal", "--flow", "--n_flows", 3, "--center", "--reg", "im"]
    weights = ["--kla", "--t", 0.8, "--mmd", "--kernel", "im", "--mmd_w", 10]
    run_script(library, "main.py", *flow, *weights, "--data", corpus, "--test_log_name", folder / "log.txt")


def start_text_autoencoders(library: Path, corpus: Path, folder: Path) -> None:
    """Its variational autoencoder, at our widths; its encoder reads in both directions."""
    files = ["--train", corpus / "train.txt", "--valid", corpus / "valid.txt", "--save-dir", folder]
    sizes = ["--vocab-size", 20_000, "--dim_z", LATENTS, "--dim_emb", WIDTH, "--dim_h", WIDTH]
    how = ["--model_type", "vae", "--lambda_kl", 0.8, "--dropout", DROPOUT, "--batch-size", BATCH_SIZE, "--no-cuda"]
    run_script(library, "train.py", *files, *sizes, *how)


def start_lagging(library: Path, corpus: Path, folder: Path) -> None:
    """Its plain variational autoencoder, at our widths."""
    configuration = ModuleType("config.config_ptb")
    files = {f"{theirs}_data": str(corpus / f"{ours}.txt") for theirs, ours in SPLITS.items()}
    configuration.params = files | {  # type: ignore[attr-defined]
        "enc_type": "lstm", "dec_type": "lstm", "nz": LATENTS, "ni": WIDTH, "enc_nh": WIDTH, "dec_nh": WIDTH,
        "dec_dropout_in": DROPOUT, "dec_dropout_out": DROPOUT, "batch_size": BATCH_SIZE, "epochs": 1,
        "test_nepoch": 5,
    }  # fmt: skip
    sys.modules["config.config_ptb"] = configuration
    with contextlib.chdir(folder):  # it writes beside itself
        run_script(library, "text.py", "--dataset", "ptb", "--kl_start", 0.1)


def start_ours(system: str) -> Callable[[Path, Path, Path], object]:
    """`wae-rnf train` of a system; the centres of a metric are given, so that the first stage is not what is timed."""

    def start(library: Path, corpus: Path, folder: Path) -> None:
        from wae_rnf.commands.train import train

        np.save(folder / "centres.npy", np.random.default_rng(0).standard_normal((20, LATENTS)))
        centres = ["--centres_from", str(folder / "centres.npy")] if system == "wae-rnf" else []
        train(["--system", system, "--dataset", str(corpus), "--output_dir", str(folder / "run"), *centres])

    return start


def score_ours(model: Any, sentences: list[list[str]]) -> None:
    """`evaluate`, bounds and the use of the latent variable, of sentences as token ids."""
    from datasets import Dataset

    from wae_rnf.evaluation.evaluate_split import evaluate

    words = list(range(4, model.config.vocab_size))
    ids = [[1, *(words[zlib.crc32(word.encode()) % len(words)] for word in one), 2] for one in sentences]
    rows = Dataset.from_dict({"input_ids": ids, "length": [len(row) - 1 for row in ids]})
    evaluate(model, rows, IMPORTANCE_SAMPLES)


def sample_ours(model: Any) -> None:
    model.generate(num_samples=SAMPLES, max_new_tokens=LENGTH, eos_token_id=None)


def score_text_autoencoders(model: Any, sentences: list[list[str]]) -> None:
    """Its own estimate, over its own batches."""
    from batchify import get_batches  # type: ignore[import-not-found]

    for inputs, targets in get_batches(sentences, model.vocab, BATCH_SIZE, "cpu")[0]:
        model.nll_is(inputs, targets, IMPORTANCE_SAMPLES)


def sample_text_autoencoders(model: Any) -> None:
    model.generate(torch.randn(SAMPLES, LATENTS), LENGTH, "sample")


def score_lagging(model: Any, sentences: list[list[str]]) -> None:
    """Its own estimate, a sentence at a time as its program has it."""
    vocabulary = model.decoder.vocab
    for sentence in sentences:
        ids = [vocabulary["<s>"], *(vocabulary[word] for word in sentence), vocabulary["</s>"]]
        model.nll_iw(torch.tensor([ids]), IMPORTANCE_SAMPLES, ns=IMPORTANCE_SAMPLES)


def sample_lagging(model: Any) -> None:
    """Its own samples, which end after 99 tokens if not before."""
    model.decode(torch.randn(SAMPLES, LATENTS), "sample")


SPLITS = {"train": "train", "val": "valid", "test": "test"}
LOOPS = {
    "ours, vae": Loop(start_ours("vae"), "WaeRnfModel", score_ours, sample_ours),
    "ours, wae-rnf": Loop(start_ours("wae-rnf"), "WaeRnfModel", score_ours, sample_ours),
    "the authors' code": Loop(start_authors, "LstmVAE", None, None),
    "text-autoencoders": Loop(
        start_text_autoencoders, "VAE", score_text_autoencoders, sample_text_autoencoders, batch_dim=1
    ),
    "vae-lagging-encoder": Loop(start_lagging, "VAE", score_lagging, sample_lagging, special=2),
}


@torch.no_grad()
def timed(run: Callable[..., object] | None, *arguments: object) -> float | None:
    """Seconds of a call; None where there is nothing to call."""
    if run is None:
        return None
    start = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - start


def main(name: str, library: str, corpus: str, steps: str) -> None:
    """Prints what a library's own loop did as JSON, in the last line.

    Args:
        name: of `LOOPS`.
        library: its folder; it is not read for ours.
        corpus: the folder of the Penn Treebank.
        steps: to be timed, after `WARM_UP` others.
    """
    loop, clock = LOOPS[name], StepClock(int(steps), LOOPS[name].model, LOOPS[name].special, LOOPS[name].batch_dim)
    with tempfile.TemporaryDirectory() as folder:
        clock.run(lambda: loop.start(Path(library), Path(corpus), Path(folder)))
    memory = peak_mb()
    sentences = sentences_of(lines_of(Path(corpus, "test.txt")))[:SCORED]
    figures = {
        "tokens_per_second": clock.tokens_per_second(),
        "peak_memory_mb": memory,
        "seconds_of_importance_samples": timed(loop.score, clock.model, sentences),
        "seconds_of_samples": timed(loop.sample, clock.model),
    }
    print("\n" + json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
