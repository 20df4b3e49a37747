"""The viewer in a browser: the main paths, and the pictures of the documentation."""
