"""`--help` of the commands with many options: short, grouped, with defaults and examples; `--help-all` is whole."""

import subprocess
import sys
from dataclasses import fields

import pytest

from wae_rnf.commands.main import main
from wae_rnf.reproduction.arguments import ReproduceArguments
from wae_rnf.training.arguments import TrainArguments

GROUPS = {
    "train": ["model", "data", "training", "evaluation"],
    "reproduce": ["data", "training", "evaluation"],
    "evaluate": ["data", "evaluation"],
}


def test_help_texts_are_sentences():
    for arguments in (TrainArguments, ReproduceArguments):
        for declared in fields(arguments):
            text = declared.metadata["help"]
            assert text[0].isupper() or text.startswith("AdamW"), declared.name
            assert text.endswith("."), declared.name


@pytest.mark.parametrize("command", GROUPS)
def test_help_is_short_and_help_all_is_whole(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    texts = {}
    for asked in ("--help", "--help-all"):
        with pytest.raises(SystemExit) as stopped:
            main([command, asked])
        assert stopped.value.code == 0
        texts[asked] = capsys.readouterr().out
    short, whole = texts.values()
    some, every = (
        {line.split()[0] for line in text.splitlines() if line.startswith("  --")} for text in (short, whole)
    )
    assert some < every
    for text in texts.values():
        prose = text.partition("Examples:")[0]
        assert max(map(len, prose.splitlines())) <= 80
        assert text.partition("Examples:")[2].count(f"wae-rnf {command}") >= 2
        assert "(default: " in text
    for group in GROUPS[command]:
        assert f"\n{group}:\n" in short
    if command == "train":
        assert every >= {f"--{declared.name}" for declared in fields(TrainArguments)}
        assert {"--learning_rate", "--mean_gamma", "--system"} <= some
        assert "main job" in short
        assert short.count("\n") < 90
        # a default stands there as it is, whatever else it equals
        words = " ".join(whole.split())
        assert "Standard deviation of the word embeddings' initialization. (default: 1.0)" in words
        assert "(default: by system; 0.6 for wae-rnf)" in words


@pytest.mark.parametrize("command", GROUPS)
def test_help_needs_no_heavy_library(command):
    code = (
        "import sys\n"
        "from wae_rnf.commands.main import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except SystemExit:\n"
        "    print(sorted({'torch', 'transformers', 'datasets', 'numpy', 'accelerate'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, command, "--help-all"], capture_output=True, text=True)
    assert done.stdout.endswith("\n[]\n")
