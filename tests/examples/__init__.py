"""Examples that stand on other packages, each in an environment of its own."""
