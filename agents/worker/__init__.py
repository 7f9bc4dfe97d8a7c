"""A worker process: its composition root, its ticker, and what it holds on to while it runs."""
