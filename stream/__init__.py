"""The plumbing: transport, shards, store, publisher, settings, local servers. It speaks schemas and knows no agent."""

from importlib.metadata import version

VERSION = version("restock")
"""The version of the code, as journal, cursors and dead letters state it."""
