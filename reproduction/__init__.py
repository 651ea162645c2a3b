"""The paper's systems in; its tables and figures with ours beside them, and our findings, out."""
