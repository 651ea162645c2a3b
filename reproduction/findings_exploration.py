"""The section of docs/findings.md on the short runs of the recipe: what it gives so far."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wae_rnf.evaluation.columns import COLUMNS, NOTHING, Row, WordColumn, markdown_table
from wae_rnf.evaluation.estimators import reading_of
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.metrics_migration import migrated_split
from wae_rnf.training.systems import resolve

DRAWING = "exploration.png"


def read_exploration(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """The file of short runs: what it says of all of them, and the rows, whose metrics are of the validation sample.

    Args:
        path: of a file of {"rows": {name: {"options", "training", "validation"}}} and of sentences on all rows.
    """
    content = read_json(path)
    rows = []
    for name, run in content.pop("rows").items():
        options = run["options"]
        model = resolve(options["system"], options)
        facts = {
            "has_latents": model["latent_size"] > 0,
            "has_flow": model["num_flows"] > 0,
            "reading": reading_of(model["objective"]),
            "options": options,
            "training": run["training"],
        }
        rows.append(Row.own(name, [migrated_split(run["validation"]) | facts]))
    return content, rows


def history_of(row: Row) -> list[dict[str, Any]]:
    """What each validation of a row said."""
    return row.runs[0]["training"]["history"]


def last_common_epoch(rows: list[Row]) -> int:
    """The largest epoch that every row was validated after."""
    return int(min(history_of(row)[-1]["epoch"] for row in rows))


def at_epoch(row: Row, epoch: int) -> Mapping[str, Any]:
    """The validation of a row after an epoch."""
    return next(validation for validation in history_of(row) if validation["epoch"] == epoch)


def information(row: Row, validation: Mapping[str, Any]) -> str:
    return f"{validation['mutual_information']:.2f}" if row.runs[0]["has_latents"] else NOTHING


FINAL = [
    WordColumn("epochs", lambda row: f"{history_of(row)[-1]['epoch']:.0f}"),
    WordColumn("steps", lambda row: f"{row.runs[0]['training']['steps']:,}"),
    WordColumn("seconds", lambda row: f"{row.runs[0]['training']['seconds']:.0f}"),
    WordColumn("validation bound", lambda row: f"{history_of(row)[-1]['bound']:.2f}"),
    COLUMNS["iwae"],
    COLUMNS["k"],
    COLUMNS["mutual_information"],
]


def exploration_section(path: Path) -> list[str]:
    """Eight rows that were stopped by time: where each was, and all of them at one epoch."""
    about, rows = read_exploration(path)
    epoch = last_common_epoch(rows)
    equal = [
        WordColumn("validation bound", lambda row: f"{at_epoch(row, epoch)['bound']:.2f}"),
        WordColumn("MI", lambda row: information(row, at_epoch(row, epoch))),
    ]
    settings = rows[0].runs[0]
    sample = f"{settings['num_sentences']:,} of its sentences ({about['validation_sentences']})"
    return [
        f"**Shortened, one seed, validation split.** The {len(rows)} rows of "
        "[examples/recipe.yaml](../examples/recipe.yaml), with the settings of "
        f"[examples/recipe_settings.yaml](../examples/recipe_settings.yaml), on {about['dataset']}, "
        f"{settings['training']['device'].partition(', ')[0]}): {about['stopped']}. "
        "Runs of one time are at different epochs, so that the first table does not compare the models but what a "
        "time gives; the second table has all of them at the last epoch that all have reached.",
        "The validation bound is that of the row's objective on the whole split, exact for a language model, the ELBO "
        "for gamma-elbo, and importance-weighted with the samples of training for the others. IWAE and MI are of "
        f"{sample}, ± the standard error over sentences, in brackets that over samples. All rows have the same "
        "sentences, whose spread is most of the standard error.",
        markdown_table(rows, FINAL, first="row"),
        f"After epoch {epoch}:",
        markdown_table(rows, equal, first="row"),
        f"![Validation bound over epochs]({DRAWING})",
        what_follows(rows, epoch),
    ]


def what_follows(rows: list[Row], epoch: int) -> str:
    """What the figures allow to say."""
    exact = [row for row in rows if not row.runs[0]["has_latents"]]
    latent = [row for row in rows if row.runs[0]["has_latents"]]

    def bound(row: Row) -> float:
        return at_epoch(row, epoch)["bound"]

    def iwae(row: Row) -> float:
        return row.runs[0][row.reading]["iwae"]["nll"]

    model, best = min(exact, key=bound), min(latent, key=bound)
    last_model, last = min(exact, key=iwae), min(latent, key=iwae)
    used = [row.runs[0]["mutual_information"] for row in latent]
    epochs = [f"{history_of(row)[-1]['epoch']:.0f}" for row in (last_model, last)]
    return (
        f"After {epoch} epochs the lowest bound of a model with a latent variable is that of {best.name}, "
        f"{bound(best):.2f}, {bound(best) - bound(model):+.2f} nats from the language model {model.name}. At the "
        f"end of the time it is {last.name} by IWAE, {iwae(last) - iwae(last_model):+.2f} nats from "
        f"{last_model.name}, which had {epochs[0]} epochs to its {epochs[1]}. All latent variables are used: MI is "
        f"{min(used):.2f} to {max(used):.2f} nats. No model with a latent variable is under the best language model "
        "here, at equal epochs or at the end; one seed and unfinished schedules order neither the priors nor the "
        "objectives."
    )
