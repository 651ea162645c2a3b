"""The command `wae-rnf`, a file for each subcommand: options are parsed, and one function is called."""
