"""Chapter 2: preliminaries."""
