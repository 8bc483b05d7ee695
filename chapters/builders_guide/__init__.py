"""Chapter 6: builders' guide."""
