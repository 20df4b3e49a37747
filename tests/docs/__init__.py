"""Documentation that runs: each page's programs, here and on upstream, and the names it lists."""
