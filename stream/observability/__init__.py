"""What a worker tells Prometheus and whoever asks for its health."""
