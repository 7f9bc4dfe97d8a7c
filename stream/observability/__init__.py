"""What a worker measures and exports to Prometheus, and its health."""
