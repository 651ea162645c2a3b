"""Train with Transformers' Trainer, not `wae-rnf train`: metrics, the best model, and going on from a checkpoint.

python examples/trainer.py toy runs/with-trainer 300
"""

import sys
from pathlib import Path

from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.preparation import prepare, train_tokenizer

if len(sys.argv) != 4 or not (sys.argv[1] == "toy" or Path(sys.argv[1], "train.txt").exists()):
    sys.exit("usage: python examples/trainer.py CORPUS OUTPUT_DIR STEPS; CORPUS is toy or a folder with train.txt")
corpus_name, output_dir, max_steps = sys.argv[1:]
corpus = load_corpus(corpus_name)
tokenizer = train_tokenizer(corpus)
data = prepare(corpus, tokenizer).select_columns("input_ids")


def share_of_words(prediction):
    """How many of the words are the likeliest one; those that are padding have the label -100."""
    words, labels = prediction.predictions[:, :-1], prediction.label_ids[:, 1:]
    return {"accuracy": (words == labels)[labels != -100].mean()}


set_seed(0)
sizes = {"embedding_size": 64, "hidden_size": 64, "latent_size": 16, "num_centres": 5}
vae = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0, "kl_weight": 0.1}
# the same noise in every evaluation: its losses differ by the weights alone
config = WaeRnfConfig(vocab_size=len(tokenizer), eval_latents="seeded", **sizes, **vae)
trainer = Trainer(
    WaeRnfModel(config),
    TrainingArguments(
        output_dir,
        max_steps=int(max_steps),
        learning_rate=2e-3,
        per_device_train_batch_size=32,
        per_device_eval_batch_size=256,
        eval_strategy="steps",
        save_strategy="steps",
        eval_steps=int(max_steps) // 3,
        save_steps=int(max_steps) // 3,
        load_best_model_at_end=True,  # of the validation's loss
        report_to="none",
    ),
    DataCollatorForLanguageModeling(tokenizer, mlm=False),  # its labels are the words, -100 for padding
    data["train"],
    data["validation"],
    tokenizer,
    compute_metrics=share_of_words,
    preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1),  # the logits themselves take much memory
)
started_before = Path(output_dir).is_dir() and get_last_checkpoint(output_dir)
trainer.train(resume_from_checkpoint=started_before or None)
trainer.save_model()  # and the tokenizer: `wae-rnf sample` reads them
print(f"best: {trainer.state.best_model_checkpoint}, {trainer.state.best_metric:.2f} nats a sentence")
print(f"test: {trainer.predict(data['test']).metrics['test_accuracy']:.1%} of the words are the likeliest")
