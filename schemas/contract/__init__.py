"""The contract as documents: JSON Schema, AsyncAPI, pages and examples, made from the types."""
