"""Long-term memory shared between threads: key-value stores with optional semantic search."""
