"""The subcommands that write text or latents with a trained model: sample, reconstruct, interpolate, embed."""

from collections.abc import Iterator

from .rows import Row, write
from .text_parser import in_parts, open_text, open_with, sentences_parser, text_parser


def sample(argv: list[str]) -> None:
    """sample: sentences from the prior, one a line."""
    parser = text_parser("sample", "Sentences from the prior.", "wae-rnf sample runs/toy -n 10 --temperature 0.8")
    parser.add_argument("-n", "--num_samples", type=int, default=10, help="Number of samples. (default: 10)")
    parser.add_argument(
        "--prior",
        default="pushforward",
        choices=("pushforward", "flow_posterior"),
        help="Generative model: prior on z (pushforward) or on z'. (default: pushforward)",
    )
    parser.add_argument(
        "--temperature", type=float, default=1.0, help="Temperature; under 1 favours likelier tokens. (default: 1)"
    )
    parser.add_argument(
        "--top_k", type=int, default=0, help="Number of likeliest tokens to draw from; 0 is all. (default: 0)"
    )
    parser.add_argument(
        "--top_p", type=float, default=1.0, help="Probability of the likeliest tokens to draw from. (default: 1)"
    )
    parser.add_argument("--greedy", action="store_true", help="Greedy decoding: the likeliest token at every step.")
    parser.add_argument("--prompt", default="", help="Words that every sentence begins with.")
    options = parser.parse_args(argv)

    from wae_rnf.text.sampling_options import check_sampling

    names = ("temperature", "top_p", "top_k")
    drawing = {name: getattr(options, name) for name in names}
    check_sampling(options.num_samples, **drawing, prefix="--")

    import torch

    from wae_rnf.text.text_input import warn
    from wae_rnf.tokenization.unread import unknown_words

    text = open_text(options.model_dir)
    warn(unknown_words(text.tokenizer, [options.prompt]))
    how = {name: getattr(options, name) for name in ("greedy", "prompt", "prior")}
    how["seed"] = torch.Generator(text.model.device).manual_seed(options.seed)

    def rows() -> Iterator[Row]:
        for part in in_parts(range(options.num_samples)):
            yield from ({"text": sentence} for sentence in text.sample(len(part), **drawing, **how))

    write(rows(), options, lambda row: row["text"], options.num_samples)


def reconstruct(argv: list[str]) -> None:
    """reconstruct: each sentence and what the decoder makes of its posterior mean."""
    parser = sentences_parser(
        "reconstruct",
        "Sentences through the posterior mean and back, decoded greedily.",
        'wae-rnf reconstruct runs/toy "the soup was cold ."',
    )
    options = parser.parse_intermixed_args(argv)

    from .sentences import read_sentences

    sentences = read_sentences(options.sentences)
    text = open_with(options.model_dir, sentences)

    def rows() -> Iterator[Row]:
        for part in in_parts(sentences):
            pairs = zip(part, text.reconstruct(part), strict=True)
            yield from ({"input": a, "reconstruction": b} for a, b in pairs)

    write(rows(), options, lambda row: f"in   {row['input']}\nout  {row['reconstruction']}", len(sentences))


def interpolate(argv: list[str]) -> None:
    """interpolate: decoded points on the way between two posterior means."""
    parser = text_parser(
        "interpolate",
        "Sentences on the way between the latents of two, decoded greedily.",
        'wae-rnf interpolate runs/toy "the soup was cold ." "shares of the bank rose ." --steps 9',
    )
    parser.add_argument("first", help="Sentence to start from.")
    parser.add_argument("second", help="Sentence to end at.")
    parser.add_argument("--steps", type=int, default=7, help="Number of points, ends included. (default: 7)")
    parser.add_argument(
        "--path",
        choices=("straight", "spherical", "geodesic"),
        help="Path; by default straight, and spherical for a vMF posterior.",
    )
    parser.add_argument(
        "--metric",
        choices=("euclidean", "flow", "conformal", "decoder"),
        help="Metric of a geodesic, the shortest path. (default: flow)",
    )
    parser.add_argument(
        "--space",
        default="z",
        choices=("z", "z_prime"),
        help="Latent space: before (z) or after the flow (z_prime). (default: z)",
    )
    options = parser.parse_args(argv)
    if options.steps < 2:
        raise ValueError(f"--steps must be at least 2, but is {options.steps}")
    if options.metric and options.path != "geodesic":
        raise ValueError("--metric is of --path geodesic alone")
    if options.path == "geodesic" and options.space != "z":
        raise ValueError("--path geodesic runs in z, so --space z_prime does not go with it")

    from .sentences import read_sentences

    first, second = read_sentences([options.first, options.second])
    text = open_with(options.model_dir, [first, second])
    how = {name: getattr(options, name) for name in ("steps", "path", "metric", "space")}
    points = text.interpolate(first, second, **how)
    rows = ({"position": number / (options.steps - 1), "text": point} for number, point in enumerate(points))
    write(rows, options, lambda row: row["text"], options.steps)


def embed(argv: list[str]) -> None:
    """embed: the posterior mean of each sentence."""
    parser = sentences_parser(
        "embed",
        "Posterior means as sentence features: a line of numbers for each sentence, tabs between them.",
        "wae-rnf embed runs/toy < sentences.txt > features.tsv",
    )
    options = parser.parse_intermixed_args(argv)

    from .sentences import read_sentences

    sentences = read_sentences(options.sentences)
    text = open_with(options.model_dir, sentences)

    def rows() -> Iterator[Row]:
        for part in in_parts(sentences):
            pairs = zip(part, text.encode(part).tolist(), strict=True)
            yield from ({"text": a, "embedding": b} for a, b in pairs)

    write(rows(), options, lambda row: "\t".join(f"{value:.6g}" for value in row["embedding"]), len(sentences))
