"""The subcommand `geometry`: the latent space as a Riemannian manifold, in figures."""

from pathlib import Path

from wae_rnf.training.option_parser import OptionParser

from .text_parser import add_dataset, add_split, model_parser

METRICS = ("euclidean", "flow", "conformal", "decoder")
CANDIDATES = 4  # pairs of each query
DESCRIPTION = """\
Geometry of the latent space: how much longer straight lines are than geodesics, whether metrics agree on the nearest
neighbour, how much volume there is near the data and far from it, and how the text along straight lines, great circles
and geodesics reads. The figures are written to geometry.json in MODEL_DIR, those of each pair among them."""
EXAMPLES = (
    "wae-rnf geometry runs/toy --pairs 200 --language_model runs/toy-lm",
    "wae-rnf geometry runs/toy --pairs 40 --metrics flow decoder --split validation",
)


def geometry(argv: list[str]) -> None:
    """geometry: geometry.json, and a table."""
    options = parser().parse_args(argv)
    if options.pairs < CANDIDATES or options.pairs % CANDIDATES:
        raise ValueError(f"--pairs must be a multiple of {CANDIDATES}, but is {options.pairs}")
    if options.max_words is not None and options.max_words < 1:
        raise ValueError(f"--max_words must be at least 1, but is {options.max_words}")
    if options.map_metric and not options.map:
        raise ValueError("--map_metric is of --map alone")
    if options.map and not options.map.endswith(".png"):
        raise ValueError(f"--map must name a .png file, not {options.map}")
    if options.steps < 3:
        raise ValueError(f"--steps must be at least 3, but is {options.steps}")

    from wae_rnf.evaluation.model_names import check_model_dir

    for name in filter(None, (options.model_dir, options.language_model)):
        check_model_dir(name)

    import torch

    from wae_rnf.evaluation.evaluation_target import file_of_figures, named_corpus
    from wae_rnf.evaluation.geometry_directory import GEOMETRY_FILE, geometry_of_directory
    from wae_rnf.evaluation.provenance import note_commit
    from wae_rnf.training.systems import system_of

    dataset = named_corpus(options.model_dir, options.dataset)
    path = file_of_figures(options.model_dir, GEOMETRY_FILE, options.output)
    note_commit()
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    names = ("language_model", "split", "pairs", "steps", "seed", "max_words")
    given = {name: getattr(options, name) for name in names}
    metrics = tuple(dict.fromkeys(options.metrics)) if options.metrics else None
    picture = (Path(options.map), options.map_metric or METRICS[1]) if options.map else None
    geometry_of_directory(
        options.model_dir, path, dataset, metrics, device=device, system_of=system_of, picture=picture, **given
    )
    print(f"\nThe figures are in {path}." + (f" The map is {options.map}." if options.map else ""))


def parser() -> OptionParser:
    """The options of the command."""
    parser = model_parser("geometry", DESCRIPTION, *EXAMPLES)
    data, measures = parser.add_argument_group("data"), parser.add_argument_group("geometry")
    add_dataset(data)
    add_split(data)
    data.add_argument(
        "--language_model",
        metavar="DIR",
        help="Model of the system lstm-lm that judges how fluent text is; by default that is left out.",
    )
    measures.add_argument(
        "--pairs", metavar="N", type=int, default=200, help="Number of pairs, a multiple of 4. (default: 200)"
    )
    measures.add_argument(
        "--steps", metavar="N", type=int, default=21, help="Number of points of a curve, ends included. (default: 21)"
    )
    measures.add_argument(
        "--metrics",
        nargs="+",
        choices=METRICS,
        metavar="NAME",
        help=f"Metrics, of {', '.join(METRICS)}; by default all that the model has.",
    )
    measures.add_argument(
        "--max_words",
        metavar="N",
        type=int,
        help="Number of words after which a sentence drawn for the decoder's metric is cut; by default that of the "
        "split's longest sentence. What was cut is counted.",
    )
    measures.add_argument("--map", metavar="FILE.png", help="File for a map of the split; by default none is drawn.")
    measures.add_argument(
        "--map_metric",
        choices=METRICS[1:],
        metavar="NAME",
        help=f"Metric whose log volume is the map's background, of {', '.join(METRICS[1:])}. (default: flow)",
    )
    measures.add_argument("--output", metavar="FILE.json", help="File for the figures, instead of geometry.json.")
    return parser
