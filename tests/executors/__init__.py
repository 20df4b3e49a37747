"""The same graphs under every executor: what they give must not depend on where nodes run."""
