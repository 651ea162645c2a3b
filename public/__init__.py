"""What `import wae_rnf` gives."""
