"""benchmarks/README.md, from results/benchmarks/*.json."""

import json
from collections.abc import Mapping
from pathlib import Path

from wae_rnf.evaluation.markdown import table

from .floor import forward_flop, training_flop
from .generated_batches import SIZES
from .subprocesses import ROOT
from .timing import Figures

README = ROOT / "benchmarks" / "README.md"
RESULTS = ROOT / "results" / "benchmarks"


def report(results: Path = RESULTS) -> str:
    """The page, from the JSON files in a folder."""
    parts = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))}
    sections = [
        ("Speed and memory", introduction()),
        ("The floor", floor(parts["training_step"])),
        ("A step of training", training_step(parts["training_step"])),
        *([("Other libraries' own loops", peers(parts["peers"]))] if "peers" in parts else []),  # `make bench-peers`
        ("A step on the importance-weighted bound", importance_weighting(parts["importance_weighting"])),
        ("Importance sampling", evaluation(parts["evaluation"])),
        ("Generation", generation(parts["generation"])),
        *([("Geodesics", geodesics(parts["geodesics"]))] if "geodesics" in parts else []),  # needs `make train`
        ("The decoders against the sentence's length", decoders(parts["decoders"])),
        ("Posterior means of sentences", embedding(parts["embedding"])),
        ("Text", text(parts["text"])),
        ("Cost against the size of the corpus", scaling(parts["scaling"])),
        ("Memory against the size of the corpus", memory(parts["memory"])),
        ("What was tried", alternatives(parts["alternatives"])),
        ("How it was measured", provenance(parts)),
    ]
    (title, first), *rest = sections
    written = [f"# {title}\n\n{first}", *(f"## {title}\n\n{content}" for title, content in rest)]
    return "<!-- written by `make bench` from results/benchmarks/*.json -->\n\n" + "\n\n".join(written) + "\n"


def introduction() -> str:
    return (
        "`make bench` measures all of this and writes this page; `python -m benchmarks.run PART` measures one part. "
        "The plain implementation ([plain_model.py](plain_model.py)) has the same parameters and mathematics, "
        "written the obvious way: padded batches, all logits at once, `F.cross_entropy`, `torch.multinomial`, Adam "
        "with its defaults. Both run by turns in one process on the same generated batches, which have the "
        "vocabulary and the lengths of the paper's corpora; figures are medians. Tokens are words and ends of "
        "sentences, without padding."
    )


def floor(figures: Figures) -> str:
    config = SIZES["ptb"].config()
    forward = forward_flop(config)
    millions = {name: f"{flop / 1e6:.2f}" for name, flop in forward.items()}
    rate = figures["matrix_rate"]
    return (
        f"The matrix products of one token in the forward pass, with embedding E = {config.embedding_size}, hidden "
        f"size H = {config.hidden_size} and V = {config.vocab_size:,} words: encoder and decoder 2 (E + H) 4H = "
        f"{millions['encoder']} MFLOP each, projection 2 H V = {millions['projection']} MFLOP. The backward pass has "
        f"two products for each of them, so that training costs {training_flop(config) / 1e6:.1f} MFLOP a token, "
        f"{forward['projection'] / sum(forward.values()):.0%} of it the projection. The floor is the time of these "
        f"products at the rate of a square product of 2,048 rows on the same machine, in the training run "
        f"{rate / 1e9:.0f} GFLOP/s: {rate / training_flop(config):,.0f} tokens a second. Everything else, elementwise "
        "functions, dropout, Adam, the latent terms, counts as zero."
    )


def training_step(figures: Figures) -> str:
    rows = []
    for size, orders in figures["steps"].items():
        memory = orders["peak_memory_mb"]
        for order, values in orders.items():
            if order == "peak_memory_mb":
                continue
            rows += [
                (
                    size,
                    f"{order} ({values['padded_tokens_per_token']:.2f} padded a token)",
                    name,
                    f"{values[name]['milliseconds_per_step']:.0f}",
                    f"{values[name]['tokens_per_second']:,.0f}",
                    f"{values['ratio']:.2f}" if name == "ours" else "1",
                    f"{values[name]['fraction_of_floor']:.0%}",
                    f"{memory[name]:.0f}" if order == "random" else "",
                )
                for name in ("plain", "ours")
            ]
    header = ["sizes", "order of the sentences", "", "ms a step", "tokens/s", "times plain", "of the floor", "peak MB"]
    curve = figures["loss_curve"]
    yahoo = figures["steps"]["yahoo"]["peak_memory_mb"]
    share = f"{yahoo['ours'] / yahoo['plain']:.0%} of the plain one" if yahoo["plain"] else "too little to tell"
    return (
        "WAE-RNF with the paper's widths, batches of 32 sentences, single precision, forward, backward and "
        "optimizer. Random order is what training does by default; sentences grouped by length save the plain "
        "implementation its padding. Peak memory is that beyond the loaded libraries, over three steps of a fresh "
        f"process (Yahoo: {share}).\n\n{table(header, rows)}\n\n"
        f"The mathematics is the same: over {curve['steps']} steps at the Penn Treebank's sizes, without dropout and "
        f"with the same samples, the loss falls from {curve['first_loss']:.1f} to {curve['last_loss']:.1f} nats, and "
        f"the two curves differ by at most {curve['largest_relative_difference']:.1e} of it."
    )


def importance_weighting(figures: Figures) -> str:
    rows = [
        (name, f"{value:.0f}", f"{figures['ratio'][name]:.2f}")
        for name, value in figures["milliseconds_per_step"].items()
    ]
    return (
        "A VAE of the paper's widths at the Penn Treebank's sizes, batches of 32 sentences, forward, backward and "
        "optimizer. The encoder reads a batch once; the decoder reads it once for each of the k samples, all in one "
        "batch.\n\n" + table(["", "ms a step", "times the VAE's"], rows)
    )


def evaluation(figures: Figures) -> str:
    rows = [
        (name, f"{value:.1f}", f"{figures['ratio'][name]:.2f}", f"{figures['fraction_of_floor'][name]:.0%}")
        for name, value in figures["microseconds_per_token_and_sample"].items()
    ]
    batched = figures["fraction_of_floor"]["loop over samples, batches of 32"]
    return (
        f"{figures['sentences']} sentences of the Penn Treebank's sizes, {figures['samples']['ours']} importance "
        f"samples a round of ours and {figures['samples']['loops']} of the loops; every sample costs the same. The "
        "floor is that of the decoder's products alone, since the encoder need not run for each sample. "
        "Microseconds a token and sample, and how many times ours:\n\n"
        + table(["", "µs", "times ours", "of the floor"], rows)
        + f"\n\nThe loop over samples in batches is at {batched:.0%} of the floor, so nothing in single precision can "
        f"be more than {1 / batched:.1f} times as fast. The Penn Treebank's test split with 500 samples would take "
        f"{figures['minutes_of_ptb_test_with_500_samples']:.0f} minutes."
    )


def generation(figures: Figures) -> str:
    rows = [
        (f"{int(count):,}", f"{value:.2f}", f"{figures['ratio'][count]:.1f}")
        for count, value in figures["milliseconds_per_sentence"].items()
    ]
    return (
        f"Sampling from 10,000 words, {figures['tokens_per_sentence']:.1f} tokens a sentence. A finished sentence is "
        "taken out of the batch. Beside it the loop that decodes one sentence after the other, "
        f"{figures['milliseconds_per_sentence_of_the_loop']:.1f} ms a sentence.\n\n"
        + table(["sentences at once", "ms a sentence", "times the loop's speed"], rows)
        + greedy(figures["greedy"])
    )


def geodesics(figures: Figures) -> str:
    return (
        f"{figures['pairs']} geodesics of {figures['steps']} points under the decoder's metric, between sentences of "
        f"toy, by the model of `make train`: {figures['seconds_of_all']:.0f} s on {figures['threads']} threads, "
        f"{figures['seconds_per_pair']:.2f} s each; {figures['unconverged']} did not converge. One after the other by "
        "torch's L-BFGS, from as many starts on curves of all the points, with all scores at once and in double "
        f"precision: {figures['seconds_per_pair_of_the_loop']:.0f} s each, {figures['ratio']:.0f} times as long. Ours "
        f"are {figures['length_over_the_loop_s']:.4f} times as long as the loop's; straight lines are "
        f"{figures['straight_over_geodesic']:.3f} times as long as ours."
    )


def greedy(figures: Figures) -> str:
    rows = [(name, f"{value:.0f}", f"{figures['ratio'][name]:.2f}") for name, value in figures["milliseconds"].items()]
    return (
        f"\n\nGreedy decoding of {figures['sentences']} sentences of {figures['words']} words. `generate` runs a loop "
        "of this package for sampling and greedy decoding, and the library's own where beams, streamers or scores "
        "are asked for:\n\n" + table(["", "ms", "times the plain loop"], rows)
    )


def decoders(figures: Figures) -> str:
    lengths = list(next(iter(figures["decoders"].values()))["generated"])
    rows = [
        (name, f"{values['parameters'] / 1e6:.1f}", *(f"{values[way][length]:.0f}" for length in lengths), way)
        for name, values in figures["decoders"].items()
        for way in ("generated", "scored")
    ]
    return (
        f"Microseconds a token, {figures['sentences']} sentences at once of 10,000 words: written greedily by "
        "`generate`, or scored at once. A cache of an LSTM or of convolutions has one size, so that a token costs the "
        "same after any number of others; a transformer attends to all of them. Parameters are in millions, those of "
        "the projection included.\n\n"
        + table(["decoder", "parameters", *(f"{length} words" for length in lengths), ""], rows)
    )


def embedding(figures: Figures) -> str:
    rows = [(name, f"{value:.2f}", f"{figures['ratio'][name]:.1f}") for name, value in figures["seconds_of"].items()]
    return (
        f"`wae_rnf.load(…).encode` of {figures['sentences']:,} sentences of the Penn Treebank's sizes, "
        f"{figures['tokens']:,} tokens, hidden size {figures['hidden_size']}, latent size {figures['latent_size']}, "
        f"threads {figures['threads']}: from strings to rows in their order. It batches sentences of one length; "
        "beside it batches in the order given, and one sentence after the other.\n\n"
        + table(["", "seconds", "times ours"], rows)
    )


def text(figures: Figures) -> str:
    rows = [
        ("vocabulary and token ids, tokens a second", f"{figures['tokens_per_second']:,.0f}"),
        (
            "seconds to the first batch of a prepared corpus (data alone, without the model)",
            f"{figures['seconds_to_first_batch_of_a_prepared_corpus']:.2f}",
        ),
        (
            "seconds to import the training program, most of it torch and transformers",
            f"{figures['seconds_to_import_the_training_program']:.2f}",
        ),
        ("seconds of `wae-rnf --help`", f"{figures['seconds_of_help']:.2f}"),
    ]
    return f"A text file of {figures['tokens']:,} tokens, and programs from their start.\n\n" + table(
        ["", "measured"], rows
    )


def scaling(figures: Figures) -> str:
    measured = {copies: values for copies, values in figures.items() if copies.isdigit()}
    rows = [
        (
            f"{copies} ×",
            f"{values['tokens']:,}",
            f"{values['seconds']:.1f}",
            f"{values['tokens_per_second']:,.0f}",
            f"{values['peak_memory_mb']:.0f}",
        )
        for copies, values in measured.items()
    ]
    return (
        "One epoch of WAE with `train.py` over copies of one corpus: seconds of training, and the most memory of the "
        f"whole program, libraries included (their mapped files too).\n\n"
        f"{table(['corpus', 'tokens', 'seconds', 'tokens/s', 'peak MB'], rows)}"
    )


def memory(figures: Figures) -> str:
    measured = figures["runs"]
    rows = [
        (way, f"{int(size):,}", f"{values['mebibytes']:.0f}", f"{values['seconds']:.0f}")
        for way, runs in measured.items()
        for size, values in runs.items()
    ]
    return (
        "The whole of `train.py` but for most of its steps: vocabulary, preparation, clusters, some steps of both "
        "stages, evaluation. The most memory that no file backs, and seconds of the whole, where nothing had been "
        "prepared before. Stored sentences lie in Arrow files that are mapped; `--streaming` stores none.\n\n"
        + table(["training split", "sentences", "MiB", "seconds"], rows)
    )


def alternatives(figures: Figures) -> str:
    rows = [
        (what, way.removeprefix("used: "), "used" if way.startswith("used: ") else "", f"{milliseconds:.2f}")
        for what, ways in figures.items()
        if isinstance(ways, dict) and any(way.startswith("used: ") for way in ways)
        for way, milliseconds in ways.items()
    ]
    return "Milliseconds of each way, timed by turns.\n\n" + table(["what", "way", "", "ms"], rows)


def peers(figures: Figures) -> str:
    rows = [
        [
            name,
            f"{found['tokens_per_second']:,.0f}",
            f"{figures['ratio'][name]:.2f}",
            f"{found['peak_memory_mb']:,.0f}",
            *(
                "–" if found.get(key) is None else f"{found[key]:.1f}"
                for key in ("seconds_of_importance_samples", "seconds_of_samples")
            ),
        ]
        for name, found in figures["loops"].items()
    ]
    heading = ["loop", "tokens a second", "ours, vae, is faster by", "MB", "importance samples, s", "samples, s"]
    return (
        f"`make bench-peers`, {figures['threads']} thread{'s' * (figures['threads'] > 1)}: each library's own program "
        "trains on the Penn Treebank, embedding and hidden size 200, latent size 32, batches of 32, dropout 0.2, till "
        f"{figures['steps']} steps are timed, {figures['rounds']} times by turns; medians. Validation and the start "
        "are not in it. The others make batches of one length, ours are random samples of the corpus. Importance "
        "samples: 50 for each of 50 sentences; samples: 200 sentences of 30 tokens (those of vae-lagging-encoder end "
        "by themselves, after 99 tokens at the latest). The authors' code has no sampling that runs, and its own "
        "importance weights mix the sentences of a batch.\n\n" + table(heading, rows)
    )


def provenance(parts: Mapping[str, Figures]) -> str:
    rows = [
        (part, f"`{(figures['commit'] or 'unknown')[:12]}`", figures["device"], f"{figures['seconds']:.0f}")
        for part, figures in parts.items()
    ]
    return "Commands and versions are in results/benchmarks/.\n\n" + table(
        ["part", "commit", "device", "seconds"], rows
    )
