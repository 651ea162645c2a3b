"""Installs `modeling_wae_rnf`, `wae_rnf` and the command `wae-rnf`."""

from pathlib import Path

from setuptools import setup

SUBPACKAGES = (
    "tokenization",
    "tokenization.toy",
    "evaluation",
    "evaluation.text_metrics",
    "training",
    "text",
    "sharing",
    "reproduction",
    "commands",
)

setup(
    name="wae-rnf",
    version="0.2.0",
    description="Text autoencoders with Riemannian normalizing flows, for the Hugging Face ecosystem",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    # `tokenization` is taken on the package index and `training` is anybody's folder name: all are within `wae_rnf`.
    packages=["modeling_wae_rnf", "wae_rnf", *(f"wae_rnf.{name}" for name in SUBPACKAGES)],
    package_dir={"wae_rnf": "public", **{f"wae_rnf.{name}": name.replace(".", "/") for name in SUBPACKAGES}},
    package_data={
        "modeling_wae_rnf": ["py.typed"],
        "wae_rnf": ["py.typed"],
        "wae_rnf.training": ["presets/*.yaml"],
        "wae_rnf.sharing": ["model_card_template.md"],
        "wae_rnf.reproduction": ["paper_figures.json"],
    },
    # CI runs the tests with the lowest and with the newest releases within these bounds (.ci/run).
    install_requires=[
        "torch>=2.13,<2.14",
        "transformers>=5.17,<5.25",
        "tokenizers>=0.23.3,<0.24",
        "datasets>=5.0,<5.3",
        "accelerate>=1.15,<1.16",
        "evaluate>=0.4.6,<0.5",
        "sacrebleu>=2.6,<3",
        "huggingface-hub>=1.33,<3",
        "safetensors>=0.8,<0.9",
        "numpy>=2.0,<3",
        "scikit-learn>=1.7,<2",
        "matplotlib>=3.10,<4",
        "tensorboard>=2.20,<3",
        "tqdm>=4.67,<5",
        "rich>=14.3,<16",
        "pyyaml>=6.0,<7",
        "jinja2>=3.1,<4",
    ],
    extras_require={
        "demo": ["gradio>=6.0,<7"],
        "onnx": ["onnx>=1.20,<2", "onnxscript>=0.6,<0.8", "onnxruntime>=1.24.1,<2"],
        "sentence-transformers": ["sentence-transformers>=5.7,<7"],
        "dev": [
            "pytest>=9",
            "pytest-xdist>=3.8",
            "hypothesis>=6.150",
            "ruff>=0.15",
            "mypy>=2",
            "playwright>=1.60",
            "peft>=0.21",
        ],
        "docs": ["mkdocs-material>=9.7,<10", "mkdocstrings>=1,<2", "mkdocstrings-python>=2,<3"],
    },
    entry_points={"console_scripts": ["wae-rnf = wae_rnf.commands.main:main"]},
)
