"""Kafka: clients, topics, and one file for each topic that is written or read."""
