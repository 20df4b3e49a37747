"""Private building blocks of the package; nothing here is a stable API."""
