"""The demo without a browser: what its page makes of odd models, odd inputs, proxies and ports."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from wae_rnf.commands.main import main
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.text.likelihoods import Estimate, TokenSurprisals
from wae_rnf.text.text_autoencoder import TextAutoencoder

gradio = pytest.importorskip("gradio", reason="the demo needs gradio, an extra of the package")

from wae_rnf.sharing import demo  # noqa: E402
from wae_rnf.sharing.demo_html import coloured, listed  # noqa: E402

GOLDEN = Path(__file__).parent / "golden" / "models"


@pytest.fixture(autouse=True)
def cache(trained_directory, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", trained_directory.parent / "cache")
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")


def functions(page):
    """The functions behind the page, by name."""
    return {function.name: function.fn for function in page.fns.values()}


def tabs(page):
    return [block.label for block in page.blocks.values() if isinstance(block, gradio.Tab)]


def values(page):
    """What the page's components begin with, by their names."""
    return {block.elem_id: getattr(block, "value", None) for block in page.blocks.values() if block.elem_id}


def markdown(page):
    return "\n".join(block.value for block in page.blocks.values() if isinstance(block, gradio.Markdown))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_a_dead_proxy_is_not_asked(trained_directory, name, monkeypatch):
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    page, port = demo.build_demo(GOLDEN / "lstm-lm"), free_port()
    try:
        demo.serve(page, port, prevent_thread_lock=True, quiet=True)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        assert direct.open(f"http://127.0.0.1:{port}/", timeout=20).status == 200
    finally:
        page.close()
    assert os.environ[name] == "http://127.0.0.1:9"


def test_with_a_socks_proxy_gradio_is_still_found(tmp_path):
    code = "import sys; from wae_rnf.commands.main import main; sys.exit(main(['demo', sys.argv[1]]))"
    environment = os.environ | {"ALL_PROXY": "socks5://127.0.0.1:9"}
    command = [sys.executable, "-c", code, str(GOLDEN / "vae")]  # of which nothing says what it was trained on
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert "does not say what it was trained on" in done.stderr.splitlines()[-1]


def test_a_taken_port_is_told_before_any_work(trained_directory, monkeypatch, capsys):
    monkeypatch.setattr(demo, "build_demo", pytest.fail)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["demo", str(trained_directory), "--port", str(port)]) == 2
    assert f"port {port} cannot be listened on" in capsys.readouterr().err


def test_what_a_model_does_not_have_has_no_tab(trained_directory, tmp_path):
    assert tabs(demo.build_demo(GOLDEN / "lstm-lm")) == ["Samples"]
    assert tabs(demo.build_demo(trained_directory)) == ["Samples", "Edit", "Between", "Map"]


def test_one_latent_dimension_has_no_map(trained_directory, tmp_path):
    from transformers import AutoTokenizer

    from modeling_wae_rnf import WaeRnfModel

    tokenizer = AutoTokenizer.from_pretrained(GOLDEN / "vae")
    config = WaeRnfModel.config_class.from_pretrained(GOLDEN / "vae", latent_size=1)
    WaeRnfModel(config).save_pretrained(tmp_path / "one")
    tokenizer.save_pretrained(tmp_path / "one")
    page = demo.build_demo(tmp_path / "one")
    assert tabs(page) == ["Samples", "Edit", "Between"]
    assert "No slider for **tense**: the training corpus is not at hand; name a --dataset." in markdown(page)


def test_a_model_without_run_json(trained_directory, tmp_path, capsys):
    shutil.copytree(GOLDEN / "wae", tmp_path / "bare")
    assert main(["demo", str(tmp_path / "bare"), "--port", str(free_port())]) == 2
    assert "does not say what it was trained on; name the --dataset of the map" in capsys.readouterr().err
    assert "Map" in tabs(demo.build_demo(tmp_path / "bare", str(trained_directory.parent / "corpus")))


@pytest.mark.parametrize("sentence", ["", "  "])
def test_an_empty_sentence_is_a_toast_alone(trained_directory, sentence):
    with pytest.raises(gradio.Error, match="Write a sentence first") as refused:
        functions(demo.build_demo(GOLDEN / "lstm-lm"))["read"](sentence)
    assert not refused.value.print_exception  # in the terminal


@pytest.mark.parametrize("seed", [None, -1, 2**32, 10**30])
def test_a_seed_that_is_none_is_a_toast_alone(trained_directory, seed):
    with pytest.raises(gradio.Error, match="The seed must be") as refused:
        functions(demo.build_demo(GOLDEN / "lstm-lm"))["write"](2, 1.0, seed)
    assert not refused.value.print_exception


def test_results_are_there_at_once(trained_directory):
    begins = values(demo.build_demo(trained_directory))
    text = TextAutoencoder(*load_model(trained_directory))
    first, second = "rain fell all day long", "a dog ran fast"  # the first of the test split that have four words
    assert (begins["sentence"], begins["second"]) == (second, first)
    assert begins["samples"] == listed(text.sample(8, seed=0))
    assert begins["reconstruction"] == text.reconstruct([second])[0]
    assert begins["between"] == listed(text.interpolate(second, first, 7))
    assert begins["decoded"]
    (row,) = text.surprisal([second], 100)
    assert begins["tokens"] == coloured(row)
    assert f"**{row.nll:.2f} ± " in begins["bound"]
    assert f"{row.latent:.2f} for the latent and {sum(row.nats):.2f} for the tokens given it" in begins["bound"]


def test_a_sentence_of_a_language_model(cache):
    text = TextAutoencoder(*load_model(GOLDEN / "lstm-lm"))
    bound, tokens = functions(demo.build_demo(GOLDEN / "lstm-lm"))["read"]("the cat sat")
    exact = text.nll(["the cat sat"])
    assert bound.startswith(f"**{exact.nll[0]:.2f} nats**. Perplexity {exact.perplexity:.1f}; exact likelihood")
    assert tokens == coloured(text.surprisal(["the cat sat"])[0])


def test_text_is_no_html():
    row = TokenSurprisals(["<b>", "&"], [-0.1, 99.0], 0.0, 98.9, Estimate("exact", "pushforward", 1))
    assert "&lt;b&gt;<br><small>-0.10" in coloured(row)
    assert "0.00)'>&lt;b&gt;" in coloured(row)
    assert "0.80)'>&amp;" in coloured(row)
    assert "<script>" not in listed(["<script>"])


def test_sliders_move_along_both_directions(trained_directory, tmp_path):
    kinds = {"present": "the cat is fast", "past": "a dog was old", "negative": "bad rain", "positive": "good day"}
    (tmp_path / "corpus").mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / "corpus" / f"{split}.txt").write_text("\n".join(kinds.values()) + "\n")
    page = demo.build_demo(trained_directory, str(tmp_path / "corpus"))
    assert {"slider-tense", "slider-sentiment"} <= values(page).keys()
    move = functions(page)["move"]
    text = TextAutoencoder(*load_model(trained_directory))
    z = {name: text.encode([sentence])[0] for name, sentence in {**kinds, "source": "the cat sat"}.items()}
    moved = z["source"] + 2 * (z["past"] - z["present"]) - 3 * (z["positive"] - z["negative"])
    assert move("the cat sat", 2.0, -3.0) == text.decode(moved[None])[0]
    assert move("the cat sat", 0.0, 0.0) == text.reconstruct(["the cat sat"])[0]
    assert move(" ", 1.0, 1.0) == ""
    without = markdown(demo.build_demo(trained_directory))
    assert "No slider for **tense**: none of the 15 sentences is present by the rule." in without


def test_the_way_has_as_many_steps_as_the_slider_says(trained_directory):
    between = functions(demo.build_demo(trained_directory))["between"]
    for steps in (2, 5):
        assert between("the cat sat", "a dog ran fast", steps).count("<li>") == steps
    assert between("", "a dog ran fast", 5) == between("the cat sat", " ", 5) == ""


def test_a_click_beside_the_axes_changes_nothing(trained_directory):
    choose = functions(demo.build_demo(trained_directory))["choose"]

    def click(column, row, first=None):
        return choose(first, "decoder", "flow", gradio.SelectData(None, {"index": (column, row), "value": None}))

    assert click(5, 300) == click(690, 100) == (gradio.skip(),) * 5
    (picture, _, place, *_), (again, _, same, *_) = click(250, 300), click(250, 300)
    assert place == same
    assert (picture == again).all()
    x, y = (float(part) for part in click(450, 300)[2].strip("()").split(","))
    assert x > float(place.strip("()").split(",")[0])
    assert f"{y:.2f}" == place.strip("()").split(", ")[1]


def test_two_clicks_show_the_ways_between(trained_directory):
    page = demo.build_demo(trained_directory)
    choose = functions(page)["choose"]
    at = [gradio.SelectData(None, {"index": (column, 300), "value": None}) for column in (250, 450)]
    one, text, _, listed, first = choose(None, "flow", "flow", at[0])
    assert (text, listed) == (choose(None, "flow", "flow", at[0])[1], "")
    for metric in ("flow", "decoder"):
        both, last, _, listed, none = choose(first, metric, "flow", at[1])
        assert none is None  # the next click begins anew
        assert (both != one).any()
        straight, geodesic = (part.splitlines() for part in listed.split("\n\n"))
        assert straight[0].startswith("straight, length ")
        assert geodesic[0].startswith(f"geodesic, {metric}")
        assert len(straight) == len(geodesic) == 1 + 6
        assert straight[1] == geodesic[1] == text
        assert straight[-1] == geodesic[-1] == last
        lengths = [float(lines[0].partition("length ")[2]) for lines in (straight, geodesic)]
        assert lengths[1] <= lengths[0] + 0.01
