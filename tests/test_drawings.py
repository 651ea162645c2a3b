"""Figures show noise about zero as such, and tell systems apart without colours."""

import pytest
from matplotlib.figure import Figure

from wae_rnf.reproduction.drawings import draw_bound_over_k, draw_collapse, draw_mutual_information


def metrics(information, kl, units, has_latents=True):
    history = [
        {"epoch": epoch, "kl": kl, "mutual_information": information, "active_units": units} for epoch in (1.0, 2.0)
    ]
    return {"mutual_information": information, "has_latents": has_latents, "num_sentences": 100} | {
        "training": {"history": history},
        "options": {"latent_size": 32},
    }


COLLAPSED = {
    "lstm-lm": [metrics(0.0, 0.0, 0, False)],
    "vae": [metrics(0.0004, 0.0005, 0)],
    "wae": [metrics(-0.004, 0.07, 0)],
}
USED = {"vae": [metrics(2.5, 3.0, 12)], "wae": [metrics(4.0, 6.0, 32)]}


@pytest.fixture
def drawn(monkeypatch):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, dpi: figures.append(figure))
    return figures


@pytest.mark.parametrize(("runs", "tops"), [(COLLAPSED, (1, 1, 32)), (USED, (6, 4, 32))])
def test_curves_on_scales_that_begin_at_zero(runs, tops, drawn):
    draw_collapse(runs, "collapse.png")
    for axes, top in zip(drawn[0].axes, tops, strict=True):
        bottom, above = axes.get_ylim()
        assert -0.1 * above < bottom <= 0
        assert above >= top
        styles = [(line.get_linestyle(), line.get_marker()) for line in axes.get_lines()]
        assert len(set(styles)) == len(runs)
    (legend,) = drawn[0].legends
    labels = [text.get_text() for text in legend.get_texts()]
    expected = ["lstm-lm (no latents)", "vae (collapsed)", "wae (collapsed)"] if runs is COLLAPSED else ["vae", "wae"]
    assert labels == expected


def test_bars_that_are_next_to_nothing(drawn):
    draw_mutual_information(COLLAPSED, "mutual_information.png")
    (axes,) = drawn[0].axes
    assert axes.get_xlim()[1] >= 1
    assert [text.get_text() for text in axes.texts] == ["0.00, no latents", "0.00, collapsed", "0.00, collapsed"]


def test_bars_of_latents_that_are_used(drawn):
    draw_mutual_information(USED, "mutual_information.png")
    assert [text.get_text() for text in drawn[0].axes[0].texts] == ["2.50", "4.00"]
    assert drawn[0].axes[0].get_xlim() == (0.0, 5.0)


def test_the_bound_over_k(drawn):
    curve = {"num_sentences": 3, "k": [1, 2], "pushforward": [5.0, 4.0], "flow_posterior": [9.0, 8.0]}
    rows = {"wae": "pushforward", "vae-nf": "flow_posterior"}
    runs = {
        row: [USED["vae"][0] | {"bound_over_k": curve, "generative_model": generative_model}]
        for row, generative_model in rows.items()
    }
    draw_bound_over_k(USED | runs, "bound_over_k.png")  # what is not known is left out
    for several in runs.values():
        several[0]["entropy"] = 3.0
    draw_bound_over_k(runs, "bound_over_k.png")  # the entropy is of 100 sentences, these bounds of the first 3
    for figure in drawn:
        lines = {line.get_label(): line.get_ydata().tolist() for line in figure.axes[0].get_lines()}
        assert lines == {"wae": [5.0, 4.0], "vae-nf": [9.0, 8.0]}
    for several in runs.values():
        several[0]["num_sentences"] = 3
    draw_bound_over_k(runs, "bound_over_k.png")
    assert "entropy of the corpus" in [line.get_label() for line in drawn[-1].axes[0].get_lines()]
