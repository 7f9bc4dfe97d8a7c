"""The plumbing: transport, shards, store, publisher, settings, local servers. It speaks schemas and knows no agent."""
