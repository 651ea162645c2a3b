"""Put a trained model on the Hub, and load it as anybody does. Log in before: `hf auth login`.

python examples/publishing.py runs/toy user/wae-rnf-toy
"""

import sys

from transformers import AutoModel, AutoTokenizer

from wae_rnf.sharing.hub import push

if len(sys.argv) != 3:
    sys.exit("usage: python examples/publishing.py DIRECTORY USER/NAME, with a trained model in DIRECTORY")
directory, repository = sys.argv[1:]
try:
    print(push(directory, repository))
except ValueError as error:
    sys.exit(f"publishing.py: {error}")

model = AutoModel.from_pretrained(repository, trust_remote_code=True).eval()
tokenizer = AutoTokenizer.from_pretrained(repository, trust_remote_code=True)
for sentence in tokenizer.batch_decode(model.generate(num_samples=3), skip_special_tokens=True):
    print(sentence)
