"""Every command and every piece of Python in README.md and docs/ runs as it is written, page by page."""

import json
import os
import re
import shlex
import shutil
import subprocess
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from modeling_wae_rnf.configuration_wae_rnf import WaeRnfConfig
from modeling_wae_rnf.modeling_wae_rnf import WaeRnfModel
from wae_rnf.commands.main import main
from wae_rnf.evaluation.model_directory import load_model, save_model_directory
from wae_rnf.training.model_options import model_config
from wae_rnf.training.systems import SYSTEMS, customized_system

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/training.md", "docs/evaluation.md", "docs/hub.md", "docs/text.md")
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
EXAMPLE = re.compile(r"<!-- example.*?end of example -->", flags=re.DOTALL)  # what a command prints
TRAINERS = ("accelerate", "torchrun", "python")


def blocks_of(page):
    """[(language, content)] of a page, without what a command prints."""
    return re.findall(r"^```(\w*)\n(.*?)^```", EXAMPLE.sub("", TEXTS[page]), flags=re.DOTALL | re.MULTILINE)


def command_lines():
    """The lines of the pages' blocks that a shell would run, continued ones joined, without their remarks."""
    found = (block for page in PAGES for block in blocks_of(page))
    blocks = "".join(content for language, content in found if not language).replace("\\\n", " ")
    lines = [line.partition(" # ")[0].strip() for line in blocks.splitlines()]
    starts = ("make ", "wae-rnf ", "pip ", "source ", "tensorboard ", *(f"{name} " for name in TRAINERS))
    return [line for line in lines if line.startswith(starts)]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A directory as it is after `make train`, with a folder of text; what takes long only notes its options."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("wae_rnf.tokenization.toy.corpus.SPLIT_SIZES", {"train": 60, "validation": 8, "test": 8})
    shutil.copytree(ROOT / "examples", "examples")
    shutil.copytree(ROOT / "tests" / "golden" / "models" / "wae-rnf", "runs/toy")
    Path("runs/toy/run.json").write_text(json.dumps({"options": {"system": "wae-rnf", "dataset": "toy"}}))
    save_model_directory(with_topics(), load_model("runs/toy")[1], "runs/topics")
    Path("FOLDER").mkdir()
    for split in ("train", "valid", "test"):
        Path("FOLDER", f"{split}.txt").write_text("the cat sat\n")
    Path("reviews.csv").write_text("place,review\n" + "a cafe,The soup was cold.\n" * 3)
    for tense, sentence in (("past", "the cat sat"), ("present", "the cat is old .")):
        Path(f"{tense}.txt").write_text(f"{sentence}\n" * 3)
    noted = []
    for name in ("training.run.train", "reproduction.reproduce.reproduce", "sharing.hub.push"):
        monkeypatch.setattr(f"wae_rnf.{name}", lambda *given, name=name: noted.append((name, *given)))
    return noted


def with_topics():
    """A model with topics for the tokenizer of the golden model, of short sentences."""
    system = SYSTEMS["dirichlet-vae"].config
    vocab_size = WaeRnfConfig.from_pretrained("runs/toy").vocab_size
    return WaeRnfModel(WaeRnfConfig(vocab_size=vocab_size, hidden_size=8, latent_size=4, max_words=5, **system))


def run(line, monkeypatch):
    """The exit status of a line with `<` and `>`, run in this process."""
    words = shlex.split(line)
    end = min((words.index(sign) for sign in "<>" if sign in words), default=len(words))
    with ExitStack() as files:
        for sign, name, mode in (("<", "sys.stdin", "r"), (">", "sys.stdout", "w")):
            if sign in words:
                file = files.enter_context(open(words[words.index(sign) + 1], mode, encoding="utf-8"))
                monkeypatch.setattr(name, file)
        return main(words[1:end])


def check_training(arguments):
    """The options make a model."""
    config = model_config(arguments, customized_system(arguments), vocab_size=9)
    assert isinstance(config, WaeRnfConfig)


def test_commands(place, monkeypatch, capsys):
    seen = set()
    for line in command_lines():
        words = shlex.split(line)
        if words[:2] == ["wae-rnf", "export"] and find_spec("onnxscript") is None:
            continue  # an extra of the package
        if words[0] == "wae-rnf" and words[1] != "demo":
            with monkeypatch.context() as patch:
                assert run(line, patch) == 0, (line, capsys.readouterr().err)
            seen.add(words[1])
        elif words[0] in TRAINERS and "train.py" in words:
            assert main(["train", *words[words.index("train.py") + 1 :]]) == 0, line
            seen.add(words[0])
    assert seen >= {"sample", "reconstruct", "interpolate", "embed", "evaluate", "train", "push", "reproduce"}
    assert seen >= {
        "accelerate",
        "torchrun",
        "score",
        "surprisal",
        "edit",
        "nearest",
        "arithmetic",
        "tradeoff",
        "probe",
        "topics",
    }
    lines = Path("sentences.txt").read_text().splitlines()
    assert len(Path("features.tsv").read_text().splitlines()) == sum(map(bool, map(str.strip, lines)))
    for name, *given in place:
        if name == "training.run.train":
            check_training(given[0])
    assert {name for name, *_ in place} == {
        "training.run.train",
        "reproduction.reproduce.reproduce",
        "sharing.hub.push",
    }


def test_the_demo(place, monkeypatch):
    demo = pytest.importorskip("wae_rnf.sharing.demo", reason="the demo needs gradio, an extra of the package")
    served = []
    monkeypatch.setattr(demo, "serve", lambda page, port: served.append(page))
    (line,) = [line for line in command_lines() if "wae-rnf demo" in line]
    assert main(shlex.split(line.rpartition("wae-rnf ")[2])) == 0
    assert len(served) == 1


@pytest.mark.filterwarnings("ignore::wae_rnf.text.text_input.UnreadTextWarning")
@pytest.mark.parametrize("page", ["README.md", "docs/hub.md", "docs/text.md"])
def test_python(place, page):
    names = {}
    for language, content in blocks_of(page):
        if language == "python":
            exec(compile(content, page, "exec"), names)
    assert ("model" if page == "docs/hub.md" else "text") in names


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_train_leaves_its_model_where_the_readme_looks(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "setup.py", "pyproject.toml"):
        (tmp_path / name).touch()

    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "OUTPUT_DIR"))}

    def recipe():
        command = ["make", "-n", "train"]
        done = subprocess.run(command, cwd=tmp_path, env=outside, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()[-1]

    assert recipe().endswith("wae-rnf train --config examples/toy.yaml --output_dir runs/toy")
    (tmp_path / "runs" / "toy").mkdir(parents=True)
    assert re.search(r"--output_dir runs/toy-\d{8}-\d{6}$", recipe())


def test_make_has_the_targets():
    makefile = (ROOT / "Makefile").read_text()
    text = "\n".join(TEXTS.values())
    for target in re.findall(r"`make (\w+)`", text) + re.findall(r"^make (\w+)", text, flags=re.MULTILINE):
        assert f"\n{target}:" in makefile, target
