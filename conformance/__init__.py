"""The conformance suite: what every backend must agree on, as data, and the tests made from it."""
