"""The generated corpus `toy`: a grammar, and its rules for reviews and news."""
