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

gradio = pytest.importorskip("gradio", reason="the demo needs gradio, an extra of the package")

from wae_rnf.sharing import demo  # noqa: E402

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
    assert tabs(demo.build_demo(trained_directory)) == ["Samples", "Reconstruct", "Between two sentences", "Map"]


def test_one_latent_dimension_has_no_map(trained_directory, tmp_path):
    from transformers import AutoTokenizer

    from modeling_wae_rnf import WaeRnfModel

    tokenizer = AutoTokenizer.from_pretrained(GOLDEN / "vae")
    config = WaeRnfModel.config_class.from_pretrained(GOLDEN / "vae", latent_size=1)
    WaeRnfModel(config).save_pretrained(tmp_path / "one")
    tokenizer.save_pretrained(tmp_path / "one")
    assert tabs(demo.build_demo(tmp_path / "one")) == ["Samples", "Reconstruct", "Between two sentences"]


def test_a_model_without_run_json(trained_directory, tmp_path, capsys):
    shutil.copytree(GOLDEN / "wae", tmp_path / "bare")
    assert main(["demo", str(tmp_path / "bare"), "--port", str(free_port())]) == 2
    assert "does not say what it was trained on; name the --dataset of the map" in capsys.readouterr().err
    assert "Map" in tabs(demo.build_demo(tmp_path / "bare", str(trained_directory.parent / "corpus")))


@pytest.mark.parametrize("sentence", ["", "  "])
def test_an_empty_sentence_is_a_toast_alone(trained_directory, sentence):
    with pytest.raises(gradio.Error, match="Write a sentence first") as refused:
        functions(demo.build_demo(trained_directory))["there_and_back"](sentence)
    assert not refused.value.print_exception  # in the terminal


@pytest.mark.parametrize("seed", [None, -1, 2**32, 10**30])
def test_a_seed_that_is_none_is_a_toast_alone(trained_directory, seed):
    with pytest.raises(gradio.Error, match="The seed must be") as refused:
        functions(demo.build_demo(GOLDEN / "lstm-lm"))["write"](2, 1.0, seed)
    assert not refused.value.print_exception


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
