"""What a person can do: one module per use case, above store and keys, below every screen."""
