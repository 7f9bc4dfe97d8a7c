"""The plumbing: transport, shards, store, publisher, settings, local servers. It speaks schemas and knows no agent."""

from importlib.metadata import version

VERSION = version("restock")
"""Of the code: in the journal, in cursors, in dead letters."""
