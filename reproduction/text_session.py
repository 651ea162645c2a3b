"""A session with the commands that take and give text, for docs/text.md: results/text_session.json.

    python -m wae_rnf.reproduction.text_session runs/toy

The model is that of `wae-rnf train --preset toy`; the files of the session are sentences of the toy corpus.
"""

import argparse
import json
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wae_rnf.evaluation.model_names import check_model_dir
from wae_rnf.evaluation.provenance import note_commit, provenance
from wae_rnf.tokenization.toy.grammar import ToyGrammar

RESULT = Path("results/text_session.json")
MODEL = "runs/toy"
EXAMPLES = 1000  # sentences of each file
COMMANDS = (
    'wae-rnf score runs/toy --samples 1000 "the soup was really cold ." "cold soup the was really ."',
    'wae-rnf surprisal runs/toy "minister paul silva said in march that the new tax plan was really popular ."',
    "wae-rnf edit runs/toy --from_file past.txt --to_file present.txt "
    '"minister paul silva said in march that the new tax plan was really popular ." "the soup was really cold ."',
    'wae-rnf nearest runs/toy --corpus past.txt -k 3 "the soup was really cold ."',
)


def write_examples(folder: Path) -> None:
    """past.txt and present.txt: sentences of the toy corpus by their tense."""
    grammar, rng = ToyGrammar(), random.Random(0)
    found: dict[str, list[str]] = {"past": [], "present": []}
    while min(map(len, found.values())) < EXAMPLES:
        sentence, attributes = grammar.sample_with_attributes(rng)
        found[attributes["tense"]].append(sentence)
    for tense, sentences in found.items():
        (folder / f"{tense}.txt").write_text("\n".join(sentences[:EXAMPLES]) + "\n", encoding="utf-8")


def run_session(model: Path) -> list[dict[str, str]]:
    """Each command, and what it prints where the model lies in runs/toy.

    Raises:
        ValueError: a command fails.
    """
    program = str(Path(sys.executable).with_name("wae-rnf"))
    printed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_examples(folder)
        shutil.copytree(model, folder / MODEL, ignore=shutil.ignore_patterns("checkpoints", "tensorboard"))
        for command in COMMANDS:
            words = [program, *shlex.split(command)[1:]]
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if done.returncode:
                raise ValueError(f"{command}: {done.stderr.strip()}")
            printed.append({"command": command, "output": done.stderr + done.stdout})
    return printed


def session_section() -> str:
    """The session as a block of a page."""
    session = json.loads(RESULT.read_text(encoding="utf-8"))["session"]
    lines = "\n".join(f"$ {part['command']}\n{part['output']}" for part in session)
    return f"```\n{lines.rstrip()}\n```"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model_dir", help="of wae-rnf train --preset toy")
    model_dir = parser.parse_args(argv).model_dir
    try:
        note_commit()
        start = time.perf_counter()
        session = run_session(Path(check_model_dir(model_dir)))
    except ValueError as error:
        sys.exit(f"text_session: {error}")
    record = {"session": session} | provenance("cpu", seed=0, seconds=time.perf_counter() - start)
    RESULT.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
